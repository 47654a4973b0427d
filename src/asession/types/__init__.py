"""Types of resources, for annotations: `asession.types.s3.Bucket`; a module for each service.

Type checkers read the stubs beside the modules, which are generated (`nox -s stubs`).
"""

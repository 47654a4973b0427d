"""The AWS door: the only room that names aiobotocore and botocore.

The modules here import the upstream packages, which takes up to 700 ms; whoever needs them from an
event loop imports them through `asession._runtime.threads.import_module`.
"""

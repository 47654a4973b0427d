"""Writes the stubs that type checkers read in place of some modules: `nox -s stubs`."""

"""Names and docstrings of what is generated: methods wear boto3's, classes say what they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def named_after(documented: Any, method: Any) -> Any:
    """Give `method` the name and docstring of the function that boto3 generated in its place."""
    method.__name__ = method.__qualname__ = documented.__name__
    # The docstring is generated when it is shown: it must be moved, not read.
    method.__doc__ = documented.__doc__
    return method


def class_docstring(class_name: str, identifiers: Sequence[str]) -> str:
    """What `help` says of a resource class; boto3's have none.

    Args:
        class_name: For example ``"s3.Bucket"``.
        identifiers: What tells one resource of the class from another.
    """
    service, _, kind = class_name.partition(".")
    if kind == "ServiceResource":
        return (
            f"The resources of {service}; works while its client is open, closed with it.\n\n"
            "Constructors are plain calls. Actions and waiters are awaited, collections are "
            "iterated with `async for`."
        )
    known = ", ".join(f"`{name}`" for name in identifiers)
    return (
        f"A {kind} of {service}, known by its {known}.\n\n"
        "Holds nothing open; works while the client of its service resource is open. Actions and "
        "waiters are awaited, collections are iterated with `async for`, attributes are plain "
        "values once it is loaded: by `await load()`, where it has that, or by what returned it."
    )

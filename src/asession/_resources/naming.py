"""Generated methods that wear the name and the lazy docstring of boto3's."""

from __future__ import annotations

from typing import Any


def named_after(documented: Any, method: Any) -> Any:
    """Give `method` the name and docstring of the function that boto3 generated in its place."""
    method.__name__ = method.__qualname__ = documented.__name__
    # The docstring is generated when it is shown: it must be moved, not read.
    method.__doc__ = documented.__doc__
    return method

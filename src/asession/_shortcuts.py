"""`asession.client` and `asession.resource`: those of the session in force.

Type checkers read `_shortcuts.pyi` in place of this module; it is generated (`nox -s stubs`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from asession._clients import Opening
from asession._default import current_session
from asession._opens import Opens


def _signed_as(method: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Show a method's signature, without `self`, as that of a function."""

    def sign(function: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(method)
        parameters = list(signature.parameters.values())[1:]
        function.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        return function

    return sign


# What was not given is not passed on: sessions may be of a class with a `client` of its own.
@_signed_as(Opens.client)
def client(*args: Any, **kwargs: Any) -> Opening[Any]:
    """`Session.client` of the current session, with the same arguments.

    Example:
        async with asession.client("s3") as s3:
            await s3.list_buckets()
    """
    return current_session().client(*args, **kwargs)


@_signed_as(Opens.resource)
def resource(*args: Any, **kwargs: Any) -> Opening[Any]:
    """`Session.resource` of the current session, with the same arguments.

    Example:
        async with asession.resource("dynamodb") as dynamodb:
            await dynamodb.Table("orders").put_item(Item={"id": "1"})
    """
    return current_session().resource(*args, **kwargs)

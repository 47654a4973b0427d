"""`session_dependency`: the session of a request as a dependency, for FastAPI and its kin."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, ParamSpec, overload

from asession.session import Session
from asession.web.request import ask, check_given, in_force

P = ParamSpec("P")


@overload
def session_dependency(
    session: Session, /, *, enter: bool = False
) -> Callable[[], AsyncGenerator[Session, None]]: ...


@overload
def session_dependency(
    session: Callable[P, Session | Awaitable[Session]], /, *, enter: bool = False
) -> Callable[P, AsyncGenerator[Session, None]]: ...


def session_dependency(
    session: Session | Callable[..., Session | Awaitable[Session]], /, *, enter: bool = False
) -> Callable[..., AsyncGenerator[Session, None]]:
    """Make a dependency that gives a request its session and makes it the current one.

    For FastAPI's ``Depends``. `asession.client(...)` means the request's session from then on: in
    the dependencies that come later, in the endpoint, in a streamed response body and in background
    tasks. FastAPI calls it once for each request, wherever it is named.

    It is an ``async def`` generator, because only that runs in the task of the request: FastAPI
    runs a sync ``yield`` dependency in a worker thread with a copy of the request's context, so
    what it makes current ends with the copy.

    Args:
        session: The session of all requests; or a function, sync or async, that returns the session
            of a request. Its parameters are the dependency's: headers, path and query parameters,
            further dependencies. A sync one runs on the event loop, so it must not block; making a
            `Session` does not. As this takes a single function, it is a decorator too.
        enter: Whether the session is also entered for the request; see `SessionMiddleware`. Who
            gives a session enters it for the application's life in its lifespan.

    Returns:
        An async generator function with the parameters of the function given. In a request it
        raises what that function raises, FastAPI's `HTTPException` among others, and `TypeError` if
        the function returns something other than a session.

    Raises:
        TypeError: `session` is neither a session nor a function that returns one.

    Example:
        @session_dependency
        async def tenant_session(x_tenant: Annotated[str, Header()]) -> Session:
            return sessions[x_tenant]

        @app.get("/buckets")
        async def buckets(session: Annotated[Session, Depends(tenant_session)]) -> list[str]:
            async with session.client("s3") as s3: ...
    """
    check_given(session)
    if isinstance(session, Session):
        shared = session

        async def shared_session() -> AsyncGenerator[Session, None]:
            async with in_force(shared, enter):
                yield shared

        return shared_session

    factory = session

    @functools.wraps(factory, updated=())
    async def session_of_request(*args: Any, **kwargs: Any) -> AsyncGenerator[Session, None]:
        made = await ask(factory, *args, **kwargs)
        async with in_force(made, enter):
            yield made

    session_of_request.__signature__ = _signature(factory)  # type: ignore[attr-defined]
    return session_of_request


def _signature(function: Callable[..., object]) -> inspect.Signature:
    try:
        # Postponed annotations are evaluated here: older FastAPIs would look their names up in
        # this module, not in the function's.
        return inspect.signature(function, eval_str=True)
    except NameError:
        return inspect.signature(function)

"""`SessionMiddleware`: each request of an ASGI application has its session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from asession.session import Session
from asession.web.asgi import ASGIApp, Receive, Scope, Send
from asession.web.lifespan import run_lifespan
from asession.web.request import ask, check_given, in_force

SessionFactory: TypeAlias = Callable[[Scope], Session | Awaitable[Session]]


class SessionMiddleware:
    """Puts a session in force for each HTTP request and WebSocket of an ASGI application.

    `asession.client(...)` and `asession.current_session()` then mean the request's session: in
    endpoints, sync ones too, in the tasks and threads that they start, in response bodies that are
    streamed, and in background tasks that run before the application is done with the request. A
    session made current in the application's own lifespan is not seen by requests, because servers
    run these in other tasks.

    Lives as long as the application. A session that is given as such is entered when the
    application starts, and left when it shuts down; clients that it opened with
    ``await session.client(...)`` are then closed. A session that cannot be entered, for example
    because its profile does not exist, fails the startup. Sessions from a factory belong to the
    factory: they are put in force and no more, so that a request that calls no AWS service costs
    nothing, and clients open alone with ``async with asession.client(...)``. A `SessionCache` keeps
    their connections for the next request.

    Args:
        app: The application.
        session: The session of all requests, or a function, sync or async, that takes the ASGI
            scope of a request and returns its session. A sync one runs on the event loop, so it
            must not block; making a `Session` does not.
        enter: Whether each request also enters its session, from before the application is called
            until it returns. ``await asession.client(...)`` then works with a factory too, and with
            servers that run no lifespan; such clients are closed once the last request that has
            the session is done. Costs two file lookups in a worker thread and setting the session
            up, unless it is entered already.

    Raises:
        TypeError: `session` is neither a session nor a function; in a request: the function
            returned something else. What the function raises, the server answers with status 500.

    Example:
        app = Starlette(routes=routes)
        app.add_middleware(SessionMiddleware, session=Session(profile_name="dev"))
    """

    def __init__(
        self, app: ASGIApp, *, session: Session | SessionFactory, enter: bool = False
    ) -> None:
        check_given(session)
        self._app = app
        self._session = session
        self._enter = enter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope, as ASGI servers ask."""
        given = self._session
        if scope["type"] in ("http", "websocket"):
            session = given if isinstance(given, Session) else await ask(given, scope)
            async with in_force(session, self._enter):
                await self._app(scope, receive, send)
        elif scope["type"] == "lifespan" and isinstance(given, Session):
            await run_lifespan(self._app, given, scope, receive, send)
        else:
            await self._app(scope, receive, send)

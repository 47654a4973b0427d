"""Starlette and FastAPI under uvicorn: each request signs with its own session."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from typing import Annotated, Any

import anyio
import pytest
from fastapi import Depends, FastAPI, Header, HTTPException
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import asession
from asession import Session
from asession.web import SessionMiddleware, session_dependency
from asession.web.asgi import ASGIApp, Scope
from servers.recorder import Recorder
from web.frameworks import PIECES, Notes, fastapi_app, starlette_app
from web.serving import Talk, serving
from web.tenants import Meeting, access_key_of, session_of, tenant_in

TENANTS = [f"t{number}" for number in range(10)]
EACH = 12  # concurrent requests of each tenant

Sessions = dict[str, Session]
Make = Callable[[Sessions, Meeting, Notes], ASGIApp]


def starlette_with_middleware(sessions: Sessions, meeting: Meeting, notes: Notes) -> ASGIApp:
    app = starlette_app(meeting, notes)
    app.add_middleware(SessionMiddleware, session=lambda scope: sessions[tenant_in(scope)])
    return app


def fastapi_with_middleware(sessions: Sessions, meeting: Meeting, notes: Notes) -> ASGIApp:
    async def session_for(scope: Scope) -> Session:
        await anyio.sleep(0)
        return sessions[tenant_in(scope)]

    app = fastapi_app(meeting, notes)
    app.add_middleware(SessionMiddleware, session=session_for, enter=True)
    return app


def fastapi_with_dependency(sessions: Sessions, meeting: Meeting, notes: Notes) -> ASGIApp:
    @session_dependency
    async def tenant_session(x_tenant: Annotated[str, Header()]) -> Session:
        await anyio.sleep(0)
        return sessions[x_tenant]

    return fastapi_app(meeting, notes, dependencies=[Depends(tenant_session)])


def starlette_with_a_child_task_between(
    sessions: Sessions, meeting: Meeting, notes: Notes
) -> ASGIApp:
    async def dispatch(request: Request, call_next: Any) -> Any:
        return await call_next(request)  # runs what is inside in a task of its own

    between = Middleware(BaseHTTPMiddleware, dispatch=dispatch)
    ours = Middleware(SessionMiddleware, session=lambda scope: sessions[tenant_in(scope)])
    return starlette_app(meeting, notes, middleware=[between, ours, between])


ALL: list[Make] = [
    starlette_with_middleware,
    fastapi_with_middleware,
    fastapi_with_dependency,
    starlette_with_a_child_task_between,
]
every_way = pytest.mark.parametrize("make", ALL)


@pytest.fixture
def sessions(recorder: Recorder) -> Sessions:
    return {tenant: session_of(tenant, recorder.url) for tenant in TENANTS}


@pytest.mark.parametrize("make", [ALL[0], ALL[2]])
def test_tenants_served_at_once_do_not_see_each_other(
    make: Make, sessions: Sessions, recorder: Recorder
) -> None:
    tenants = TENANTS * EACH
    app = make(sessions, Meeting(len(tenants)), Notes())
    with serving(app) as server:
        answers = server.get_all([("/meet", {"x-tenant": tenant}) for tenant in tenants])
    assert [answer.text for answer in answers] == [access_key_of(tenant) for tenant in tenants]
    signed = Counter(request.access_key for request in recorder.requests)
    assert signed == {access_key_of(tenant): EACH for tenant in TENANTS}


@every_way
def test_every_kind_of_answer_is_signed_by_its_tenant(make: Make, sessions: Sessions) -> None:
    notes = Notes()
    with serving(make(sessions, Meeting(1), notes)) as server:
        for tenant in ("t1", "t2"):
            key = access_key_of(tenant)
            assert server.get("/signer", x_tenant=tenant).text == key
            assert server.get("/sync", x_tenant=tenant).text == key
            assert server.get("/stream", x_tenant=tenant).text == f"{key};" * PIECES
            assert server.get("/sync_stream", x_tenant=tenant).text == f"{key};" * PIECES
            assert server.get("/background", x_tenant=tenant).text == "later"
    assert notes.signers == [access_key_of("t1"), access_key_of("t2")]


@every_way
def test_two_open_websockets_have_a_session_each(make: Make, sessions: Sessions) -> None:
    with (
        serving(make(sessions, Meeting(1), Notes())) as server,
        Talk(server.port, "/socket", x_tenant="t1") as one,
        Talk(server.port, "/socket", x_tenant="t2") as two,
    ):
        for _ in range(2):
            assert one.ask("who?") == access_key_of("t1")
            assert two.ask("who?") == access_key_of("t2")


@pytest.mark.parametrize("framework", [Starlette, FastAPI])
def test_a_client_made_at_startup_serves_requests_until_shutdown(
    framework: Any, recorder: Recorder
) -> None:
    session = session_of("a", recorder.url)
    clients = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
        assert asession.current_session() is session
        clients.append(await asession.client("s3"))
        yield {"s3": clients[0]}
        await clients[0].list_buckets()

    async def owner(request: Request) -> PlainTextResponse:
        buckets = await request.state.s3.list_buckets()
        return PlainTextResponse(buckets["Owner"]["ID"])

    app = framework(lifespan=lifespan, routes=[Route("/", owner)])
    app.add_middleware(SessionMiddleware, session=session)
    with serving(app) as server:
        assert [server.get("/").text for _ in "ab"] == [access_key_of("a")] * 2
        assert recorder.connections_open >= 1
    assert len(recorder.requests) == 3
    assert recorder.all_closed(within=10)


colour: ContextVar[str] = ContextVar("colour", default="none")


@pytest.mark.parametrize(("middleware", "seen"), [(False, False), (True, True)])
def test_a_session_current_in_the_lifespan_is_not_seen_by_requests(
    middleware: bool, seen: bool
) -> None:
    session = Session()

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        colour.set("red")
        async with session:
            yield

    async def look(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{colour.get()} {asession.current_session() is session}")

    app = Starlette(lifespan=lifespan, routes=[Route("/", look)])
    if middleware:
        app.add_middleware(SessionMiddleware, session=session)
    with serving(app) as server:
        assert server.get("/").text == f"none {seen}"


@pytest.mark.parametrize("make", ALL[:2])
def test_the_error_of_a_factory_is_answered_with_500_and_logged(
    make: Make, sessions: Sessions
) -> None:
    with serving(make(sessions, Meeting(1), Notes()), may_complain=True) as server:
        assert server.get("/signer", x_tenant="nobody").status_code == 500
        assert "KeyError('nobody')" in server.complaints[0]
        assert server.get("/signer", x_tenant="t1").text == access_key_of("t1")


def test_a_dependency_may_answer_itself(sessions: Sessions) -> None:
    @session_dependency
    def tenant_session(x_tenant: Annotated[str, Header()]) -> Session:
        if x_tenant not in sessions:
            raise HTTPException(403, "unknown tenant")
        return sessions[x_tenant]

    app = fastapi_app(Meeting(1), Notes(), dependencies=[Depends(tenant_session)])
    with serving(app) as server:
        assert server.get("/signer", x_tenant="nobody").status_code == 403
        assert server.get("/signer").status_code == 422
        assert server.get("/signer", x_tenant="t1").text == access_key_of("t1")


def test_a_server_does_not_start_with_a_session_that_cannot_be_entered() -> None:
    app = starlette_app(Meeting(1), Notes())
    app.add_middleware(SessionMiddleware, session=Session(profile_name="nope"))
    with serving(app, may_complain=True) as server:
        pass
    assert "The profile 'nope'" in server.complaints[0]
    assert server.complaints[-1] == "Application startup failed. Exiting."

"""The middleware puts a session in force for each request, on both event loops."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import anyio
import anyio.to_thread
import pytest

import asession
from asession import Session
from asession.exceptions import ClientClosedError, SessionNotEnteredError
from asession.web import SessionMiddleware
from asession.web.asgi import Message, Receive, Scope, Send
from servers.recorder import Recorder
from web.driver import answer, get, ignore, nothing_to_receive, scope_of
from web.tenants import access_key_of, session_of, tell_who_signs, tenant_in, who_signs

pytestmark = pytest.mark.anyio


class Seen:
    """An application that notes the session that is current in each call of it."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.sessions.append(asession.current_session())


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_a_shared_session_is_current_in_a_request_and_not_afterwards(kind: str) -> None:
    seen, session = Seen(), Session()
    before = asession.current_session()
    await SessionMiddleware(seen, session=session)(scope_of(kind), nothing_to_receive, ignore)
    assert seen.sessions == [session]
    assert asession.current_session() is before


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("enter", [False, True])
@pytest.mark.parametrize("awaited", [False, True])
async def test_a_factory_is_given_the_scope_of_each_request(
    kind: str, enter: bool, awaited: bool
) -> None:
    sessions = {"a": Session(), "b": Session()}

    def factory(scope: Scope) -> Session:
        return sessions[tenant_in(scope)]

    async def slow_factory(scope: Scope) -> Session:
        await anyio.sleep(0)
        return factory(scope)

    seen = Seen()
    app = SessionMiddleware(seen, session=slow_factory if awaited else factory, enter=enter)
    for tenant in "aba":
        await app(scope_of(kind, x_tenant=tenant), nothing_to_receive, ignore)
    assert seen.sessions == [sessions["a"], sessions["b"], sessions["a"]]


async def test_concurrent_requests_of_tenants_sign_with_their_own_keys(recorder: Recorder) -> None:
    tenants = [f"t{number}" for number in range(5)] * 4
    everybody_is_here, arrived = anyio.Event(), 0
    answers: list[tuple[str, str]] = []

    async def gather_then_sign(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal arrived
        arrived += 1
        if arrived == len(tenants):
            everybody_is_here.set()
        await everybody_is_here.wait()
        await answer(send, await who_signs())

    app = SessionMiddleware(
        gather_then_sign, session=lambda scope: session_of(tenant_in(scope), recorder.url)
    )

    async def ask(tenant: str) -> None:
        answers.append((tenant, await get(app, x_tenant=tenant)))

    async with anyio.create_task_group() as tasks:
        for tenant in tenants:
            tasks.start_soon(ask, tenant)
    assert sorted(answers) == sorted((tenant, access_key_of(tenant)) for tenant in tenants)
    signed = sorted(str(request.access_key) for request in recorder.requests)
    assert signed == sorted(map(access_key_of, tenants))


async def test_tasks_and_threads_of_a_request_have_its_session() -> None:
    session, seen = Session(), Seen()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(seen, scope, receive, send)
        seen.sessions.append(await anyio.to_thread.run_sync(asession.current_session))

    await SessionMiddleware(app, session=session)(scope_of(), nothing_to_receive, ignore)
    assert seen.sessions == [session, session]


async def test_a_session_of_a_factory_is_not_entered_unless_asked_for(recorder: Recorder) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        s3 = await asession.client("s3")
        await answer(send, (await s3.list_buckets())["Owner"]["ID"])

    def factory(scope: Scope) -> Session:
        return session_of("a", recorder.url)

    with pytest.raises(SessionNotEnteredError):
        await get(SessionMiddleware(app, session=factory))
    assert await get(SessionMiddleware(app, session=factory, enter=True)) == access_key_of("a")
    # A server that runs no lifespan, or an application mounted in another.
    shared = SessionMiddleware(app, session=session_of("b", recorder.url), enter=True)
    assert await get(shared) == access_key_of("b")


async def test_a_request_without_aws_looks_at_no_file_unless_it_enters(file_watch: Any) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, "fine")

    looks = []
    for enter in (False, True):
        with file_watch:
            await get(SessionMiddleware(app, session=lambda scope: Session(), enter=enter))
        looks.append(any(".aws" in event.path for event in file_watch.events))
    assert looks == [False, True]


async def test_an_entered_session_is_left_after_the_last_piece_of_the_body(
    recorder: Recorder,
) -> None:
    clients: list[Any] = []
    pieces: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        clients.append(await asession.client("s3"))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(3):
            owner = (await clients[0].list_buckets())["Owner"]["ID"]
            body = f"{owner} {await who_signs()};".encode()
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        await clients[0].list_buckets()  # as a background task does

    async def send(message: Message) -> None:
        await anyio.sleep(0)
        pieces.append(message.get("body", b""))

    session = session_of("a", recorder.url)
    key = access_key_of("a").encode()
    middleware = SessionMiddleware(app, session=lambda scope: session, enter=True)
    await middleware(scope_of(), nothing_to_receive, send)
    assert b"".join(pieces) == (key + b" " + key + b";") * 3
    assert len(recorder.requests) == 7
    with pytest.raises(ClientClosedError):
        await clients[0].list_buckets()


async def test_a_cancelled_request_leaves_its_session(recorder: Recorder) -> None:
    session = session_of("a", recorder.url)
    streaming = anyio.Event()
    clients: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        clients.append(await asession.client("s3"))
        await clients[0].list_buckets()
        streaming.set()
        await anyio.sleep_forever()

    middleware = SessionMiddleware(app, session=session, enter=True)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(middleware, scope_of(), nothing_to_receive, ignore)
        await streaming.wait()
        tasks.cancel_scope.cancel()
    with pytest.raises(ClientClosedError):
        await clients[0].list_buckets()
    with pytest.raises(SessionNotEnteredError):
        await session.client("s3")
    assert asession.current_session() is not session


async def test_a_cancelled_factory_ends_the_request() -> None:
    asked, seen = anyio.Event(), Seen()

    async def factory(scope: Scope) -> Session:
        asked.set()
        await anyio.sleep_forever()
        raise AssertionError("unreachable")

    async with anyio.create_task_group() as tasks:
        middleware = SessionMiddleware(seen, session=factory)
        tasks.start_soon(middleware, scope_of(), nothing_to_receive, ignore)
        await asked.wait()
        tasks.cancel_scope.cancel()
    assert seen.sessions == []


async def test_the_error_of_a_factory_is_the_servers_and_the_application_is_not_called() -> None:
    def factory(scope: Scope) -> Session:
        raise LookupError(f"no tenant {tenant_in(scope)}")

    seen = Seen()
    with pytest.raises(LookupError, match="no tenant x"):
        await get(SessionMiddleware(seen, session=factory), x_tenant="x")
    assert seen.sessions == []


@pytest.mark.parametrize(("made", "name"), [(None, "NoneType"), ("dev", "str"), (Session, "type")])
@pytest.mark.parametrize("awaited", [False, True])
async def test_a_factory_that_returns_no_session_is_told_so(
    made: Any, name: str, awaited: bool
) -> None:
    def tenant_session(scope: Scope) -> Any:
        return made

    async def slow_tenant_session(scope: Scope) -> Any:
        return made

    seen = Seen()
    factory = slow_tenant_session if awaited else tenant_session
    with pytest.raises(TypeError, match=f"tenant_session returned {name}, not a Session"):
        await get(SessionMiddleware(seen, session=factory))
    assert seen.sessions == []


def _generator(scope: Scope) -> Any:
    yield Session()


async def _async_generator(scope: Scope) -> Any:
    yield Session()


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (None, "give a Session or a function that returns one, not NoneType"),
        ("dev", "give a Session or a function that returns one, not str"),
        (Session, r"give a session, Session\(\.\.\.\), not the class"),
        (_generator, "_generator is a generator function"),
        (_async_generator, "_async_generator is a generator function"),
    ],
)
async def test_what_is_no_session_and_no_function_is_refused_at_once(
    given: Any, complaint: str
) -> None:
    with pytest.raises(TypeError, match=complaint):
        SessionMiddleware(Seen(), session=given)


@pytest.mark.parametrize("shared", [False, True])
async def test_scopes_of_other_types_pass_through(shared: bool) -> None:
    seen = Seen()

    def factory(scope: Scope) -> Session:
        raise AssertionError("there is no request")

    before = asession.current_session()
    middleware = SessionMiddleware(seen, session=Session() if shared else factory)
    await middleware({"type": "something.new"}, nothing_to_receive, ignore)
    assert seen.sessions == [before]


async def test_the_innermost_of_two_middlewares_wins() -> None:
    inner, outer, seen = Session(), Session(), Seen()
    app = SessionMiddleware(SessionMiddleware(seen, session=inner), session=outer)
    await app(scope_of(), nothing_to_receive, ignore)
    assert seen.sessions == [inner]


async def test_a_request_of_a_shared_session_signs_with_it(recorder: Recorder) -> None:
    app = SessionMiddleware(tell_who_signs, session=session_of("a", recorder.url))
    assert await get(app) == access_key_of("a")


def test_no_framework_is_needed() -> None:
    script = (
        "import sys; sys.modules.update(dict.fromkeys(('starlette', 'fastapi'), None)); "
        "import asession.web as web; web.SessionMiddleware; web.session_dependency; print('fine')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr


def test_importing_it_imports_no_framework() -> None:
    script = (
        "import sys, asession.web; print([name for name in "
        "('starlette', 'fastapi', 'aiobotocore', 'boto3', 'trio') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"

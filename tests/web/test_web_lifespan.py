"""A session given to the middleware is entered from startup to shutdown, on both event loops."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import anyio
import pytest

import asession
from asession import Session
from asession.exceptions import ClientClosedError, ProfileNotFoundError, SessionNotEnteredError
from asession.web import SessionMiddleware
from asession.web.asgi import ASGIApp, Message, Receive, Scope, Send
from servers.recorder import Recorder
from web.driver import answer, speak_lifespan, started, talk
from web.tenants import access_key_of, session_of

pytestmark = pytest.mark.anyio

STARTUP, SHUTDOWN = "lifespan.startup", "lifespan.shutdown"


async def owner_of(s3: Any) -> str:
    return str((await s3.list_buckets())["Owner"]["ID"])


class App:
    """Opens a client when it starts, uses it in requests and when it shuts down."""

    def __init__(self) -> None:
        self.s3: Any = None
        self.current: list[Session] = []
        self.owners: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await answer(send, f"{await owner_of(self.s3)} {asession.current_session()!r}")
            return
        await receive()
        self.current.append(asession.current_session())
        self.s3 = await asession.client("s3")
        await send({"type": f"{STARTUP}.complete"})
        await receive()
        self.owners.append(await owner_of(self.s3))
        await send({"type": f"{SHUTDOWN}.complete"})


async def silent(scope: Scope, receive: Receive, send: Send) -> None:
    """Knows requests alone, and ignores everything else."""
    if scope["type"] == "http":
        await answer(send, await owner_of(await asession.client("s3")))


async def strict(scope: Scope, receive: Receive, send: Send) -> None:
    """Knows requests alone, and says so."""
    if scope["type"] != "http":
        raise ValueError(f"cannot handle {scope['type']}")
    await silent(scope, receive, send)


async def test_a_shared_session_is_entered_from_startup_to_shutdown(recorder: Recorder) -> None:
    app, session = App(), session_of("a", recorder.url)
    async with started(SessionMiddleware(app, session=session)) as served:
        body = await served.request()
        # Made in a request, closed at shutdown.
        later = await session.client("s3")
        assert await owner_of(later) == access_key_of("a")
    assert body == f"{access_key_of('a')} {session!r}"
    assert app.current == [session]
    assert app.owners == [access_key_of("a")]
    assert [message["type"] for message in served.told] == [
        f"{STARTUP}.complete",
        f"{SHUTDOWN}.complete",
    ]
    for client in (app.s3, later):
        with pytest.raises(ClientClosedError):
            await client.list_buckets()
    with pytest.raises(SessionNotEnteredError):
        await session.client("s3")


async def test_the_session_is_left_before_the_server_hears_that_all_is_done(
    recorder: Recorder,
) -> None:
    app, session = App(), session_of("a", recorder.url)
    refused: list[bool] = []
    words = iter([STARTUP, SHUTDOWN])

    async def receive() -> Message:
        return {"type": next(words)}

    async def send(message: Message) -> None:
        # A server may end the loop right after the last message.
        try:
            await app.s3.list_buckets()
            refused.append(False)
        except ClientClosedError:
            refused.append(True)

    await SessionMiddleware(app, session=session)({"type": "lifespan"}, receive, send)
    assert refused == [False, True]


async def test_an_application_that_listens_for_ever_is_left_all_the_same() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            word = (await receive())["type"]
            await send({"type": f"{word}.complete"})

    session = Session()
    told = anyio.Event()
    words = iter([STARTUP, SHUTDOWN])

    async def receive() -> Message:
        for word in words:
            return {"type": word}
        await anyio.sleep_forever()
        raise AssertionError("unreachable")

    async def send(message: Message) -> None:
        if message["type"] == f"{SHUTDOWN}.complete":
            told.set()

    async with anyio.create_task_group() as tasks:
        middleware = SessionMiddleware(app, session=session)
        tasks.start_soon(middleware, {"type": "lifespan"}, receive, send)
        with anyio.fail_after(5):
            await told.wait()
        with pytest.raises(SessionNotEnteredError):
            await session.client("s3")
        tasks.cancel_scope.cancel()


async def test_a_session_that_cannot_be_entered_fails_the_startup() -> None:
    called = False

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal called
        called = True

    told: list[Message] = []
    heard: list[str] = []

    async def receive() -> Message:
        heard.append(STARTUP)
        return {"type": STARTUP}

    async def send(message: Message) -> None:
        told.append(message)

    middleware = SessionMiddleware(app, session=Session(profile_name="nope"))
    with pytest.raises(ProfileNotFoundError):
        await middleware({"type": "lifespan"}, receive, send)
    assert not called
    assert heard == [STARTUP]
    assert [message["type"] for message in told] == [f"{STARTUP}.failed"]
    assert "ProfileNotFoundError: The profile 'nope'" in told[0]["message"]


async def test_a_startup_that_the_application_fails_leaves_the_session() -> None:
    session = Session()
    refused: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": f"{STARTUP}.failed", "message": "no database"})

    async def receive() -> Message:
        return {"type": STARTUP}

    async def send(message: Message) -> None:
        with pytest.raises(SessionNotEnteredError):
            await session.client("s3")
        refused.append(message["message"])

    await SessionMiddleware(app, session=session)({"type": "lifespan"}, receive, send)
    assert refused == ["no database"]


@pytest.mark.parametrize("app", [silent, strict])
async def test_an_application_without_lifespan_has_an_entered_session_too(
    app: ASGIApp, recorder: Recorder
) -> None:
    session = session_of("a", recorder.url)
    async with started(SessionMiddleware(app, session=session)) as served:
        assert await served.request() == access_key_of("a")
    assert [message["type"] for message in served.told] == [
        f"{STARTUP}.complete",
        f"{SHUTDOWN}.complete",
    ]
    with pytest.raises(SessionNotEnteredError):
        await session.client("s3")


@pytest.mark.parametrize("words", [1, 2])
async def test_an_application_that_breaks_in_its_lifespan_raises_and_leaves(words: int) -> None:
    session = Session()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(words):
            await receive()
        raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        await talk(SessionMiddleware(app, session=session), STARTUP, SHUTDOWN)
    with pytest.raises(SessionNotEnteredError):
        await session.client("s3")


async def test_a_cancelled_lifespan_leaves_the_session(recorder: Recorder) -> None:
    app, session = App(), session_of("a", recorder.url)
    async with started(SessionMiddleware(app, session=session), shut_down=False) as served:
        assert (await served.request()).startswith(access_key_of("a"))
    assert [message["type"] for message in served.told] == [f"{STARTUP}.complete"]
    with pytest.raises(ClientClosedError):
        await app.s3.list_buckets()
    with pytest.raises(SessionNotEnteredError):
        await session.client("s3")


class Clinging(Session):
    """A session whose connections do not close in peace."""

    async def __aexit__(self, *error: Any) -> None:
        await super().__aexit__(*error)
        raise OSError("the line is dead")


async def test_a_session_that_cannot_be_left_in_peace_fails_the_shutdown() -> None:
    told: list[Message] = []
    words = iter([STARTUP, SHUTDOWN])

    async def receive() -> Message:
        return {"type": next(words)}

    async def send(message: Message) -> None:
        told.append(message)

    with pytest.raises(OSError, match="the line is dead"):
        await SessionMiddleware(speak_lifespan, session=Clinging())(
            {"type": "lifespan"}, receive, send
        )
    assert [message["type"] for message in told] == [f"{STARTUP}.complete", f"{SHUTDOWN}.failed"]
    assert "OSError: the line is dead" in told[1]["message"]


async def test_what_the_application_says_of_its_failed_shutdown_stays() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": f"{STARTUP}.complete"})
        await receive()
        await send({"type": f"{SHUTDOWN}.failed", "message": "unsaved work"})

    told: list[Message] = []
    words = iter([STARTUP, SHUTDOWN])

    async def receive() -> Message:
        return {"type": next(words)}

    async def send(message: Message) -> None:
        told.append(message)

    with pytest.raises(OSError, match="the line is dead"):
        await SessionMiddleware(app, session=Clinging())({"type": "lifespan"}, receive, send)
    assert told[-1] == {"type": f"{SHUTDOWN}.failed", "message": "unsaved work"}


async def test_with_a_factory_the_lifespan_passes_through() -> None:
    def factory(scope: Scope) -> Session:
        raise AssertionError("there is no request")

    told = await talk(SessionMiddleware(speak_lifespan, session=factory), STARTUP, SHUTDOWN)
    assert [message["type"] for message in told] == [f"{STARTUP}.complete", f"{SHUTDOWN}.complete"]
    with pytest.raises(ValueError, match="cannot handle lifespan"):
        await talk(SessionMiddleware(strict, session=factory), STARTUP)


async def test_the_application_may_share_state_with_its_requests() -> None:
    state: dict[str, Any] = {}
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["state"])
        await speak_lifespan(scope, receive, send)

    words = iter([STARTUP, SHUTDOWN])

    async def receive() -> Message:
        return {"type": next(words)}

    async def send(message: Message) -> None:
        pass

    scope = {"type": "lifespan", "state": state}
    await SessionMiddleware(app, session=Session())(scope, receive, send)
    assert seen[0] is state


colour: ContextVar[str] = ContextVar("colour", default="none")


async def test_what_a_lifespan_makes_current_is_not_seen_by_requests() -> None:
    session = Session()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            seen = asession.current_session() is session
            await answer(send, f"{colour.get()} {seen}")
            return
        colour.set("red")
        async with session:
            await speak_lifespan(scope, receive, send)

    async with started(app) as served:
        assert await served.request() == "none False"
    async with started(SessionMiddleware(app, session=session)) as served:
        assert await served.request() == "none True"

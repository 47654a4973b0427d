"""A cache keeps the connections of sessions between requests, and lets go of them in time."""

from __future__ import annotations

import gc
import logging
import weakref
from collections import Counter
from typing import Any

import anyio
import anyio.to_thread
import pytest

import asession
from asession import Session
from asession.exceptions import SessionNotEnteredError, WrongEventLoopError
from asession.web import SessionCache, SessionMiddleware
from asession.web.asgi import Receive, Scope, Send
from servers.recorder import Recorder
from web.driver import answer, get
from web.tenants import access_key_of, session_of, tell_who_signs, tenant_in, who_signs

pytestmark = pytest.mark.anyio


class Desk:
    """Makes the sessions of tenants and counts them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.made: Counter[str] = Counter()

    async def __call__(self, tenant: str) -> Session:
        self.made[tenant] += 1
        await anyio.sleep(0)
        return session_of(tenant, self.url)


@pytest.fixture
def desk(recorder: Recorder) -> Desk:
    return Desk(recorder.url)


async def sign(session: Session) -> str:
    with asession.use_session(session):
        return await who_signs()


async def closed_down_to(recorder: Recorder, count: int) -> bool:
    """Whether that many connections are open, or are soon."""
    with anyio.move_on_after(5):
        while recorder.connections_open != count:
            await anyio.sleep(0.01)
    return recorder.connections_open == count


async def test_requests_of_a_tenant_share_its_connection(recorder: Recorder, desk: Desk) -> None:
    cache = SessionCache(desk)
    app = SessionMiddleware(tell_who_signs, session=lambda scope: cache.get(tenant_in(scope)))
    async with cache:
        for tenant in "abab":
            assert await get(app, x_tenant=tenant) == access_key_of(tenant)
        assert recorder.connections_opened == 2
        assert desk.made == {"a": 1, "b": 1}
    assert await closed_down_to(recorder, 0)


async def test_without_a_cache_each_request_connects(recorder: Recorder) -> None:
    session = session_of("a", recorder.url)
    app = SessionMiddleware(tell_who_signs, session=lambda scope: session)
    for _ in range(3):
        await get(app)
    assert recorder.connections_opened == 3


async def test_who_asks_at_once_waits_for_one_session(desk: Desk) -> None:
    found: list[Session] = []

    async def ask() -> None:
        found.append(await cache.get("a"))

    async with SessionCache(desk) as cache, anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(ask)
    assert len(found) == 10
    assert len(set(map(id, found))) == 1
    assert desk.made == {"a": 1}


async def test_the_next_one_takes_over_when_who_makes_a_session_is_cancelled() -> None:
    asked, go_on = 0, anyio.Event()

    async def make(tenant: str) -> Session:
        nonlocal asked
        asked += 1
        await (anyio.sleep_forever() if asked == 1 else go_on.wait())
        return Session()

    found: list[Session] = []

    async def ask() -> None:
        found.append(await cache.get("a"))

    async with SessionCache(make) as cache, anyio.create_task_group() as tasks:
        with anyio.CancelScope() as first:

            async def cancel_soon() -> None:
                await anyio.wait_all_tasks_blocked()
                tasks.start_soon(ask)
                await anyio.wait_all_tasks_blocked()
                first.cancel()

            tasks.start_soon(cancel_soon)
            await cache.get("a")
        assert first.cancelled_caught
        go_on.set()
        await anyio.wait_all_tasks_blocked()
        assert found == [await cache.get("a")]
    assert asked == 2


async def test_the_least_recently_used_one_beyond_the_limit_is_given_up(
    recorder: Recorder, desk: Desk
) -> None:
    async with SessionCache(desk, limit=2) as cache:
        for tenant in ("a", "b", "a", "c", "a"):
            await sign(await cache.get(tenant))
        assert len(cache) == 2
        assert await closed_down_to(recorder, 2)
        assert desk.made == {"a": 1, "b": 1, "c": 1}
        await cache.get("b")
        assert desk.made["b"] == 2


async def test_the_limit_holds_for_many_at_once(recorder: Recorder, desk: Desk) -> None:
    async def request(tenant: str) -> None:
        assert await sign(await cache.get(tenant)) == access_key_of(tenant)
        assert len(cache) <= 3

    async with SessionCache(desk, limit=3) as cache:
        for _ in range(2):
            async with anyio.create_task_group() as tasks:
                for number in range(20):
                    tasks.start_soon(request, f"t{number}")
        assert len(cache) == 3
        assert await closed_down_to(recorder, 3)
    assert await closed_down_to(recorder, 0)


async def test_a_session_in_use_is_not_closed_when_it_is_given_up(
    recorder: Recorder, desk: Desk
) -> None:
    async with SessionCache(desk, limit=1) as cache:
        session = await cache.get("a")
        async with session.client("s3") as s3:
            await s3.list_buckets()
            await sign(await cache.get("b"))
            assert (await s3.list_buckets())["Owner"]["ID"] == access_key_of("a")
            assert recorder.connections_opened == 2
        assert await closed_down_to(recorder, 1)
        # Between two clients of one request, too.
        assert await sign(session) == access_key_of("a")
        assert await closed_down_to(recorder, 1)


async def test_leaving_the_cache_closes_nothing_that_is_in_use(
    recorder: Recorder, desk: Desk
) -> None:
    async with SessionCache(desk) as cache:
        session = await cache.get("a")
        client = session.client("s3")
        s3 = await client.__aenter__()
    await s3.list_buckets()
    await client.__aexit__(None, None, None)
    assert await closed_down_to(recorder, 0)


async def test_an_old_session_is_made_anew(recorder: Recorder, desk: Desk) -> None:
    async with SessionCache(desk, max_age=0.05) as cache:
        first = await cache.get("a")
        await sign(first)
        await cache.get("b")
        await anyio.sleep(0.06)
        assert await cache.get("a") is not first
        assert len(cache) == 1, "b has been let go, too"
        assert await closed_down_to(recorder, 0)


async def test_one_discarded_is_made_anew_and_others_stay(recorder: Recorder, desk: Desk) -> None:
    async with SessionCache(desk) as cache:
        for tenant in "ab":
            await sign(await cache.get(tenant))
        await cache.discard("a")
        await cache.discard("nobody")
        assert await closed_down_to(recorder, 1)
        for tenant in "ab":
            await cache.get(tenant)
        assert desk.made == {"a": 2, "b": 1}
        await cache.clear()
        assert len(cache) == 0


async def test_what_is_being_made_while_it_is_discarded_is_not_kept() -> None:
    looked_up, go_on = anyio.Event(), anyio.Event()
    role = "old"

    async def make(tenant: str) -> Session:
        found = role
        looked_up.set()
        await go_on.wait()
        return Session(profile_name=found)

    async with SessionCache(make) as cache, anyio.create_task_group() as tasks:
        tasks.start_soon(cache.get, "a")
        await looked_up.wait()
        role = "new"
        await cache.discard("a")
        tasks.start_soon(cache.get, "a")
        await anyio.wait_all_tasks_blocked()
        go_on.set()
        assert (await cache.get("a")).profile_name == "new"
        await anyio.wait_all_tasks_blocked()
        assert (await cache.get("a")).profile_name == "new"
        assert len(cache) == 1


async def test_what_the_function_raises_is_not_kept() -> None:
    known: set[str] = set()

    def make(tenant: str) -> Session:
        if tenant not in known:
            raise LookupError(tenant)
        return Session()

    async with SessionCache(make) as cache:
        for _ in range(2):
            with pytest.raises(LookupError, match="a"):
                await cache.get("a")
        assert len(cache) == 0
        known.add("a")
        assert isinstance(await cache.get("a"), Session)


async def test_no_session_is_an_error_not_the_identity_of_the_process() -> None:
    def make(tenant: str) -> Session:
        return None  # type: ignore[return-value]

    async with SessionCache(make) as cache:
        with pytest.raises(TypeError, match=r"make returned NoneType, not a Session"):
            await cache.get("a")


async def test_a_client_that_nobody_would_close_is_refused(recorder: Recorder, desk: Desk) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with pytest.raises(SessionNotEnteredError):
            await asession.client("s3")
        await answer(send, "refused")

    async with SessionCache(desk) as cache:
        assert await get(SessionMiddleware(app, session=lambda scope: cache.get("a"))) == "refused"


async def test_a_session_that_was_given_up_is_freed(desk: Desk) -> None:
    async with SessionCache(desk, limit=1) as cache:
        await sign(await cache.get("a"))
        gone = weakref.ref(await cache.get("a"))
        await sign(await cache.get("b"))
        await anyio.wait_all_tasks_blocked()
        gc.collect()
        assert gone() is None


async def test_a_cancelled_request_leaves_the_cache_as_it_was(
    recorder: Recorder, desk: Desk
) -> None:
    async with SessionCache(desk, limit=2) as cache:
        for tenant in "abcd":
            with anyio.CancelScope() as scope:
                scope.cancel()
                await sign(await cache.get(tenant))
            assert scope.cancelled_caught
        for tenant in "abcd":
            assert await sign(await cache.get(tenant)) == access_key_of(tenant)
        assert len(cache) == 2
    assert await closed_down_to(recorder, 0)


async def test_it_is_entered_once_and_may_be_entered_again(desk: Desk) -> None:
    cache = SessionCache(desk)
    with pytest.raises(RuntimeError, match="not entered: use `async with`"):
        await cache.get("a")
    for _ in range(2):
        async with cache:
            await cache.get("a")
            with pytest.raises(RuntimeError, match="entered already"):
                await cache.__aenter__()
    assert desk.made == {"a": 2}
    with pytest.raises(RuntimeError, match="not entered"):
        await cache.get("a")


async def test_it_belongs_to_the_loop_that_entered_it(desk: Desk) -> None:
    async with SessionCache(desk) as cache:
        with pytest.raises(WrongEventLoopError, match="this SessionCache was entered on <"):
            await anyio.to_thread.run_sync(anyio.run, cache.get, "a")


class Clinging:
    """A client that does not close in peace."""

    async def close(self) -> None:
        raise OSError("the line is dead")


async def test_trouble_with_closing_concerns_nobodys_request(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "asession.web")
    async with SessionCache(desk, limit=1) as cache:
        for tenant in "abc":
            [state] = (await cache.get(tenant))._live.here()
            state.own(Clinging(), lambda client, forget: None)
        assert caplog.text.count("the line is dead") == 2
    assert caplog.text.count("the line is dead") == 3
    assert access_key_of("a") not in caplog.text


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((Session(),), TypeError, "make must be a function from a key to its Session, not Session"),
        ((Session,), TypeError, "make must be a function"),
        (({},), TypeError, "make must be a function"),
    ],
)
def test_what_makes_no_sessions_is_refused(
    arguments: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        SessionCache(*arguments)


def test_sizes_and_ages_that_make_no_sense_are_refused(desk: Desk) -> None:
    with pytest.raises(ValueError, match="limit must be at least 1, not 0"):
        SessionCache(desk, limit=0)
    for age in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="max_age must be more than 0 seconds, not"):
            SessionCache(desk, max_age=age)


async def test_it_says_what_it_holds(desk: Desk) -> None:
    cache = SessionCache(desk, limit=7)
    assert repr(cache) == "<SessionCache: not entered>"
    async with cache:
        await cache.get("a")
        assert repr(cache) == "<SessionCache: 1 of 7>"

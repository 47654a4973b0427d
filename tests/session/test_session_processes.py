"""A session in other processes: spawned ones get its arguments, forked ones a copy of all."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from contextlib import AsyncExitStack
from typing import Any

import anyio
import anyio.to_thread
import pytest

import asession
from asession import Session
from asession._runtime.forks import ProcessLock
from asession.exceptions import WrongEventLoopError
from servers.recorder import Recorder
from session.conftest import Make
from session.workers import SECONDS, in_fork, report_signer, signer

BACKENDS = ("asyncio", "trio")
each_backend = pytest.mark.parametrize("backend", BACKENDS)
# The recorder has a thread; the children do nothing that needs it to be theirs.
forks = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


def in_spawned(session: Session, backend: str) -> str:
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=report_signer, args=(theirs, session, backend), daemon=True)
    process.start()
    theirs.close()
    with mine:
        assert mine.poll(SECONDS), "the spawned process does not answer"
        answer = mine.recv()
    process.join(10)
    return str(answer)


@each_backend
def test_a_spawned_process_uses_the_session_it_was_sent(make: Make, backend: str) -> None:
    session = make("AKIDSPAWN")
    assert signer(session, backend) == "AKIDSPAWN"  # resolved here, not there
    assert in_spawned(session, backend) == "AKIDSPAWN"


def test_a_spawned_process_resolves_by_itself(home: Any, aws: Recorder) -> None:
    home.write_config("[profile dev]\nregion = eu-west-1\n")
    keys = "[dev]\naws_access_key_id = {}\naws_secret_access_key = secret\n"
    home.write_credentials(keys.format("AKIDHERE"))
    session = Session(profile_name="dev", endpoint_url=aws.url)
    assert signer(session, "asyncio") == "AKIDHERE"
    home.write_credentials(keys.format("AKIDTHERE"))
    assert in_spawned(session, "trio") == "AKIDTHERE"


@pytest.mark.parametrize("backend", [pytest.param(b, marks=forks) for b in BACKENDS])
@pytest.mark.parametrize("before", [None, *BACKENDS])
def test_a_forked_process_uses_the_session(make: Make, backend: str, before: str | None) -> None:
    session = make("AKIDFORK")
    if before is not None:
        assert signer(session, before) == "AKIDFORK"
    assert in_fork(lambda: signer(session, backend)) == "AKIDFORK"
    assert signer(session, backend) == "AKIDFORK"


@pytest.mark.parametrize("backend", [pytest.param(b, marks=forks) for b in BACKENDS])
def test_a_forked_process_has_the_default_and_the_used_session(make: Make, backend: str) -> None:
    session = make("AKIDUSED")
    default = asession.current_session()

    def child() -> list[bool]:
        async def main() -> list[bool]:
            return [
                asession.current_session() is session,
                await anyio.to_thread.run_sync(asession.current_session) is session,
            ]

        return [asession.current_session() is session, *anyio.run(main, backend=backend)]

    with asession.use_session(session):
        assert in_fork(child) == [True, True, True]
    assert in_fork(lambda: asession.current_session() is default)


@pytest.mark.parametrize("backend", [pytest.param(b, marks=forks) for b in BACKENDS])
def test_locks_held_by_another_thread_do_not_stay_taken(make: Make, backend: str) -> None:
    session = make("AKIDLOCKS")
    signer(session, "asyncio")
    from asession import _default
    from asession._aws import catalogue
    from asession._profiles import load

    locks: list[ProcessLock] = [_default._lock, catalogue._lock, load._contents._lock]
    locks += [each._lock for _, each in catalogue._catalogues.values()]
    taken, release = threading.Event(), threading.Event()

    def hold() -> None:
        with Held(locks):
            taken.set()
            release.wait(SECONDS)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert taken.wait(10)

        def child() -> str:
            asession.setup_default_session("AKIDCHILD", "secret")
            asession.current_session()
            return signer(session, backend)

        assert in_fork(child) == "AKIDLOCKS"
    finally:
        release.set()
        thread.join(10)


class Held:
    """Holds several locks at once."""

    def __init__(self, locks: list[ProcessLock]) -> None:
        self._locks = locks

    def __enter__(self) -> None:
        for lock in self._locks:
            lock.__enter__()

    def __exit__(self, *_: object) -> None:
        for lock in reversed(self._locks):
            lock.__exit__(None, None, None)


@pytest.mark.parametrize("backend", [pytest.param(b, marks=forks) for b in BACKENDS])
@pytest.mark.parametrize("abroad", BACKENDS)
def test_a_client_of_the_parent_is_refused_in_a_fork(make: Make, backend: str, abroad: str) -> None:
    session = make("AKIDPARENT")
    kept: list[Any] = []

    async def keep() -> None:
        stack = AsyncExitStack()
        await stack.enter_async_context(session)
        kept.extend((stack, await session.client("s3"), await session.resource("s3")))

    anyio.run(keep, backend=backend)

    def child() -> str:
        async def main() -> str:
            with anyio.fail_after(SECONDS / 2):
                _stack, client, resource = kept
                for use in (
                    client.list_buckets,
                    client.get_waiter("bucket_exists").wait,
                    resource.Bucket("bucket").create,
                ):
                    with pytest.raises(WrongEventLoopError, match="fork"):
                        await (use(Bucket="b") if use.__name__ == "wait" else use())
                await client.close()  # the connections are the parent's
                await _stack.aclose()
                return "refused"

        answer: str = anyio.run(main, backend=abroad)
        signer(session, abroad)
        return answer

    assert in_fork(child) == "refused"
    assert signer(session, backend) == "AKIDPARENT"


@pytest.mark.parametrize("backend", [pytest.param(b, marks=forks) for b in BACKENDS])
def test_a_client_is_refused_in_a_fork_made_inside_its_own_loop(make: Make, backend: str) -> None:
    """The child wakes up inside the parent's coroutine, on what looks like the client's loop."""
    session = make("AKIDINSIDE")

    async def main() -> Any:
        async with session:
            client = await session.client("s3")

            def child() -> str:
                call = client.list_buckets()
                try:
                    call.send(None)
                except WrongEventLoopError:
                    return "refused"
                return "went through"

            answer = in_fork(child)
            assert (await client.list_buckets())["Owner"]["ID"] == "AKIDINSIDE"
            return answer

    assert anyio.run(main, backend=backend) == "refused"


@pytest.mark.parametrize("backend", [pytest.param(b, marks=forks) for b in BACKENDS])
def test_a_fork_of_a_fork_and_many_forks_of_one_parent(make: Make, backend: str) -> None:
    session = make("AKIDDEEP")
    signer(session, backend)
    assert in_fork(lambda: in_fork(lambda: signer(session, backend))) == "AKIDDEEP"
    assert [in_fork(lambda: signer(session, backend)) for _ in range(3)] == ["AKIDDEEP"] * 3


if sys.platform != "win32":

    @pytest.mark.parametrize("method", [pytest.param("fork", marks=forks), "forkserver"])
    def test_multiprocessings_other_methods(make: Make, method: str) -> None:
        context: Any = multiprocessing.get_context(method)
        session = make("AKIDMETHOD")
        signer(session, "asyncio")
        mine, theirs = context.Pipe(duplex=False)
        process = context.Process(target=report_signer, args=(theirs, session, "asyncio"))
        process.start()
        theirs.close()
        with mine:
            assert mine.poll(SECONDS)
            assert mine.recv() == "AKIDMETHOD"
        process.join(10)

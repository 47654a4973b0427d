"""One session on many event loops: each has its own live state, and nothing crosses over."""

from __future__ import annotations

import contextlib
import gc
import random
import threading
import weakref
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import anyio.to_thread
import pytest

import asession
from asession import Credentials
from asession.exceptions import SessionNotEnteredError, WrongEventLoopError
from servers.recorder import Recorder
from session.bad_http import HttpLog
from session.conftest import Make
from session.workers import signer

BACKENDS = ("asyncio", "trio")
each_backend = pytest.mark.parametrize("backend", BACKENDS)
each_pair = pytest.mark.parametrize(
    ("home", "abroad"), [(home, abroad) for home in BACKENDS for abroad in BACKENDS]
)


def run(main: Callable[[], Coroutine[Any, Any, Any]], backend: str) -> Any:
    async def bounded() -> Any:
        with anyio.fail_after(30):
            return await main()

    return anyio.run(bounded, backend=backend)


async def uses(client: Any) -> list[Callable[[], Coroutine[Any, Any, Any]]]:
    """Every way to use an S3 client or resource that does I/O."""
    if hasattr(client.meta, "client"):

        async def iterate() -> None:
            async for _ in client.buckets.all():
                pass

        return [iterate, client.Bucket("bucket").create, client.Bucket("bucket").load]

    async def paginate() -> None:
        async for _ in client.get_paginator("list_objects_v2").paginate(Bucket="bucket"):
            pass

    async def wait() -> None:
        await client.get_waiter("bucket_exists").wait(Bucket="bucket")

    async def presign() -> None:
        await client.generate_presigned_url("list_buckets")

    async def presign_post() -> None:
        await client.generate_presigned_post("bucket", "key")

    return [client.list_buckets, paginate, wait, presign, presign_post]


async def assert_refused(client: Any, ways: slice = slice(None)) -> None:
    for use in (await uses(client))[ways]:
        with anyio.fail_after(5), pytest.raises(WrongEventLoopError, match="this s3 client"):
            await use()


def test_one_session_works_on_eight_loops_at_once(make: Make, aws: Recorder) -> None:
    session = make("AKIDSHARED")
    barrier = threading.Barrier(8)
    keys: list[str] = []
    errors: list[BaseException] = []

    async def main() -> None:
        barrier.wait(30)
        for _ in range(3):
            async with session:
                owned = await session.client("s3")

                async def use(owned: Any = owned) -> None:
                    keys.append((await owned.list_buckets())["Owner"]["ID"])
                    async with session.client("s3") as lent:
                        await anyio.sleep(random.random() / 100)
                        keys.append((await lent.list_buckets())["Owner"]["ID"])

                async with anyio.create_task_group() as tasks:
                    for _ in range(3):
                        tasks.start_soon(use)
            with pytest.raises(SessionNotEnteredError):
                await session.client("s3")

    def work(backend: str) -> None:
        try:
            run(main, backend)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(BACKENDS[n % 2],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert keys == ["AKIDSHARED"] * (8 * 3 * 3 * 2)
    assert len(aws.requests) == len(keys)


def test_the_default_session_works_on_many_loops_at_once(aws: Recorder) -> None:
    asession.setup_default_session("AKIDDEFAULT", "secret", region_name="eu-west-1")
    keys: list[str] = []

    async def main() -> None:
        async with asession.client("s3", endpoint_url=aws.url) as client:
            keys.append((await client.list_buckets())["Owner"]["ID"])

    threads = [threading.Thread(target=run, args=(main, BACKENDS[n % 2])) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    asession.setup_default_session()
    assert keys == ["AKIDDEFAULT"] * 6


@each_pair
def test_an_entry_on_one_loop_does_not_count_on_another(make: Make, home: str, abroad: str) -> None:
    session = make()

    async def inside() -> None:
        with pytest.raises(SessionNotEnteredError):
            await session.client("s3")
        # Leaving here what was entered there does nothing.
        await session.__aexit__(None, None, None)
        await session.aclose()

    async def main() -> None:
        async with session:
            client = await session.client("s3")
            await anyio.to_thread.run_sync(run, inside, abroad)
            await client.list_buckets()
            await session.client("s3")
            assert asession.current_session() is session

    run(main, home)


@each_pair
@pytest.mark.parametrize("kind", ["client", "resource"])
def test_a_client_used_in_another_threads_loop_is_refused(
    make: Make, home: str, abroad: str, kind: str
) -> None:
    session = make()

    async def main() -> None:
        async with session:
            client = await getattr(session, kind)("s3")
            await anyio.to_thread.run_sync(run, lambda: assert_refused(client, slice(3)), abroad)
            for use in (await uses(client))[:1]:
                await use()

    run(main, home)


@each_pair
def test_a_client_used_on_a_later_loop_is_refused(make: Make, home: str, abroad: str) -> None:
    session = make()
    kept: list[Any] = []

    async def keep() -> None:
        stack = AsyncExitStack()
        await stack.enter_async_context(session)
        kept.append(stack)
        kept.append(await session.client("s3"))

    run(keep, home)
    stack, client = kept

    async def later() -> None:
        await assert_refused(client, slice(3))
        with anyio.fail_after(5), pytest.raises(WrongEventLoopError):
            await client.close()
        with anyio.fail_after(5):
            await stack.aclose()
        assert signer_key == "AKIDEXAMPLE"

    signer_key = signer(session, abroad)
    run(later, abroad)


@each_backend
def test_presigning_on_another_loop_is_refused(make: Make, backend: str) -> None:
    session = make()

    async def main() -> None:
        async with session.client("s3") as client:
            await anyio.to_thread.run_sync(
                run, lambda: assert_refused(client, slice(3, 5)), backend
            )

    run(main, "asyncio")


@each_backend
def test_credentials_refreshed_on_another_loop_never_hang(backend: str) -> None:
    loading, go_on = threading.Event(), threading.Event()

    class Vault:
        slow = False

        async def load(self) -> Credentials:
            if Vault.slow:
                Vault.slow = False
                loading.set()
                await anyio.to_thread.run_sync(go_on.wait, 20)
            soon = datetime.now(UTC) + timedelta(seconds=0.5)
            return Credentials("AKIDVAULT", "secret", expires_at=soon)

    outcomes: list[object] = []

    async def main() -> None:
        async with asession.Session(credentials=Vault()) as session:
            handle = await session.get_credentials()
            assert handle is not None

            async def refresh() -> None:
                with contextlib.suppress(Exception):
                    await handle.get_frozen_credentials()

            async def abroad() -> None:
                try:
                    with anyio.fail_after(3):
                        outcomes.append((await handle.get_frozen_credentials()).access_key)
                except Exception as error:
                    outcomes.append(type(error))

            Vault.slow = True
            await anyio.sleep(0.5)  # the next use loads them again
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(refresh)
                assert await anyio.to_thread.run_sync(loading.wait, 10)
                await anyio.to_thread.run_sync(run, abroad, backend)
                go_on.set()

    run(main, backend)
    assert outcomes in ([WrongEventLoopError], ["AKIDVAULT"])


@each_backend
def test_what_a_loop_left_open_is_forgotten_with_it(make: Make, backend: str) -> None:
    session = make()

    async def open_and_forget() -> weakref.ref[Any]:
        stack = AsyncExitStack()
        await stack.enter_async_context(session)
        return weakref.ref(await session.client("sqs"))

    refs = [run(open_and_forget, backend) for _ in range(3)]
    gc.collect()
    assert [ref() for ref in refs] == [None, None, None]


@each_backend
def test_a_block_that_its_loop_never_closed_is_collected_quietly(make: Make, backend: str) -> None:
    async def open_and_forget() -> None:
        await make().client("sqs").__aenter__()

    gc.freeze()
    run(open_and_forget, backend)
    gc.collect()  # errors of finalizers fail the test
    gc.unfreeze()


@each_pair
def test_loops_one_after_the_other(make: Make, home: str, abroad: str) -> None:
    session = make()
    for backend in (home, abroad, home):
        assert signer(session, backend) == "AKIDEXAMPLE"


@each_backend
def test_each_loop_has_http_sessions_of_its_own(make: Make, backend: str) -> None:
    logs = [HttpLog(backend) for _ in range(2)]

    async def main(log: HttpLog) -> None:
        async with make(config=log.config) as session:
            await session.client("sqs")
            await anyio.sleep(0.05)
        assert log.left_open == 0

    threads = [
        threading.Thread(target=run, args=(lambda log=log: main(log), backend)) for log in logs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [len(log.closed) for log in logs] == [1, 1]


def test_a_live_method_outside_any_loop_says_so(make: Make) -> None:
    call = make().resolve()
    with pytest.raises(RuntimeError, match="no event loop runs"):
        call.send(None)

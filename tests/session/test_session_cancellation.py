"""Cancelled at any suspension, a session leaves nothing open and serves the others."""

from __future__ import annotations

import asyncio
import gc
import os
import warnings
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
import pytest

import asession
from asession import Session
from asession._profiles import load
from asession._runtime.files import read_file
from asession.exceptions import SessionNotEnteredError
from servers.recorder import Recorder
from session.bad_http import HttpLog
from session.cancelling import How, cancelled_at
from session.conftest import Make

pytestmark = pytest.mark.anyio

MANY = 400


@pytest.fixture(params=["scope", "native"])
def how(request: pytest.FixtureRequest, anyio_backend_name: str) -> How:
    if request.param == "native" and anyio_backend_name == "trio":
        pytest.skip("trio knows cancel scopes only")
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def no_resource_left() -> Iterator[None]:
    """Fails if something was collected that should have been closed."""
    gc.freeze()  # what others left is not this test's
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
        gc.collect()
    gc.unfreeze()
    assert [str(item.message) for item in caught if item.category is ResourceWarning] == []


def profile_files(home: Any) -> None:
    home.write_config("[default]\nregion = eu-west-1\n")
    home.write_credentials("[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = s\n")


def forget_files() -> None:
    """Have the files read again, not taken from the process's cache."""
    load._contents._values.clear()
    load._pairs._values.clear()


async def assert_left(session: Session) -> None:
    with pytest.raises(SessionNotEnteredError):
        await session.client("s3")
    assert asession.current_session() is not session
    assert session._live.here() == []


async def at_every_step(
    how: How, call: Callable[[], Any], after: Callable[[], Awaitable[None]]
) -> int:
    """Cancel a call at each of its suspensions in turn; returns how many it has."""
    for step in range(1, MANY):
        with anyio.fail_after(30):
            reached = await cancelled_at(step, call, how)
        await after()
        if not reached:
            return step - 1
    raise AssertionError("the call never ends")


@pytest.mark.usefixtures("no_resource_left")
async def test_entering_cancelled_anywhere_leaves_the_session_as_it_was(
    home: Any, aws: Recorder, how: How
) -> None:
    profile_files(home)
    session = Session(endpoint_url=aws.url)

    async def enter() -> None:
        forget_files()
        async with session:
            assert asession.current_session() is session

    async def after() -> None:
        await assert_left(session)

    assert await at_every_step(how, enter, after) > 3
    async with session:
        client = await session.client("s3")
        assert (await client.list_buckets())["Owner"]["ID"] == "AKIDFILE"


@pytest.mark.usefixtures("no_resource_left")
async def test_resolving_cancelled_anywhere_can_be_done_again(home: Any, how: How) -> None:
    profile_files(home)

    async def resolve() -> None:
        forget_files()
        await Session().resolve()

    async def after() -> None:
        session = await Session().resolve()
        assert session.region_name == "eu-west-1"

    assert await at_every_step(how, resolve, after) > 3


@pytest.mark.usefixtures("no_resource_left")
async def test_an_awaited_client_cancelled_anywhere_is_closed_or_the_sessions(
    make: Make, how: How, anyio_backend_name: str
) -> None:
    log = HttpLog(anyio_backend_name)
    session = make(config=log.config)
    async with session:

        async def order() -> None:
            await session.client("sqs")

        async def after() -> None:
            client = await session.client("sqs")
            await client.close()

        await at_every_step(how, order, after)
    assert log.left_open == 0
    await assert_left(session)


@pytest.mark.usefixtures("no_resource_left")
@pytest.mark.parametrize("entered", [True, False])
async def test_a_block_cancelled_anywhere_closes_its_client(
    make: Make, how: How, anyio_backend_name: str, entered: bool
) -> None:
    log = HttpLog(anyio_backend_name)
    session = make(config=log.config)

    async def block() -> None:
        async with session.client("s3") as client:
            await client.list_buckets()

    async def after() -> None:
        assert log.left_open == 0
        if not entered:
            await assert_left(session)

    if entered:
        async with session:
            assert await at_every_step(how, block, after) > 1
            assert not session._live.entered()._clients  # type: ignore[union-attr]
    else:
        assert await at_every_step(how, block, after) > 1
    await assert_left(session)


@pytest.mark.usefixtures("no_resource_left")
async def test_leaving_cancelled_anywhere_closes_every_client(
    make: Make, how: How, anyio_backend_name: str
) -> None:
    async def slowly(_name: str) -> None:
        for _ in range(2):
            await anyio.sleep(0)

    for step in range(1, MANY):
        log = HttpLog(anyio_backend_name, slowly)
        session = make(config=log.config)
        await session.__aenter__()
        for name in "abc":
            log.name(await session.client("sqs"), name)
        leave = partial(session.__aexit__, None, None, None)
        reached = await cancelled_at(step, leave, how)
        assert log.closed == ["c", "b", "a"], f"cancelled at suspension {step}"
        await assert_left(session)
        if not reached:
            break
    assert step > 6


@pytest.mark.parametrize("times", [2, 3])
async def test_leaving_cancelled_again_and_again_closes_every_client(
    make: Make, anyio_backend_name: str, times: int
) -> None:
    if anyio_backend_name == "trio":
        pytest.skip("on trio a shield holds")

    async def slowly(_name: str) -> None:
        for _ in range(3):
            await anyio.sleep(0)

    log = HttpLog(anyio_backend_name, slowly)
    session = make(config=log.config)
    await session.__aenter__()
    for name in "abc":
        log.name(await session.client("sqs"), name)
    leaving = asyncio.create_task(session.__aexit__(None, None, None))
    for _ in range(times):
        await asyncio.sleep(0)
        leaving.cancel()
    await asyncio.wait([leaving])
    assert leaving.cancelled()
    assert log.closed == ["c", "b", "a"]


@pytest.mark.usefixtures("no_resource_left")
async def test_aclose_cancelled_anywhere_closes_every_client(
    make: Make, how: How, anyio_backend_name: str
) -> None:
    async def slowly(_name: str) -> None:
        await anyio.sleep(0)

    for step in range(1, MANY):
        log = HttpLog(anyio_backend_name, slowly)
        session = make(config=log.config)
        async with session:
            for name in "abc":
                log.name(await session.client("sqs"), name)
            reached = await cancelled_at(step, session.aclose, how)
            assert log.closed == ["c", "b", "a"], f"cancelled at suspension {step}"
        if not reached:
            break
    assert step > 3


@pytest.mark.usefixtures("no_resource_left")
async def test_a_client_whose_close_was_cancelled_is_still_closed_at_the_end(
    make: Make, how: How, anyio_backend_name: str
) -> None:
    waits: list[str] = []

    async def slowly(name: str) -> None:
        waits.append(name)
        if len(waits) == 1:
            await anyio.sleep(0.01)

    log = HttpLog(anyio_backend_name, slowly)
    session = make(config=log.config)
    async with session:
        client = log.name(await session.client("s3"), "a")
        await client.list_buckets()  # a connection to close
        assert await cancelled_at(1, client.close, how)
    assert log.left_open == 0


@pytest.mark.usefixtures("no_resource_left")
async def test_tasks_that_enter_together_are_served_when_the_first_is_cancelled(
    home: Any, aws: Recorder, how: How
) -> None:
    profile_files(home)
    signed: list[str] = []

    for step in range(1, MANY):
        session = Session(endpoint_url=aws.url)
        signed.clear()

        async def enter(session: Session = session) -> None:
            async with session:
                pass

        async def other(session: Session = session) -> None:
            async with session:
                client = await session.client("s3")
                signed.append((await client.list_buckets())["Owner"]["ID"])

        forget_files()
        reached = False

        async def first(step: int = step) -> None:
            nonlocal reached
            reached = await cancelled_at(step, enter, how)

        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(first)
                await anyio.sleep(0)
                for _ in range(3):
                    tasks.start_soon(other)
        assert signed == ["AKIDFILE"] * 3
        await assert_left(session)
        if not reached:
            break
    assert step > 3


async def test_a_cancelled_request_leaves_its_client_usable(make: Make, how: How) -> None:
    async with make() as session:
        client = await session.client("s3")

        async def request() -> None:
            await client.list_buckets()

        async def after() -> None:
            assert (await client.list_buckets())["Owner"]["ID"] == "AKIDEXAMPLE"

        assert await at_every_step(how, request, after) >= 1


@pytest.mark.usefixtures("no_resource_left")
async def test_a_file_whose_opening_was_cancelled_is_closed(home: Any, how: How) -> None:
    path = str(home.path / "pipe")
    os.mkfifo(path)  # opening it waits for a writer

    async def read() -> None:
        await read_file(path)

    def write() -> None:
        with open(path, "wb") as pipe:
            pipe.write(b"text")

    for step in (1, 2, 3):
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:

                async def cancelled(step: int = step) -> None:
                    await cancelled_at(step, read, how)

                tasks.start_soon(cancelled)
                await anyio.sleep(0.1)
                reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # lets a writer go on alone
                await anyio.to_thread.run_sync(write)
                os.close(reader)
        await anyio.sleep(0.1)

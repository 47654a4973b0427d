"""A session's life: un-entered, entered, left, entered again, closed by somebody else."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import anyio
import pytest

import asession
from asession import Session
from asession.exceptions import (
    ClientClosedError,
    ProfileNotFoundError,
    SessionNotEnteredError,
    SessionNotResolvedError,
)
from servers.recorder import Recorder
from session.bad_http import HttpLog
from session.conftest import Make

pytestmark = pytest.mark.anyio

CONFIG = "[profile dev]\nregion = {}\n"
CREDENTIALS = "[dev]\naws_access_key_id = {}\naws_secret_access_key = secret\n"


async def signer(client: Any) -> str:
    return str((await client.list_buckets())["Owner"]["ID"])


async def test_an_unentered_session_opens_a_client_for_a_block(make: Make, aws: Recorder) -> None:
    session = make("AKIDALONE")
    async with session.client("s3") as client:
        assert await signer(client) == "AKIDALONE"
        # The block does not enter the session.
        assert asession.current_session() is not session
        with pytest.raises(SessionNotEnteredError):
            await session.client("s3")
    async with session.resource("s3") as s3:
        assert [bucket async for bucket in s3.buckets.all()] == []


@pytest.mark.parametrize("kind", ["client", "resource"])
async def test_awaiting_in_an_unentered_session_says_what_to_do(make: Make, kind: str) -> None:
    with pytest.raises(SessionNotEnteredError, match="async with") as caught:
        await getattr(make(), kind)("s3")
    assert (caught.value.service_name, caught.value.kind) == ("s3", kind)


async def test_values_are_known_after_resolving(home: Any) -> None:
    home.write_config("[default]\nregion = eu-north-1\n" + CONFIG.format("eu-south-2"))
    home.write_credentials(CREDENTIALS.format("AKIDDEV"))
    session = Session(profile_name="dev")
    assert session.profile_name == "dev"
    for name in ("region_name", "available_profiles"):
        with pytest.raises(SessionNotResolvedError) as caught:
            getattr(session, name)
        assert "async with" in str(caught.value)
        assert "resolve()" in str(caught.value)
        assert caught.value.attribute == name
    assert await session.resolve() is session
    assert (session.region_name, session.available_profiles) == ("eu-south-2", ["default", "dev"])
    assert asession.current_session() is not session
    # The list is a copy.
    session.available_profiles.clear()
    assert session.available_profiles == ["default", "dev"]


async def test_without_any_profile_the_name_is_default() -> None:
    session = Session()
    with pytest.raises(SessionNotResolvedError):
        _ = session.profile_name
    async with session:
        assert (session.profile_name, session.region_name) == ("default", None)
        assert session.available_profiles == []


async def test_resolving_waits_for_an_entry_that_is_under_way(home: Any) -> None:
    home.write_config("[default]\nregion = eu-north-1\n")
    for _ in range(5):
        session = Session()
        async with anyio.create_task_group() as tasks:

            async def enter(session: Session = session) -> None:
                async with session:
                    await anyio.sleep(0)

            tasks.start_soon(enter)
            await anyio.sleep(0)
            await session.resolve()
            assert session.region_name == "eu-north-1"


async def test_a_session_is_entered_again_after_leaving(make: Make) -> None:
    session = make()
    clients = []
    for _ in range(3):
        async with session:
            clients.append(await session.client("s3"))
            assert await signer(clients[-1]) == "AKIDEXAMPLE"
        for client in clients:
            with pytest.raises(ClientClosedError):
                await client.list_buckets()


async def test_each_first_entry_reads_what_has_changed(home: Any, aws: Recorder) -> None:
    home.write_config(CONFIG.format("eu-north-1"))
    home.write_credentials(CREDENTIALS.format("AKIDFIRST"))
    session = Session(profile_name="dev", endpoint_url=aws.url)
    async with session, session.client("s3") as client:
        assert (await signer(client), session.region_name) == ("AKIDFIRST", "eu-north-1")
        home.write_config(CONFIG.format("eu-south-1"))
        home.write_credentials(CREDENTIALS.format("AKIDSECOND"))
        async with session:  # not a first entry
            assert session.region_name == "eu-north-1"
            assert await signer(await session.client("s3")) == "AKIDFIRST"
    assert session.region_name == "eu-north-1"
    async with session:
        assert session.region_name == "eu-south-1"
        assert await signer(await session.client("s3")) == "AKIDSECOND"
    home.write_credentials("")
    home.write_config("")
    with pytest.raises(ProfileNotFoundError):
        async with session:
            raise AssertionError("unreachable")
    home.write_credentials(CREDENTIALS.format("AKIDTHIRD"))
    async with session.client("s3", "eu-west-1") as client:
        assert await signer(client) == "AKIDTHIRD"


async def test_an_entry_is_first_although_a_block_is_open(home: Any, aws: Recorder) -> None:
    home.write_config(CONFIG.format("eu-north-1"))
    home.write_credentials(CREDENTIALS.format("AKIDFIRST"))
    session = Session(profile_name="dev", endpoint_url=aws.url)
    async with session.client("s3") as client:
        home.write_credentials(CREDENTIALS.format("AKIDSECOND"))
        async with session:
            assert await signer(await session.client("s3")) == "AKIDSECOND"
        assert await signer(client) == "AKIDFIRST"


async def test_aclose_closes_what_another_task_entered(make: Make) -> None:
    session = make()
    entered, closed = anyio.Event(), anyio.Event()

    async def visit() -> None:
        async with session:
            client = await session.client("s3")
            entered.set()
            await closed.wait()
            with pytest.raises(ClientClosedError):
                await client.list_buckets()
        assert asession.current_session() is not session

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(visit)
        await entered.wait()
        await session.aclose()
        with pytest.raises(SessionNotEnteredError):
            await session.client("s3")
        closed.set()


async def test_aclose_of_a_session_with_nothing_open_does_nothing(make: Make) -> None:
    session = make()
    await session.aclose()
    await session.resolve()
    await session.aclose()
    async with session:
        await session.client("s3")


async def test_leaving_after_aclose_does_not_touch_a_later_entry(make: Make) -> None:
    session = make()
    closed, entered_again, left = anyio.Event(), anyio.Event(), anyio.Event()

    async def first() -> None:
        async with session:
            await session.client("s3")
            await session.aclose()
            closed.set()
            await entered_again.wait()
        left.set()

    async def second() -> None:
        await closed.wait()
        async with session:
            client = await session.client("s3")
            entered_again.set()
            await left.wait()
            assert asession.current_session() is session
            assert await signer(client) == "AKIDEXAMPLE"
            assert await signer(await session.client("s3")) == "AKIDEXAMPLE"

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first)
        tasks.start_soon(second)


async def test_a_foreign_exit_after_aclose_does_not_touch_a_later_entry(make: Make) -> None:
    session = make()
    stack = AsyncExitStack()
    await stack.enter_async_context(session)
    await session.aclose()
    entered, left = anyio.Event(), anyio.Event()

    async def second() -> None:
        async with session:
            client = await session.client("s3")
            entered.set()
            await left.wait()
            assert await signer(client) == "AKIDEXAMPLE"
            await session.client("s3")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(second)
        await entered.wait()
        async with anyio.create_task_group() as others:
            others.start_soon(stack.aclose)  # in a child of the opener
        left.set()


async def test_aclose_closes_blocks_opened_before_the_session_was_entered(
    make: Make, anyio_backend_name: str
) -> None:
    log = HttpLog(anyio_backend_name)
    session = make(config=log.config)
    async with session.client("s3") as client:
        log.name(client, "before")
        async with session:
            await session.aclose()
            assert log.closed == ["before"]
            with pytest.raises(ClientClosedError):
                await client.list_buckets()


async def test_aclose_closes_blocks_that_outlived_the_last_entry(
    make: Make, anyio_backend_name: str
) -> None:
    log = HttpLog(anyio_backend_name)
    session = make(config=log.config)
    stack = AsyncExitStack()
    async with session:
        log.name(await stack.enter_async_context(session.client("s3")), "block")
    assert log.closed == []
    await session.aclose()
    assert log.closed == ["block"]
    await stack.aclose()
    assert log.left_open == 0


async def test_a_client_ordered_while_the_session_is_left_is_not_lost(
    make: Make, anyio_backend_name: str
) -> None:
    log = HttpLog(anyio_backend_name)
    session = make(config=log.config)
    outcomes: list[object] = []

    async def order() -> None:
        try:
            outcomes.append(await session.client("ec2"))  # its model takes a while
        except SessionNotEnteredError as error:
            outcomes.append(error)

    async with anyio.create_task_group() as tasks:
        async with session:
            for _ in range(3):
                tasks.start_soon(order)
            await anyio.sleep(0)
            await anyio.sleep(0)
    assert len(outcomes) == 3
    assert log.left_open == 0


async def test_tasks_that_enter_in_vain_together_all_hear_why_and_can_try_again(
    home: Any, aws: Recorder
) -> None:
    session = Session(profile_name="dev", endpoint_url=aws.url)
    errors: list[Exception] = []

    async def enter() -> None:
        try:
            async with session:
                raise AssertionError("unreachable")
        except ProfileNotFoundError as error:
            errors.append(error)
        assert asession.current_session() is not session

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(enter)
    assert len(errors) == 20
    home.write_config(CONFIG.format("eu-west-1"))
    home.write_credentials(CREDENTIALS.format("AKIDLATE"))
    async with session:
        assert await signer(await session.client("s3")) == "AKIDLATE"

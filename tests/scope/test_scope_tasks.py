"""Which session is current: nested scopes, child tasks, worker threads, several entries."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest

import asession
from asession import Session
from asession.exceptions import ClientClosedError, SessionNotEnteredError

pytestmark = pytest.mark.anyio


def make(name: str = "eu-west-1") -> Session:
    return Session("AKIDEXAMPLE", "secret", region_name=name)


async def test_nothing_current_means_the_default_session() -> None:
    default = asession.current_session()
    assert asession.current_session() is default
    async with make() as session:
        assert asession.current_session() is session
    assert asession.current_session() is default


async def test_nested_sessions_are_current_one_after_the_other() -> None:
    default = asession.current_session()
    async with make() as outer:
        async with make() as inner:
            assert asession.current_session() is inner
            async with outer:
                assert asession.current_session() is outer
            assert asession.current_session() is inner
        assert asession.current_session() is outer
    assert asession.current_session() is default


async def test_a_body_that_raises_restores_the_outer_session() -> None:
    async with make() as outer:
        with pytest.raises(ZeroDivisionError):
            async with make():
                _ = 1 / 0
        assert asession.current_session() is outer


async def test_an_entry_that_fails_leaves_nothing_current() -> None:
    async with make() as outer:
        with pytest.raises(asession.exceptions.ProfileNotFoundError):
            async with Session(profile_name="nope"):
                raise AssertionError("unreachable")
        assert asession.current_session() is outer


async def test_child_tasks_inherit_and_siblings_do_not_see_each_other() -> None:
    seen: dict[str, list[Session]] = {}

    async def child(name: str, session: Session) -> None:
        seen[name] = [asession.current_session()]
        async with session:
            for _ in range(5):
                await anyio.sleep(0)
                seen[name].append(asession.current_session())
        seen[name].append(asession.current_session())

    own = {f"child-{number}": make() for number in range(10)}
    async with make() as outer:
        async with anyio.create_task_group() as tasks:
            for name, session in own.items():
                tasks.start_soon(child, name, session)
        assert asession.current_session() is outer
    for name, session in own.items():
        assert seen[name] == [outer, *[session] * 5, outer]


async def test_what_a_child_enters_is_not_seen_by_its_parent() -> None:
    entered, leave = anyio.Event(), anyio.Event()

    async def child() -> None:
        async with make():
            entered.set()
            await leave.wait()

    async with make() as outer, anyio.create_task_group() as tasks:
        tasks.start_soon(child)
        await entered.wait()
        assert asession.current_session() is outer
        leave.set()


async def test_worker_threads_inherit_and_keep_their_own_scopes() -> None:
    other = make()

    def in_worker() -> list[Session]:
        seen = [asession.current_session()]
        with asession.use_session(other):
            seen.append(asession.current_session())
            seen.append(anyio.from_thread.run_sync(asession.current_session))
        seen.append(asession.current_session())
        return seen

    async with make() as session:
        assert await anyio.to_thread.run_sync(in_worker) == [session, other, other, session]
        assert asession.current_session() is session


async def test_a_plain_thread_starts_without_a_current_session() -> None:
    seen: list[Session] = []
    default = asession.current_session()
    async with make():
        thread = threading.Thread(target=lambda: seen.append(asession.current_session()))
        thread.start()
        await anyio.to_thread.run_sync(thread.join)
    assert seen == [default]


async def test_one_session_entered_twice_closes_with_the_last_entry() -> None:
    session = make()
    async with session:
        first = await session.client("sqs")
        async with session:
            assert asession.current_session() is session
            second = await session.client("sts")
        assert asession.current_session() is session
        # Still entered once: both clients live, and more can be made.
        await second.generate_presigned_url("get_caller_identity")
        await session.client("sqs")
    for client, operation in ((first, "list_queues"), (second, "get_caller_identity")):
        with pytest.raises(ClientClosedError):
            await client.generate_presigned_url(operation)
    with pytest.raises(SessionNotEnteredError):
        await session.client("sqs")


@pytest.mark.parametrize("first_out", ["first", "last"])
async def test_one_session_entered_by_many_tasks_closes_with_the_last_of_them(
    first_out: str,
) -> None:
    session = make()
    default = asession.current_session()
    inside: list[int] = []
    doors = [anyio.Event() for _ in range(10)]
    left: list[Session] = []
    clients: list[Any] = []
    all_in = anyio.Event()

    async def visit(number: int) -> None:
        async with session:
            clients.append(await session.client("sqs"))
            inside.append(number)
            if len(inside) == len(doors):
                all_in.set()
            await doors[number].wait()
            assert asession.current_session() is session
            for client in clients:
                await client.generate_presigned_url("list_queues")
        left.append(asession.current_session())

    async with anyio.create_task_group() as tasks:
        for number in range(len(doors)):
            tasks.start_soon(visit, number)
        await all_in.wait()
        assert asession.current_session() is default
        for door in doors if first_out == "first" else reversed(doors):
            door.set()
            await anyio.wait_all_tasks_blocked()
    assert left == [default] * len(doors)
    for client in clients:
        with pytest.raises(ClientClosedError):
            await client.generate_presigned_url("list_queues")


async def test_module_level_calls_use_the_session_current_when_they_are_made() -> None:
    async with make("eu-north-1"):
        opening = asession.client("sqs")
    async with make("us-east-1"), opening as client:
        assert client.meta.region_name == "eu-north-1"


@pytest.mark.parametrize("call", [asession.client, asession.resource])
async def test_module_level_clients_and_resources_belong_to_the_current_session(call: Any) -> None:
    async with make("eu-north-1"):
        owned = await call("sqs")
        async with make("eu-south-1"), call("sqs") as lent:
            assert region(lent) == "eu-south-1"
        assert region(owned) == "eu-north-1"
        with pytest.raises(ClientClosedError):
            await client_of(lent).generate_presigned_url("list_queues")
        await client_of(owned).generate_presigned_url("list_queues")


async def test_keyword_arguments_reach_the_sessions_client() -> None:
    async with make("eu-north-1"), asession.client("sqs", "eu-west-3") as client:
        assert client.meta.region_name == "eu-west-3"
    with pytest.raises(TypeError):
        partial(asession.client, "sqs", nonsense=1)()


def client_of(it: Any) -> Any:
    return it.meta.client if hasattr(it.meta, "client") else it


def region(it: Any) -> str:
    return str(client_of(it).meta.region_name)

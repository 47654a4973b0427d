"""Scopes that are left in another task, out of order, by the garbage collector, or too early."""

from __future__ import annotations

import contextlib
import contextvars
import gc
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any

import anyio
import anyio.to_thread
import pytest

import asession
from asession import Session
from asession.exceptions import ClientClosedError, SessionNotEnteredError

pytestmark = [
    pytest.mark.anyio,
    # trio says so about every abandoned generator, which is the point here.
    pytest.mark.filterwarnings("ignore:Async generator:ResourceWarning"),
]


def make(name: str = "eu-west-1") -> Session:
    return Session("AKIDEXAMPLE", "secret", region_name=name)


async def in_child(function: Any) -> Any:
    """What an async function returns in a child task."""
    results: list[Any] = []

    async def child() -> None:
        results.append(await function())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(child)
    return results[0]


async def current() -> Session:
    return asession.current_session()


async def test_left_in_a_child_task_the_opener_sees_its_parent() -> None:
    async with make() as outer:
        session = make()
        stack = AsyncExitStack()
        await stack.enter_async_context(session)
        client = await session.client("sqs")
        await in_child(stack.aclose)
        assert asession.current_session() is outer
        with pytest.raises(ClientClosedError):
            await client.generate_presigned_url("list_queues")


async def test_left_in_an_unrelated_task_the_opener_sees_its_parent() -> None:
    session = make()
    stack = AsyncExitStack()
    entered, leave, left = anyio.Event(), anyio.Event(), anyio.Event()

    async def unrelated() -> None:
        await entered.wait()
        await stack.aclose()
        left.set()

    default = asession.current_session()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(unrelated)
        await stack.enter_async_context(session)
        assert asession.current_session() is session
        entered.set()
        await left.wait()
        assert asession.current_session() is default
        leave.set()
    with pytest.raises(SessionNotEnteredError):
        await session.client("sqs")


async def test_opened_by_a_task_that_has_ended_and_left_by_another() -> None:
    default = asession.current_session()
    session, stack = make(), AsyncExitStack()
    await in_child(lambda: stack.enter_async_context(session))
    assert asession.current_session() is default
    client = await session.client("sqs")  # entered on this loop, by whomever
    await in_child(stack.aclose)
    with pytest.raises(ClientClosedError):
        await client.generate_presigned_url("list_queues")


async def test_what_the_opener_starts_after_a_foreign_exit_sees_what_the_opener_sees() -> None:
    async with make() as outer:
        stack = AsyncExitStack()
        await stack.enter_async_context(make())
        await in_child(stack.aclose)
        assert asession.current_session() is outer
        assert await in_child(current) is outer
        assert await anyio.to_thread.run_sync(asession.current_session) is outer


async def test_a_session_entered_after_a_foreign_exit_leads_back_to_the_parent() -> None:
    async with make() as outer:
        stack = AsyncExitStack()
        await stack.enter_async_context(make())
        await in_child(stack.aclose)
        async with make() as next_one:
            assert asession.current_session() is next_one
            assert await in_child(current) is next_one
        assert asession.current_session() is outer
        assert await in_child(current) is outer


async def test_left_out_of_order_each_scope_ends_on_its_own() -> None:
    default = asession.current_session()
    sessions = [make() for _ in range(4)]
    stacks = [AsyncExitStack() for _ in sessions]
    for stack, session in zip(stacks, sessions, strict=True):
        await stack.enter_async_context(session)
    clients = [await session.client("sqs") for session in sessions]
    expected = {1: sessions[3], 3: sessions[2], 0: sessions[2], 2: default}
    for left, now in expected.items():
        await stacks[left].aclose()
        assert asession.current_session() is now
        assert await in_child(current) is now
        with pytest.raises(ClientClosedError):
            await clients[left].generate_presigned_url("list_queues")
    for session in sessions:
        with pytest.raises(SessionNotEnteredError):
            await session.client("sqs")


async def scoped(session: Session, clients: list[Any]) -> AsyncGenerator[Session, None]:
    async with session:
        clients.append(await session.client("sqs"))
        yield asession.current_session()


async def collected(client: Any) -> None:
    """Return when the collector has closed the generator that has the client."""
    with anyio.fail_after(10):
        while True:
            gc.collect()
            try:
                await client.generate_presigned_url("list_queues")
            except ClientClosedError:
                return
            await anyio.sleep(0.01)


async def test_a_generator_closed_by_the_garbage_collector_ends_its_scope() -> None:
    async with make() as outer:
        session, clients = make(), []  # type: ignore[var-annotated]
        generator = scoped(session, clients)
        assert await anext(generator) is session
        assert asession.current_session() is session
        del generator
        await collected(clients[0])
        assert asession.current_session() is outer
        with pytest.raises(SessionNotEnteredError):
            await session.client("sqs")
    assert asession.current_session() is not outer


async def test_children_started_after_the_collector_ended_a_scope_do_not_see_it() -> None:
    async with make() as outer:
        clients: list[Any] = []
        generator = scoped(make(), clients)
        await anext(generator)
        del generator
        await collected(clients[0])
        assert asession.current_session() is outer
        assert await in_child(current) is outer


async def test_a_generator_abandoned_by_a_task_that_ended_does_not_end_another_tasks_scope() -> (
    None
):
    session = make()
    clients: list[Any] = []
    default = asession.current_session()

    async def abandon() -> None:
        async for _ in scoped(session, clients):
            break

    async with session:
        mine = await session.client("sqs")
        await in_child(abandon)
        for _ in range(5):
            gc.collect()
            await anyio.sleep(0.01)
        assert asession.current_session() is session
        await mine.generate_presigned_url("list_queues")
    assert asession.current_session() is default
    for client in (mine, *clients):
        with pytest.raises(ClientClosedError):
            await client.generate_presigned_url("list_queues")


async def test_a_living_tasks_abandoned_generator_does_not_end_another_tasks_scope() -> None:
    session = make()
    abandoned, done = anyio.Event(), anyio.Event()

    async def abandon() -> None:
        generator = scoped(session, [])
        await anext(generator)
        # In a cycle, so that the collector finds it while the other task runs.
        cycle: list[Any] = [generator]
        cycle.append(cycle)
        del generator, cycle
        abandoned.set()
        await done.wait()

    async with session, anyio.create_task_group() as tasks:
        tasks.start_soon(abandon)
        await abandoned.wait()
        for _ in range(5):
            gc.collect()
            await anyio.sleep(0.01)
        assert asession.current_session() is session
        done.set()


async def test_a_generator_closed_explicitly_in_another_task_ends_its_scope() -> None:
    default = asession.current_session()
    clients: list[Any] = []
    generator = scoped(make(), clients)
    await anext(generator)
    await in_child(generator.aclose)
    assert asession.current_session() is default
    with pytest.raises(ClientClosedError):
        await clients[0].generate_presigned_url("list_queues")


async def test_a_child_that_outlives_the_scope_keeps_its_session() -> None:
    session = make("eu-north-1")
    go_on = anyio.Event()
    seen: list[object] = []

    async def child() -> None:
        await go_on.wait()
        seen.append(asession.current_session())
        seen.append(await anyio.to_thread.run_sync(asession.current_session))
        seen.append(await in_child(current))
        async with asession.client("sqs") as client:
            seen.append(client.meta.region_name)
            await client.generate_presigned_url("list_queues")
        with pytest.raises(SessionNotEnteredError):
            await asession.client("sqs")
        async with make() as own:
            assert asession.current_session() is own
        seen.append(asession.current_session())

    default = asession.current_session()
    async with anyio.create_task_group() as tasks:
        async with session:
            tasks.start_soon(child)
            await anyio.sleep(0)
        assert asession.current_session() is default
        go_on.set()
    assert seen == [session, session, session, "eu-north-1", session]


async def test_a_child_keeps_its_session_after_the_opening_task_is_gone() -> None:
    session = make()
    go_on = anyio.Event()
    seen: list[Session] = []

    async def child() -> None:
        await go_on.wait()
        for _ in range(5):
            gc.collect()
            await anyio.sleep(0)
        seen.append(asession.current_session())
        # The opener's task object is collected by now: a thread has no task either.
        seen.append(await anyio.to_thread.run_sync(asession.current_session))

    async with anyio.create_task_group() as tasks:

        async def opener() -> None:
            async with session:
                tasks.start_soon(child)
                await anyio.sleep(0)

        await in_child(opener)
        go_on.set()
    assert seen == [session, session]


async def test_a_child_inside_a_block_keeps_its_client_when_the_scope_ends() -> None:
    session = make()
    opened, go_on = anyio.Event(), anyio.Event()

    async def child() -> None:
        async with session.client("sqs") as client:
            opened.set()
            await go_on.wait()
            await client.generate_presigned_url("list_queues")
        with pytest.raises(ClientClosedError):
            await client.generate_presigned_url("list_queues")

    async with anyio.create_task_group() as tasks:
        async with session:
            tasks.start_soon(child)
            await opened.wait()
        go_on.set()


async def test_leaving_twice_or_without_entering_is_harmless() -> None:
    session = make()
    await session.__aexit__(None, None, None)
    async with make() as outer:
        async with session:
            pass
        await session.__aexit__(None, None, None)
        assert asession.current_session() is outer
        with contextlib.suppress(Exception):
            await outer.client("sqs")
        assert asession.current_session() is outer


async def test_a_context_kept_from_inside_does_not_fall_through_to_the_default_session() -> None:
    async with make() as outer:
        async with make() as inner:
            context = contextvars.copy_context()
        assert asession.current_session() is outer
        assert context.run(asession.current_session) in (inner, outer)


async def test_a_child_that_keeps_its_session_gets_it_back_after_a_foreign_exit() -> None:
    session = make()
    go_on = anyio.Event()
    seen: list[Session] = []

    async def child() -> None:
        await go_on.wait()
        stack = AsyncExitStack()
        await stack.enter_async_context(make())
        await in_child(stack.aclose)
        seen.append(asession.current_session())

    async with make(), anyio.create_task_group() as tasks:
        async with session:
            tasks.start_soon(child)
            await anyio.sleep(0)
        go_on.set()
    assert seen == [session]

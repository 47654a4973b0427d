"""Scopes keep nothing alive: neither frames nor sessions nor what they had open."""

from __future__ import annotations

import gc
import time
import weakref
from contextlib import AsyncExitStack

import anyio
import pytest

import asession
from asession import Session
from asession._scope import Frame, current_frame

pytestmark = pytest.mark.anyio


def frames() -> int:
    for _ in range(3):
        gc.collect()
    return sum(isinstance(item, Frame) for item in gc.get_objects())


async def settle() -> None:
    for _ in range(5):
        await anyio.sleep(0)
        gc.collect()


async def test_a_chain_of_tasks_that_each_outlive_their_opener_keeps_no_frames() -> None:
    before = frames()
    sessions: list[weakref.ref[Session]] = []
    depth = 0

    async with anyio.create_task_group() as tasks:

        async def link(left: int) -> None:
            nonlocal depth
            session = Session("AKIDEXAMPLE", "secret")
            sessions.append(weakref.ref(session))
            if left == 0:
                # Seen from the end of the chain: how far does it reach back?
                frame = current_frame()
                while frame is not None:
                    depth += 1
                    frame = frame.parent
                return
            with asession.use_session(session):
                tasks.start_soon(link, left - 1)

        tasks.start_soon(link, 300)
    await settle()
    assert depth <= 2
    assert [ref for ref in sessions if ref() is not None] == []
    assert frames() <= before


async def test_a_chain_of_tasks_whose_scopes_are_left_elsewhere_keeps_no_frames() -> None:
    before = frames()
    depth = 0
    scopes: list[tuple[asession.use_session, anyio.Event]] = []

    async with anyio.create_task_group() as tasks:

        async def link(left: int) -> None:
            nonlocal depth
            if scopes:  # leave the scope of the one before, which has ended
                scopes.pop()[0].__exit__(None, None, None)
            if left == 0:
                frame = current_frame()
                while frame is not None:
                    depth += 1
                    frame = frame.parent
                return
            scope = asession.use_session(Session("AKIDEXAMPLE", "secret"))
            scope.__enter__()
            scopes.append((scope, anyio.Event()))
            tasks.start_soon(link, left - 1)

        tasks.start_soon(link, 300)
    await settle()
    assert depth <= 3
    assert frames() <= before


async def test_a_session_left_is_collected_with_what_it_had_open() -> None:
    async def visit() -> list[weakref.ref[object]]:
        async with Session("AKIDEXAMPLE", "secret", region_name="eu-west-1") as session:
            s3 = await session.client("s3")
            async with session.client("sqs") as sqs:
                pass
            return [weakref.ref(session), weakref.ref(s3), weakref.ref(sqs)]

    refs = await visit()
    await settle()
    assert [ref() for ref in refs] == [None, None, None]


async def test_entering_again_and_again_does_not_grow_the_session() -> None:
    session = Session("AKIDEXAMPLE", "secret", region_name="eu-west-1")
    async with session:
        pass
    before = frames()
    for _ in range(20):
        async with session, session:
            async with session.client("s3"):
                pass
    await settle()
    assert frames() <= before


async def test_foreign_exits_do_not_grow_the_openers_chain() -> None:
    session = Session("AKIDEXAMPLE", "secret", region_name="eu-west-1")
    before = frames()

    async def leave(stack: AsyncExitStack) -> None:
        await stack.aclose()

    for _ in range(20):
        stack = AsyncExitStack()
        await stack.enter_async_context(session)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(leave, stack)
    del stack
    asession.current_session()
    await settle()
    assert frames() <= before + 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_entry_that_was_never_left_goes_with_its_event_loop(backend: str) -> None:
    session = Session("AKIDEXAMPLE", "secret", region_name="eu-west-1")

    async def enter_and_forget() -> weakref.ref[object]:
        stack = AsyncExitStack()
        await stack.enter_async_context(session)
        client = await session.client("sqs")
        return weakref.ref(client)

    refs = [anyio.run(enter_and_forget, backend=backend) for _ in range(3)]
    deadline = time.monotonic() + 10
    while any(ref() for ref in refs) and time.monotonic() < deadline:
        gc.collect()  # a worker thread of that loop may still be ending
        time.sleep(0.01)
    assert [ref() for ref in refs] == [None, None, None]

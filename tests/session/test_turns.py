"""Many tasks that open clients at once do not hold the event loop up together."""

from __future__ import annotations

import itertools

import anyio
import pytest
from anyio.lowlevel import checkpoint

from asession import Session
from asession._runtime.turns import turn

pytestmark = pytest.mark.anyio


async def ticking(told: list[str], *, task_status: anyio.abc.TaskStatus[None]) -> None:
    """Tell of every cycle of the event loop."""
    task_status.started()
    while True:
        told.append("cycle")
        await checkpoint()


def crowded(told: list[str], what: str) -> int:
    """How often something happened twice with no cycle in between."""
    pairs = itertools.pairwise(told)
    return sum(pair == (what, what) for pair in pairs)


async def test_clients_of_many_tasks_are_made_in_cycles_of_their_own(home: object) -> None:
    told: list[str] = []

    def note(**_: object) -> None:
        told.append("made")

    async def open_one() -> None:
        session = Session("AKIAX", "s", region_name="us-east-1")
        session.events.register("creating-client-class.sqs", note)
        async with session, session.client("sqs"):
            await checkpoint()

    await Session(region_name="us-east-1").warm_up("sqs")
    async with anyio.create_task_group() as tasks:
        await tasks.start(ticking, told)
        async with anyio.create_task_group() as crowd:
            for _ in range(30):
                crowd.start_soon(open_one)
        tasks.cancel_scope.cancel()
    assert told.count("made") == 30
    assert crowded(told, "made") == 0


async def test_a_turn_that_is_cancelled_is_passed_on() -> None:
    taken: list[int] = []

    async def take(number: int) -> None:
        await turn()
        taken.append(number)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(take, 0)
        with anyio.move_on_after(0):
            await take(1)
        tasks.start_soon(take, 2)
    assert taken == [0, 2]


async def test_turns_are_taken_in_order() -> None:
    taken: list[int] = []

    async def take(number: int) -> None:
        await turn()
        taken.append(number)

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(take, number)
            await checkpoint()
    assert taken == list(range(20))

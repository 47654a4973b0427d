"""Many tasks, many writes, a table that refuses a third of them: nothing is lost or stale."""

from __future__ import annotations

import os
import random
from typing import Any

import anyio
import pytest

from asession.dynamodb import Backoff
from dynamodb.conftest import OpenTable, items_of
from servers.leftovers import Leftovers

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

TASKS = 50
WRITES = 10_000 if os.environ.get("ASESSION_SOAK") == "1" else 1_000
QUICK = Backoff(base=0.002, cap=0.05, attempts=30)


@pytest.mark.parametrize("keys", [WRITES, WRITES // 4], ids=["each-key-once", "keys-overlap"])
async def test_every_item_is_in_the_table_as_last_written(
    open_table: OpenTable, ministack_url: str, keys: int
) -> None:
    chance = random.Random(keys)
    order = [number % keys for number in range(WRITES)]
    chance.shuffle(order)
    last: dict[str, int] = {}
    with Leftovers(ministack_url, refused=0.3, throttled=0.3, delay=0.01) as leftovers:
        async with open_table(leftovers.url) as table:
            async with table.batch_writer(["id"], backoff=QUICK) as batch:

                async def write(task: int) -> None:
                    for number in range(task, WRITES, TASKS):
                        key = f"k{order[number]}"
                        if keys < WRITES and chance.random() < 0.1:
                            last.pop(key, None)
                            await batch.delete_item(Key={"id": key})
                        else:
                            last[key] = number
                            await batch.put_item(Item=item(key, number))

                async with anyio.create_task_group() as tasks:
                    for task in range(TASKS):
                        tasks.start_soon(write, task)
            assert batch.unwritten == ()
            found = await items_of(table)
    assert leftovers.left_out > len(last) * 0.2
    assert leftovers.throttles
    assert found == {key: item(key, number) for key, number in last.items()}


def item(key: str, number: int) -> dict[str, Any]:
    return {"id": key, "number": number, "text": f"text {number}", "tags": {f"t{number}"}}

"""Tables on a real server, reached directly or through one that leaves batches half done."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from asession import Config, Session
from servers.messages import RecordedRequest, Reply
from servers.recorder import Recorder

OpenTable = Callable[..., AbstractAsyncContextManager[Any]]

# botocore's own retries take seconds; what is tested here comes after them.
ONCE = Config(retries={"total_max_attempts": 1})


@asynccontextmanager
async def session_at(url: str, **more: Any) -> AsyncGenerator[Session]:
    """An entered session with explicit keys."""
    async with Session(
        "AKID", "secret", region_name="us-east-1", endpoint_url=url, config=ONCE, **more
    ) as session:
        yield session


async def new_table(dynamodb: Any, name: str, *, sort_key: bool = False) -> Any:
    """A table with the key `id`, a string, and maybe `line`, a number."""
    names = {"id": ("HASH", "S"), **({"line": ("RANGE", "N")} if sort_key else {})}
    table = await dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, (kind, _) in names.items()],
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": kind} for key, (_, kind) in names.items()
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    await table.wait_until_exists()
    return table


@pytest.fixture
def open_table(ministack_url: str, random_name: Callable[[], str]) -> OpenTable:
    """`async with open_table() as table`: an empty table; `url` of a proxy, if there is one."""

    @asynccontextmanager
    async def opened(url: str = ministack_url, **more: Any) -> AsyncGenerator[Any]:
        async with session_at(url) as session, session.resource("dynamodb") as dynamodb:
            yield await new_table(dynamodb, random_name(), **more)

    return opened


async def items_of(table: Any) -> dict[Any, Any]:
    """Every item of a table, by its `id`."""
    return {item["id"]: item async for item in table.scan_items(ConsistentRead=True)}


def slices(recorder: Recorder) -> list[list[Any]]:
    """The writes of each BatchWriteItem, in order."""
    found = []
    for request in recorder.requests:
        if request.action == "BatchWriteItem":
            [writes] = json.loads(request.body)["RequestItems"].values()
            found.append(writes)
    return found


def refuse(request: RecordedRequest, *ids: str) -> Reply | None:
    """An answer that takes nothing of a batch with one of these items, and no other request."""
    if request.action == "BatchWriteItem" and any(
        f'"id": {{"S": "{name}"}}' in request.body.decode() for name in ids
    ):
        return Reply.json({"UnprocessedItems": json.loads(request.body)["RequestItems"]})
    return None

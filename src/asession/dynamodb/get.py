"""`batch_get`: the items of many keys, 100 in a request, until every key is answered for."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any, TypeAlias

import anyio

from asession._iteration import Iteration
from asession.dynamodb.backoff import Backoff
from asession.dynamodb.errors import means_later, read_error
from asession.dynamodb.reads import ReadPlan, Wanted
from asession.exceptions import ClientError

Item: TypeAlias = dict[str, Any]

# What BatchGetItem takes at most.
SLICE = 100


def batch_get(
    source: Any, wanted: Wanted, *, backoff: Backoff | None = None
) -> Iteration[tuple[str, Item]]:
    """Read the items of many keys, of one table or several.

    Requests are made as you iterate, with 100 keys each. Keys that the service leaves unread (for
    the size of the answer, or the load on the table) are asked for again. A key given twice is read
    once; one that does not exist gives no item. Items come in any order.

    Args:
        source: A DynamoDB service resource or anything made from it, for Python values; or a client
            of DynamoDB, for its own form of values.
        wanted: Table name -> keys, or ``{"Keys": keys, ...}`` with further parameters of
            BatchGetItem such as ``ConsistentRead``. Keys may be any iterable, also a generator.
        backoff: How long to wait before unread keys are asked for again, and when to give up.

    Returns:
        Pairs of a table's name and an item, for ``async for``; may be left at any item.

    Raises:
        BatchGetError: While iterating: the service left keys unread too often.
        ValueError: A mapping in `wanted` has no ``"Keys"``.

    Example:
        wanted = {"orders": [{"id": "1"}, {"id": "2"}]}
        async for table, item in batch_get(dynamodb, wanted):
            print(table, item)
    """
    waits = backoff or Backoff()
    plan = ReadPlan(wanted, size=SLICE, attempts=waits.attempts)
    # A resource's `meta` has its client; a client's own `meta` has none.
    client = getattr(source.meta, "client", source)
    return Iteration(_read(client, plan, waits))


async def _read(client: Any, plan: ReadPlan, backoff: Backoff) -> AsyncGenerator[tuple[str, Item]]:
    while batch := plan.take():
        request = plan.request(batch)
        cause: ClientError | None = None
        try:
            response = await client.batch_get_item(RequestItems=request)
        except ClientError as error:
            if not means_later(error):
                raise
            response, cause = {"UnprocessedKeys": request}, error
        # Before the items are handed out: whoever leaves early finds nothing half done.
        again, given_up = plan.settle(batch, _unread(response))
        for table, items in response.get("Responses", {}).items():
            for item in items:
                yield table, item
        if given_up:
            raise read_error([*given_up, *plan.rest()], cause) from cause
        if again:
            await anyio.sleep(backoff.delay(max(read.refusals for read in again)))


def _unread(response: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    unread: Mapping[str, Mapping[str, Any]] = response.get("UnprocessedKeys") or {}
    return unread

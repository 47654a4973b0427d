"""What the resource classes of DynamoDB have beyond the model: `Table.batch_writer` and others."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import Any, TypedDict, Unpack

from asession._iteration import Iteration
from asession.dynamodb.backoff import Backoff
from asession.dynamodb.get import batch_get as _batch_get
from asession.dynamodb.items import Item, iterate_items
from asession.dynamodb.reads import Wanted
from asession.dynamodb.writer import SLICE, BatchWriter


class GetParameters(TypedDict, total=False):
    """What BatchGetItem takes for a table, besides its keys."""

    AttributesToGet: Sequence[str]
    ConsistentRead: bool
    ExpressionAttributeNames: Mapping[str, str]
    ProjectionExpression: str


def batch_writer(
    self: Any,
    /,
    overwrite_by_pkeys: Sequence[str] | None = None,
    flush_amount: int = SLICE,
    on_exit_loop_sleep: float = 0,
    *,
    concurrency: int | None = None,
    flush_on_error: bool = False,
    backoff: Backoff | None = None,
) -> BatchWriter:
    """Write many items, in requests of 25.

    `put_item` and `delete_item` of the writer may be awaited by any number of tasks. Writes that
    the service leaves undone are sent again, after waits that grow; those that it does not take at
    all are in the `BatchWriteError`. The end of the block sends what is left; a block that is left
    by an exception sends nothing more (boto3 does; see `flush_on_error`).

    Args:
        overwrite_by_pkeys: The attributes of the table's primary key. With them the last of several
            writes of one key wins, in whatever order requests are answered, and several requests
            are under way at once. Without them requests go one by one, in the order of the writes,
            and the service refuses two writes of one key that meet in a request.
        flush_amount: How many writes make a request, 25 at most; aioboto3's.
        on_exit_loop_sleep: Without meaning here, where `backoff` says how long to wait; accepted
            as aioboto3 does.
        concurrency: How many requests may be under way at once; 8 with `overwrite_by_pkeys`, 1
            without. More than 1 without them is for keys that are all different.
        flush_on_error: Whether what is left is sent also when the block is left by an exception,
            as boto3 does; for 5 seconds at most if it is cancelled.
        backoff: How long to wait before writes are sent again, and when to give one up.

    Returns:
        The writer, to be entered.

    Example:
        async with table.batch_writer(overwrite_by_pkeys=["id"]) as batch:
            for number in range(1000):
                await batch.put_item(Item={"id": str(number)})
            await batch.delete_item(Key={"id": "7"})
    """
    return BatchWriter(
        self.meta.client,
        self.name,
        overwrite_by_pkeys=overwrite_by_pkeys,
        flush_amount=flush_amount,
        concurrency=concurrency,
        flush_on_error=flush_on_error,
        backoff=backoff,
    )


def batch_get(
    self: Any,
    /,
    keys: Iterable[Mapping[str, Any]],
    *,
    backoff: Backoff | None = None,
    **parameters: Unpack[GetParameters],
) -> Iteration[Item]:
    """Read the items of many keys of this table.

    Args:
        keys: The keys; see `asession.dynamodb.batch_get`.
        backoff: How long to wait before unread keys are asked for again, and when to give up.
        parameters: Parameters of BatchGetItem for a table, such as ``ConsistentRead=True``.

    Returns:
        The items, in any order, for ``async for``; may be left at any item.

    Raises:
        BatchGetError: While iterating: the service left keys unread too often.

    Example:
        async for item in table.batch_get({"id": str(number)} for number in range(1000)):
            print(item)
    """
    wanted: Wanted = {self.name: {"Keys": keys, **parameters}}
    return Iteration(_items_alone(_batch_get(self, wanted, backoff=backoff)))


async def _items_alone(pairs: Iteration[tuple[str, Item]]) -> AsyncGenerator[Item]:
    async for _table, item in pairs:
        yield item


def query_items(self: Any, /, **parameters: Any) -> Iteration[Item]:
    """The items that a query finds, over all its pages.

    Args:
        parameters: Those of `query`. ``Limit`` is the size of a page, not the number of items.

    Returns:
        The items, in the order of the sort key, for ``async for``; may be left at any item.

    Example:
        async for order in table.query_items(KeyConditionExpression=Key("customer").eq("c-1")):
            print(order)
    """
    return iterate_items(self.meta.client, "query", self.name, parameters)


def scan_items(self: Any, /, **parameters: Any) -> Iteration[Item]:
    """All items of the table, or those that a filter leaves, over all pages.

    Args:
        parameters: Those of `scan`. ``Limit`` is the size of a page, not the number of items.
            ``Segment`` and ``TotalSegments`` let several tasks share one scan.

    Returns:
        The items, in any order, for ``async for``; may be left at any item.

    Example:
        async for item in table.scan_items(FilterExpression=Attr("total").gt(100)):
            print(item)
    """
    return iterate_items(self.meta.client, "scan", self.name, parameters)


def service_batch_get(
    self: Any, /, wanted: Wanted, *, backoff: Backoff | None = None
) -> Iteration[tuple[str, Item]]:
    """Read the items of many keys, of one table or several: see `asession.dynamodb.batch_get`."""
    return _batch_get(self, wanted, backoff=backoff)


def add_to_table(class_attributes: dict[str, Any], **_kwargs: Any) -> None:
    """Give the class `Table` its methods; a handler of ``creating-resource-class``."""
    for method in (batch_writer, batch_get, query_items, scan_items):
        class_attributes[method.__name__] = method


def add_to_service(class_attributes: dict[str, Any], **_kwargs: Any) -> None:
    """Give the service resource its methods; a handler of ``creating-resource-class``."""
    class_attributes["batch_get"] = service_batch_get


service_batch_get.__name__ = service_batch_get.__qualname__ = "batch_get"

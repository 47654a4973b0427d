"""Queries and scans as items, one page after the other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any, TypeAlias

from asession._iteration import Iteration

Item: TypeAlias = dict[str, Any]


def iterate_items(
    client: Any, operation: str, table_name: str, parameters: Mapping[str, Any]
) -> Iteration[Item]:
    """The items that an operation finds, page after page.

    Args:
        client: A client that takes and gives Python values.
        operation: ``"query"`` or ``"scan"``.
        table_name: The table.
        parameters: More parameters of the operation.

    Raises:
        ValueError: The parameters ask for a number, not for items.
    """
    if parameters.get("Select") == "COUNT":
        raise ValueError(
            f"{operation}_items(Select='COUNT') would have no items: await table.{operation}(...) "
            "instead, and add up 'Count' over the pages"
        )
    return Iteration(_items(getattr(client, operation), {"TableName": table_name, **parameters}))


async def _items(call: Any, parameters: dict[str, Any]) -> AsyncGenerator[Item]:
    while True:
        response = await call(**parameters)
        for item in response["Items"]:
            yield item
        # A page may be empty and not the last one, if a filter left nothing of it.
        start = response.get("LastEvaluatedKey")
        if not start:
            return
        parameters = {**parameters, "ExclusiveStartKey": start}

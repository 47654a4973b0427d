"""What type checkers make of `asession.dynamodb`; run by them, not by pytest."""

from __future__ import annotations

from typing import Any, assert_type

from asession.dynamodb import Backoff, BatchWriter, batch_get
from asession.exceptions import BatchGetError, BatchWriteError


async def write(batch: BatchWriter) -> None:
    async with batch as writer:
        assert_type(writer, BatchWriter)
        await writer.put_item(Item={"id": "a"})
        await writer.delete_item({"id": "a"})


async def read(dynamodb: Any) -> None:
    waits = Backoff(base=0.1, attempts=3)
    async for table, item in batch_get(dynamodb, {"orders": [{"id": "a"}]}, backoff=waits):
        assert_type(table, str)
        assert_type(item, dict[str, Any])


def facts(written: BatchWriteError, read: BatchGetError) -> None:
    assert_type(written.table_name, str)
    assert_type([*written.unwritten[0]], list[str])
    assert_type(read.reason, str)

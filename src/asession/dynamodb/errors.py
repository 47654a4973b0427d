"""What errors of DynamoDB mean to a batch, and the errors that say what a batch left undone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from asession.dynamodb.plan import WriteRequest
from asession.dynamodb.reads import Read
from asession.exceptions import BatchGetError, BatchWriteError, ClientError

_LATER = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
    }
)


def means_later(error: ClientError) -> bool:
    """Whether the same request may well succeed after a while.

    The client has retried by then, in its own, shorter way.
    """
    response = error.response
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return response.get("Error", {}).get("Code") in _LATER or status >= 500


def write_error(
    table_name: str, unwritten: Iterable[WriteRequest], cause: BaseException | None
) -> BatchWriteError:
    """The error for writes that are given up.

    Args:
        table_name: The table.
        unwritten: The writes.
        cause: What the service or the network said last; `None` if it was no error.
    """
    return BatchWriteError(
        table_name=table_name,
        unwritten=tuple(unwritten),
        operation_name="BatchWriteItem",
        **_facts(cause, "UnprocessedItems"),
    )


def read_error(unread: Iterable[Read], cause: BaseException | None) -> BatchGetError:
    """The error for keys that are given up; see `write_error`."""
    keys: dict[str, list[Any]] = {}
    for read in unread:
        keys.setdefault(read.table, []).append(read.key)
    return BatchGetError(
        keys=keys, operation_name="BatchGetItem", **_facts(cause, "UnprocessedKeys")
    )


def _facts(cause: BaseException | None, code: str) -> dict[str, Any]:
    reason = f"the service answered with {code} too often" if cause is None else str(cause)
    if isinstance(cause, ClientError):
        return {"reason": reason, "response": cause.response}
    return {"reason": reason, "response": {"Error": {"Code": code, "Message": reason}}}

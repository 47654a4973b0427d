"""`BatchWriter`: writes of many tasks, sent to one table in slices of 25."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import anyio
from boto3.dynamodb.types import TypeSerializer

from asession._logging import log
from asession.dynamodb.backoff import Backoff
from asession.dynamodb.errors import means_later, write_error
from asession.dynamodb.plan import Write, WritePlan, WriteRequest
from asession.dynamodb.values import copy_of
from asession.exceptions import BatchWriteError, ClientError

if TYPE_CHECKING:
    from types import TracebackType

_logger = logging.getLogger("asession.dynamodb")

# What BatchWriteItem takes at most.
SLICE = 25
# Requests at once where the key attributes are known; boto3's pool has 10 connections.
CONCURRENCY = 8
# How long boto3's way out, with `flush_on_error`, may hold a cancellation up, in seconds.
FLUSH_TIMEOUT = 5.0

_NOT_ENTERED = "a batch writer is used inside its block: `async with table.batch_writer() as batch`"
_LEFT = "this batch writer's block has been left, and what is put now would never be sent"
_AGAIN = "a batch writer is entered once: make another one with `table.batch_writer()`"


class BatchWriter:
    """Buffers the writes of any number of tasks, and sends them to one table in slices.

    Made by `Table.batch_writer`. Lives as long as its ``async with`` block, whose end sends what is
    left. It has no task of its own: the call that completes a slice sends it, so that whoever puts
    faster than the table takes is held up, and at most a slice for each task is in memory.

    Attributes:
        table_name: The table.
    """

    def __init__(
        self,
        client: Any,
        table_name: str,
        *,
        overwrite_by_pkeys: Sequence[str] | None = None,
        flush_amount: int = SLICE,
        concurrency: int | None = None,
        flush_on_error: bool = False,
        backoff: Backoff | None = None,
    ) -> None:
        if isinstance(overwrite_by_pkeys, str):
            raise TypeError(
                f"overwrite_by_pkeys={overwrite_by_pkeys!r} must be a list of attribute names"
            )
        if concurrency is None:
            concurrency = CONCURRENCY if overwrite_by_pkeys else 1
        if concurrency < 1:
            raise ValueError(f"concurrency={concurrency!r} must be at least 1")
        if not 1 <= flush_amount <= SLICE:
            raise ValueError(
                f"flush_amount={flush_amount!r} must be from 1 to {SLICE}, the most that "
                "BatchWriteItem takes"
            )
        self.table_name = table_name
        self._client = client
        self._backoff = backoff or Backoff()
        self._flush_on_error = flush_on_error
        self._plan = WritePlan(
            size=flush_amount, attempts=self._backoff.attempts, key_names=overwrite_by_pkeys
        )
        self._serialize = TypeSerializer().serialize
        self._turns = anyio.Semaphore(concurrency)
        self._resume_at = 0.0
        self._answered = anyio.Event()
        self._unusable: str | None = _NOT_ENTERED
        self._abandoned = False
        self._failed_at_end: list[WriteRequest] = []

    @property
    def unwritten(self) -> tuple[WriteRequest, ...]:
        """What was put and is not known to be written, as BatchWriteItem has it.

        After the block was left by an exception: what is lost unless you put it again. What a
        `BatchWriteError` has told you is not among it.
        """
        return (*self._failed_at_end, *self._plan.unwritten())

    async def put_item(self, Item: Mapping[str, Any]) -> None:  # noqa: N803 - boto3's name
        """Put an item.

        It is copied, and in the writer once this is called, also if the call is then cancelled.

        Args:
            Item: The whole item.

        Raises:
            BatchWriteError: The slice that this call completed could not be written.
            TypeError: DynamoDB has no type for a value, as for a `float`, or a key attribute is
                neither a string, a number nor bytes.
            ValueError: The item lacks an attribute that `overwrite_by_pkeys` names.
        """
        await self._put({"PutRequest": {"Item": self._checked(Item)}})

    async def delete_item(self, Key: Mapping[str, Any]) -> None:  # noqa: N803 - boto3's name
        """Delete an item.

        Args:
            Key: All of its primary key.

        Raises:
            BatchWriteError: See `put_item`, as for all its errors.
        """
        await self._put({"DeleteRequest": {"Key": self._checked(Key)}})

    async def __aenter__(self) -> Self:
        if self._unusable != _NOT_ENTERED:
            raise RuntimeError(_AGAIN)
        self._unusable = None
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._unusable = _LEFT
        if error is None:
            try:
                await self._drain()
            except BatchWriteError:
                self._failed_at_end.clear()
                raise
            except BaseException as failed:
                self._report(failed)
                raise
            return
        if self._flush_on_error:
            await self._drain_beside(error)
        self._report(error)

    def _report(self, error: BaseException) -> None:
        self._abandoned = True
        left = len(self.unwritten)
        if left and isinstance(error, Exception):
            error.add_note(
                f"batch_writer: {left} of the writes to the table {self.table_name!r} were not "
                "done when this exception ended it; the writer's `unwritten` has them"
            )
        elif left:
            log(
                _logger,
                logging.WARNING,
                "batch_writer.cancelled",
                "batch_writer was cancelled: %(left)d of the writes to the table %(table)r were "
                "not done",
                left=left,
                table=self.table_name,
            )

    def __repr__(self) -> str:
        plan = self._plan
        return (
            f"<BatchWriter of the table {self.table_name!r}: {len(plan) - plan.in_flight} writes "
            f"waiting, {plan.in_flight} being sent>"
        )

    def _checked(self, item: Mapping[str, Any]) -> dict[str, Any]:
        # Here rather than when the slice is sent: the error reaches the task that made it, and does
        # not take 24 writes of others along.
        if self._unusable is not None:
            raise RuntimeError(self._unusable)
        if not isinstance(item, Mapping):
            raise TypeError(f"a batch writer takes mappings, not {type(item).__name__}")
        for name, value in item.items():
            try:
                self._serialize(value)
            except Exception as error:
                error.add_note(f"in the attribute {name!r} of what was put into a batch_writer")
                raise
        return {name: copy_of(value) for name, value in item.items()}

    async def _put(self, request: WriteRequest) -> None:
        self._plan.add(request)
        await self._pump(partial=False)

    async def _pump(self, *, partial: bool) -> None:
        """Send slices while any is due."""
        while self._plan.is_due(partial=partial):
            async with self._turns:
                # Meanwhile others may learn that the table needs even more time, or take the slice.
                while self._resume_at > anyio.current_time():  # noqa: ASYNC110
                    await anyio.sleep_until(self._resume_at)
                if self._abandoned:
                    return  # `unwritten` has it all
                batch = self._plan.take(partial=partial)
                if batch:
                    await self._send(batch)

    async def _send(self, batch: list[Write]) -> None:
        requests = [write.request for write in batch]
        cause: Exception | None = None
        try:
            refused = await self._call(requests)
        except ClientError as error:
            if not means_later(error):
                raise self._failed(batch, error) from error
            refused, cause = requests, error
        except Exception as error:
            raise self._failed(batch, error) from error
        except BaseException:
            # Cancelled: whether the service has got them is unknown, and to write them twice does
            # no harm, unless a newer write of a key overtakes the request that was left behind;
            # to rule that out, a cancellation would have to wait for it. Whoever sends next takes
            # them first.
            self._plan.give_back(batch)
            raise
        finally:
            self._answered.set()
            self._answered = anyio.Event()
        if refused:
            self._slow_down(1 + max(write.refusals for write in batch))
        given_up = self._plan.settle(batch, refused)
        if given_up:
            requests = [write.request for write in given_up]
            raise write_error(self.table_name, requests, cause) from cause

    async def _call(self, requests: list[WriteRequest]) -> list[WriteRequest]:
        response = await self._client.batch_write_item(RequestItems={self.table_name: requests})
        unprocessed: Mapping[str, list[WriteRequest]] = response.get("UnprocessedItems") or {}
        return [request for part in unprocessed.values() for request in part]

    def _slow_down(self, refusals: int) -> None:
        until = anyio.current_time() + self._backoff.delay(refusals)
        self._resume_at = max(self._resume_at, until)

    def _failed(self, batch: list[Write], cause: Exception) -> BatchWriteError:
        self._plan.give_up(batch)
        return write_error(self.table_name, [write.request for write in batch], cause)

    async def _drain(self) -> None:
        """Send everything, also what other tasks have in flight and get back.

        Raises:
            BatchWriteError: With all that could not be written; each slice was tried.
        """
        failed: list[BatchWriteError] = []
        while len(self._plan):
            answered = self._answered
            try:
                await self._pump(partial=True)
            except BatchWriteError as error:
                failed.append(error)
                self._failed_at_end += error.unwritten
            else:
                if self._plan.in_flight and not self._plan.is_due(partial=True):
                    await answered.wait()
        if len(failed) == 1:
            raise failed[0]
        if failed:
            cause = failed[0].__cause__
            unwritten = [request for error in failed for request in error.unwritten]
            raise write_error(self.table_name, unwritten, cause) from cause

    async def _drain_beside(self, error: BaseException) -> None:
        if isinstance(error, Exception):
            scope = anyio.CancelScope()
        else:
            scope = anyio.CancelScope(shield=True, deadline=anyio.current_time() + FLUSH_TIMEOUT)
        with scope:
            try:
                await self._drain()
            except BatchWriteError as failed:
                error.add_note(f"batch_writer: {failed}")

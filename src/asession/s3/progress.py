"""How far a transfer has come: `Callback`, and ready-made ones for rich, tqdm and loops."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVarTuple

import anyio
from anyio.abc import TaskGroup

Ts = TypeVarTuple("Ts")

Callback = Callable[[int], Awaitable[None] | None]
"""Called with the number of bytes since the last call, sync or async; as boto3's. The sum is exact:
bytes that are sent again after a failed attempt do not count twice."""


class Meter:
    """Tells a callback of the bytes of one transfer; lives as long as `beside`.

    Calls never overlap: what comes meanwhile is told together. What the callback raises ends the
    transfer; it is not called again. An async one runs in a task of its own: a transfer that waited
    for it would keep a connection and memory from others, for which the callback may be waiting.
    """

    __slots__ = ("_callback", "_group", "_idle", "_pending", "error")

    def __init__(self, callback: Callback) -> None:
        self._callback = callback
        self._pending = 0
        self._group: TaskGroup | None = None
        self._idle = anyio.Event()
        self._idle.set()
        self.error: Exception | None = None

    async def beside(self, function: Callable[[*Ts], Awaitable[object]], *args: *Ts) -> None:
        """Do the transfer.

        Raises:
            Exception: What the callback or the transfer raised, whichever was first.
        """
        errors: list[Exception] = []
        async with anyio.create_task_group() as self._group:
            try:
                await function(*args)
                await self.told()
            except Exception as error:
                errors.append(error)
                self._group.cancel_scope.cancel()
        if self.error is not None:
            raise self.error
        if errors:
            raise errors[0]

    def add(self, count: int) -> None:
        """So many bytes more.

        Raises:
            Exception: What the callback raised, now or before.
        """
        if self.error is not None:
            raise self.error
        self._pending += count
        if self._idle.is_set() and (told := self._call()) is not None:
            assert self._group is not None
            self._idle = anyio.Event()
            self._group.start_soon(self._finish, told)

    async def told(self) -> None:
        """Wait until the callback was told of everything, before a transfer says that it is done.

        Raises:
            Exception: What the callback raised.
        """
        await self._idle.wait()
        if self.error is not None:
            raise self.error

    def _call(self) -> Awaitable[None] | None:
        """Call until nothing is pending; returns what is to be awaited first."""
        try:
            while self._pending:
                count, self._pending = self._pending, 0
                told = self._callback(count)
                if inspect.isawaitable(told):
                    return told
        except Exception as error:
            self.error = error
            raise
        return None

    async def _finish(self, told: Awaitable[None] | None) -> None:
        """Await a call, and those that follow it."""
        assert self._group is not None
        try:
            while told is not None:
                await told
                told = self._call()
        except Exception as error:
            self.error = error
            self._group.cancel_scope.cancel()
        finally:
            self._idle.set()


def meter_of(callback: Any) -> Meter | None:
    """The meter for a `Callback` argument.

    Raises:
        TypeError: It cannot be called.
    """
    if callback is None:
        return None
    if not callable(callback):
        raise TypeError(f"Callback must be callable, not {type(callback).__name__}")
    return Meter(callback)


def rich_progress(progress: Any, task_id: Any) -> Callback:
    """A `Callback` for a task of rich's `Progress`.

    Args:
        progress: A `rich.progress.Progress`.
        task_id: What its `add_task` returned.
    """

    def advance(count: int) -> None:
        progress.advance(task_id, count)

    return advance


def tqdm_progress(bar: Any) -> Callback:
    """A `Callback` for a bar of tqdm.

    Args:
        bar: A `tqdm.tqdm`, best made with ``unit="B", unit_scale=True``.
    """

    def update(count: int) -> None:
        bar.update(count)

    return update


class Steps:
    """The progress of a transfer, to be iterated; lives as long as the block of `watch_progress`.

    Gives the number of bytes so far, at most as often as somebody asks, and at last the sum.
    """

    def __init__(self) -> None:
        self._changed = anyio.Event()
        self._given = 0
        self._ended = False
        self.total: int = 0

    def add(self, count: int) -> None:
        """Be the transfer's `Callback`."""
        self.total += count
        self._wake()

    def end(self) -> None:
        """There will be no more."""
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> int:
        while self._given == self.total and not self._ended:
            await self._changed.wait()
        if self._given == self.total:
            raise StopAsyncIteration
        self._given = self.total
        return self.total


@asynccontextmanager
async def watch_progress(
    transfer: Callable[[Callback], Awaitable[object]],
) -> AsyncIterator[Steps]:
    """Run a transfer beside a loop over its progress.

    The end of the block waits for the transfer; an error in the block cancels it.

    Args:
        transfer: Starts it with the `Callback` that it is given.

    Raises:
        Exception: What the transfer raised, or the block.

    Example:
        async with watch_progress(
            lambda callback: s3.upload_file("big", "bucket", "big", Callback=callback)
        ) as steps:
            async for done in steps:
                print(f"{done} bytes")
    """
    steps = Steps()
    errors: list[Exception] = []

    async def run() -> None:
        try:
            await transfer(steps.add)
        except Exception as error:
            errors.append(error)
        finally:
            steps.end()

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        try:
            yield steps
        except Exception as error:
            errors.insert(0, error)
            group.cancel_scope.cancel()
    if errors:
        raise errors[0]

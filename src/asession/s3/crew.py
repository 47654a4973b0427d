"""Parts of a transfer side by side, and what has to come to its end even when cancelled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, TypeVarTuple

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from asession._runtime.loops import current_backend
from asession.s3.budget import Share
from asession.s3.config import TransferConfig

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Crew:
    """The parts under way of one transfer; lives as long as `work`, which ends it.

    Whoever feeds it waits for memory and for a place before a part becomes a task, so that even a
    thousand transfers have few tasks.
    """

    def __init__(self, share: Share, config: TransferConfig, group: TaskGroup) -> None:
        self._share = share
        self._ceiling = config.max_memory
        self._places = anyio.Semaphore(config.concurrency)
        self._group = group
        self.error: Exception | None = None

    async def place(self) -> None:
        """Wait for a place, for a part whose memory is reserved already."""
        await self._places.acquire()

    async def reserve(self, amount: int) -> int:
        """Wait for a place and for so many bytes; `start` or `forget` what this returns."""
        await self._places.acquire()
        try:
            return await self._share.acquire(amount, self._ceiling)
        except BaseException:
            self._places.release()
            raise

    def forget(self, reserved: int) -> None:
        """Give a reservation back."""
        self._share.release(reserved)
        self._places.release()

    def start(self, reserved: int, function: Callable[[*Ts], Awaitable[None]], *args: *Ts) -> None:
        """Do a part; its place and its reservation end with it."""
        self._group.start_soon(self._part, reserved, function, args)

    async def _part(
        self, reserved: int, function: Callable[..., Awaitable[None]], args: tuple[Any, ...]
    ) -> None:
        try:
            await self.guard(function, *args)
        finally:
            self.forget(reserved)

    async def guard(self, function: Callable[[*Ts], Awaitable[None]], *args: *Ts) -> None:
        """Call; the first error of all ends the whole crew."""
        try:
            await function(*args)
        except Exception as error:
            if self.error is None:
                self.error = error
            self._group.cancel_scope.cancel()


async def work(
    share: Share, config: TransferConfig, feed: Callable[[Crew], Awaitable[None]]
) -> None:
    """Let `feed` start parts, and wait for all of them.

    Raises:
        Exception: The first error of a part or of `feed`, by itself; the others were cancelled.
    """
    async with anyio.create_task_group() as group:
        crew = Crew(share, config, group)
        await crew.guard(feed, crew)
    if crew.error is not None:
        raise crew.error


async def contained(function: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    """Call in a task of its own, for shields to hold.

    `asyncio.Task.cancel` goes past anyio's shields. It then hits this task, which only waits, and
    which cancels the other one in anyio's way.
    """
    if current_backend() != "asyncio":
        return await function(*args)
    results: list[T] = []
    errors: list[Exception] = []

    async def run() -> None:
        try:
            results.append(await function(*args))
        except Exception as error:
            errors.append(error)

    async with anyio.create_task_group() as group:
        group.start_soon(run)
    if errors:
        raise errors[0]
    return results[0]


async def to_the_end(function: Callable[[], Awaitable[None]], seconds: float) -> None:
    """Call; once cancelled, let it go on, but for so many seconds at most.

    The cancellation is delivered after it.
    """
    errors: list[Exception] = []
    async with anyio.create_task_group() as group:
        with anyio.CancelScope(shield=True) as scope:

            async def watch() -> None:
                try:
                    await anyio.sleep_forever()
                finally:
                    scope.deadline = anyio.current_time() + seconds

            group.start_soon(watch)
            try:
                await function()
            except Exception as error:
                errors.append(error)
        group.cancel_scope.cancel()
    if errors:
        raise errors[0]
    await checkpoint()

"""The little that measuring needs of an event loop, and how long one was held up."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

Work = Callable[[], Awaitable[None]]

# How often the ticker wants to wake up, in seconds.
TICK = 0.001


class AsyncioLoop:
    """asyncio, for as long as a benchmark runs; nothing to close."""

    @staticmethod
    async def sleep(seconds: float) -> None:
        """Let others run."""
        await asyncio.sleep(seconds)

    @staticmethod
    async def together(works: Sequence[Work]) -> None:
        """Run a task for each, to their ends."""
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work())  # type: ignore[arg-type]


class TrioLoop:
    """trio, for as long as a benchmark runs; nothing to close."""

    @staticmethod
    async def sleep(seconds: float) -> None:
        """Let others run."""
        import trio

        await trio.sleep(seconds)

    @staticmethod
    async def together(works: Sequence[Work]) -> None:
        """Run a task for each, to their ends."""
        import trio

        async with trio.open_nursery() as nursery:
            for work in works:
                nursery.start_soon(work)


Loop = type[AsyncioLoop] | type[TrioLoop]


class Ticker:
    """A task that wants to wake up every millisecond; measures one piece of work."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._over = False
        self._stall = 0.0

    async def run(self) -> None:
        """Tick until the work is over, and once more."""
        last = time.perf_counter()
        while not self._over:
            await self._loop.sleep(TICK)
            now = time.perf_counter()
            self._stall = max(self._stall, now - last - TICK)
            last = now

    async def during(self, work: Work, found: dict[str, Any], name: str) -> None:
        """Do the work while the ticker ticks.

        Args:
            found: Gets the longest that it woke up later than it wanted, in seconds.
            name: Under this name.
        """

        async def worked() -> None:
            try:
                await self._loop.sleep(5 * TICK)
                await work()
            finally:
                self._over = True

        await self._loop.together([self.run, worked])
        found[name] = self._stall


class Pauses:
    """The pauses of the garbage collector while its `with` block runs.

    Attributes:
        longest: The longest one, in seconds.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self._began = 0.0

    def __enter__(self) -> Pauses:
        gc.callbacks.append(self._seen)
        return self

    def __exit__(self, *_: object) -> None:
        gc.callbacks.remove(self._seen)

    def _seen(self, phase: str, _: Any) -> None:
        now = time.perf_counter()
        if phase == "start":
            self._began = now
        else:
            self.longest = max(self.longest, now - self._began)


def run(loop: str, main: Callable[[Loop], Awaitable[None]]) -> None:
    """Run `main` on the named event loop."""
    if loop == "trio":
        import trio

        trio.run(main, TrioLoop)
    else:
        asyncio.run(main(AsyncioLoop))  # type: ignore[arg-type]

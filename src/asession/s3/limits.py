"""What the transfers of one session may hold in memory together: a budget of bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

import anyio

from asession.s3.plan import KIB, MIB

# What a part costs whose bytes come from, or go to, a place where they can be had again: one
# piece on its way, and one being read or written.
STREAMED = 2 * MIB
# What any request costs at least: so the number of parts under way is bounded too.
LEAST = 256 * KIB


class _Waiter:
    """Somebody in the queue; `granted` once the bytes are theirs."""

    __slots__ = ("amount", "ceiling", "granted", "ready")

    def __init__(self, amount: int, ceiling: int) -> None:
        self.amount = amount
        self.ceiling = ceiling
        self.granted = False
        self.ready = anyio.Event()


# The budgets of the transfers in which this code runs, as a source, a target or a callback.
_around: ContextVar[tuple[Limits, ...]] = ContextVar("_around", default=())


class Limits:
    """The bytes in the buffers of a session's transfers on one event loop.

    Lives as long as the session's live state there; nothing needs closing. First come, first
    served. Whoever wants more than there is at all gets it when nobody else holds anything, so that
    the bound is the ceiling or one part, whichever is more.

    A transfer inside another one, as its source may make it, has a budget apart: it would wait for
    bytes that the outer one holds, which waits for it. Each level waits for deeper ones alone.

    Attributes:
        used: Bytes held now.
        peak: The most that was ever held.
    """

    __slots__ = ("_inner", "_waiters", "peak", "used")

    def __init__(self) -> None:
        self.used: int = 0
        self.peak: int = 0
        self._waiters: deque[_Waiter] = deque()
        self._inner: Limits | None = None

    def here(self) -> Limits:
        """The budget for a transfer that begins in this context: this one, or one further in."""
        level = self
        for _ in range(_around.get().count(self)):
            if level._inner is None:
                level._inner = Limits()
            level = level._inner
        return level

    @contextmanager
    def around(self) -> Iterator[None]:
        """For a block that is a transfer: others that begin in it are inside it."""
        token = _around.set((*_around.get(), self))
        try:
            yield
        finally:
            _around.reset(token)

    async def acquire(self, amount: int, ceiling: int) -> int:
        """Wait for bytes; give them back with `release`.

        Args:
            amount: How many.
            ceiling: How many all transfers may hold together, this one included.

        Returns:
            What to release.
        """
        waiter = _Waiter(max(amount, LEAST), ceiling)
        if not self._waiters and self._fits(waiter):
            self._grant(waiter)
            return waiter.amount
        self._waiters.append(waiter)
        try:
            await waiter.ready.wait()
        except BaseException:
            if waiter.granted:
                self.release(waiter.amount)
            else:
                self._waiters.remove(waiter)
                self._serve()  # who comes next may want less
            raise
        return waiter.amount

    def release(self, amount: int) -> None:
        """Give bytes back."""
        self.used -= amount
        self._serve()

    @asynccontextmanager
    async def held(self, amount: int, ceiling: int) -> AsyncIterator[None]:
        """Hold bytes for a block."""
        held = await self.acquire(amount, ceiling)
        try:
            yield
        finally:
            self.release(held)

    def _fits(self, waiter: _Waiter) -> bool:
        return not self.used or self.used + waiter.amount <= waiter.ceiling

    def _grant(self, waiter: _Waiter) -> None:
        waiter.granted = True
        self.used += waiter.amount
        self.peak = max(self.peak, self.used)

    def _serve(self) -> None:
        while self._waiters and self._fits(self._waiters[0]):
            waiter = self._waiters.popleft()
            self._grant(waiter)
            waiter.ready.set()

    def __repr__(self) -> str:
        return f"<Limits: {self.used} bytes held, {len(self._waiters)} waiting>"

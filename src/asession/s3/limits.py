"""What the transfers of one session may hold in memory together: a budget of bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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


class Limits:
    """The bytes in the buffers of a session's transfers on one event loop.

    Lives as long as the session's live state there; nothing needs closing. First come, first
    served. Whoever wants more than there is at all gets it when nobody else holds anything, so that
    the bound is the ceiling or one part, whichever is more.

    Attributes:
        used: Bytes held now.
        peak: The most that was ever held.
    """

    __slots__ = ("_waiters", "peak", "used")

    def __init__(self) -> None:
        self.used: int = 0
        self.peak: int = 0
        self._waiters: deque[_Waiter] = deque()

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

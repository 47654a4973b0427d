"""A budget that many share: who waits for how much of it, first come, first served."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio

# After so many seconds in which nothing moves the budget gives way.
PATIENCE = 1.0
# How often that is looked at: an event loop that was held up finds timers due, and ran nobody.
_LOOKS = 4


class _Waiter:
    """Somebody in the queue; `granted` once the amount is theirs."""

    __slots__ = ("amount", "ceiling", "granted", "ready", "share")

    def __init__(self, share: Share, amount: int, ceiling: int) -> None:
        self.share = share
        self.amount = amount
        self.ceiling = ceiling
        self.granted = False
        self.ready = anyio.Event()


class Budget:
    """An amount of something; lives as long as those who share it. Nothing needs closing.

    Whoever wants more than there is at all gets it when nobody else holds anything, so that the
    bound is the ceiling or one part, whichever is more.

    What is held while the user's code runs, such as the source of an upload, is `outside`: that
    code may wait for a transfer that waits here, and nobody can tell. So if all that is held is
    outside and nothing moves for `PATIENCE`, the first in the queue who holds nothing gets what it
    asks for, above the ceiling, and from then on always the first that it holds. Where the choice
    is between the bound and standing still, the bound gives way, by one part for each such share.

    Args:
        least: What any request counts as, at least.

    Attributes:
        used: What is held now.
        peak: The most that was ever held.
    """

    __slots__ = ("_least", "_moves", "_outside", "_waiters", "peak", "used")

    def __init__(self, least: int) -> None:
        self._least = least
        self.used: int = 0
        self.peak: int = 0
        self._outside = 0
        self._moves = 0
        self._waiters: deque[_Waiter] = deque()

    def share(self) -> Share:
        """What one transfer holds; nothing yet."""
        return Share(self)

    async def acquire(self, share: Share, amount: int, ceiling: int) -> int:
        """See `Share.acquire`."""
        waiter = _Waiter(share, max(amount, self._least), ceiling)
        first_of_spared = share.spared and not share.amount
        if first_of_spared or (not self._waiters and self._fits(waiter)):
            self._grant(waiter)
            return waiter.amount
        self._waiters.append(waiter)
        try:
            while not waiter.granted:
                await self._turn(waiter)
        except BaseException:
            if waiter.granted:
                self.release(share, waiter.amount)
            else:
                self._waiters.remove(waiter)
                self._serve()  # who comes next may want less
            raise
        return waiter.amount

    async def _turn(self, waiter: _Waiter) -> None:
        """Wait for a grant; whoever is the first in the queue looks at the clock for all."""
        waiter.ready = anyio.Event()
        first, moves = self._waiters[0] is waiter, self._moves
        for _ in range(_LOOKS):
            with anyio.move_on_after(PATIENCE / _LOOKS if first else math.inf):
                await waiter.ready.wait()
            if waiter.ready.is_set() or moves != self._moves:
                return
        self._give_way()

    def release(self, share: Share, amount: int) -> None:
        """See `Share.release`."""
        self.used -= amount
        share.amount -= amount
        self._moves += 1
        self._serve()

    def move(self, outside: int) -> None:
        """So much more, or less, is outside; and something moves."""
        self._outside += outside
        self._moves += 1

    def _fits(self, waiter: _Waiter) -> bool:
        return not self.used or self.used + waiter.amount <= waiter.ceiling

    def _grant(self, waiter: _Waiter) -> None:
        waiter.granted = True
        waiter.share.amount += waiter.amount
        self.used += waiter.amount
        self.peak = max(self.peak, self.used)
        self._moves += 1

    def _serve(self) -> None:
        while self._waiters and self._fits(self._waiters[0]):
            waiter = self._waiters.popleft()
            self._grant(waiter)
            waiter.ready.set()
        self._tell_first()

    def _tell_first(self) -> None:
        """Whoever is the first in the queue may be so only now, and has to look at the clock."""
        if self._waiters:
            self._waiters[0].ready.set()

    def _give_way(self) -> None:
        if self._outside < self.used:
            return
        for waiter in self._waiters:
            if not waiter.share.amount:
                waiter.share.spared = True
                self._waiters.remove(waiter)
                self._grant(waiter)
                waiter.ready.set()
                self._tell_first()
                return

    def __repr__(self) -> str:
        return f"<Budget: {self.used} held, {len(self._waiters)} waiting>"


class Share:
    """What one transfer holds of a budget; lives as long as the transfer, which gives all back.

    Attributes:
        amount: How much that is.
        spared: Whether it has starved: what it asks for while it holds nothing it gets at once.
    """

    __slots__ = ("_budget", "amount", "spared")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.amount: int = 0
        self.spared: bool = False

    async def acquire(self, amount: int, ceiling: int) -> int:
        """Wait for an amount; give it back with `release`.

        Args:
            amount: How much.
            ceiling: How much all shares may hold together, this one included.

        Returns:
            What to release.
        """
        return await self._budget.acquire(self, amount, ceiling)

    def release(self, amount: int) -> None:
        """Give some back."""
        self._budget.release(self, amount)

    @asynccontextmanager
    async def held(self, amount: int, ceiling: int) -> AsyncIterator[None]:
        """Hold an amount for a block."""
        held = await self.acquire(amount, ceiling)
        try:
            yield
        finally:
            self.release(held)

    @contextmanager
    def outside(self, amount: int) -> Iterator[None]:
        """For a block that waits for the user's code, and that holds so much meanwhile."""
        self._budget.move(amount)
        try:
            yield
        finally:
            self._budget.move(-amount)

    def moved(self) -> None:
        """The user's code gave or took something."""
        self._budget.move(0)

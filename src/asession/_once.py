"""One awaited computation shared by many tasks; a cancelled leader hands over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Generic, TypeVar

import anyio

T = TypeVar("T")


class _Flight:
    """One run of the computation, and how it ended."""

    __slots__ = ("error", "landed")

    def __init__(self) -> None:
        self.landed = anyio.Event()
        self.error: Exception | None = None


# The runs that this task, or one that it was started by, is in the middle of.
_leading: ContextVar[tuple[_Flight, ...]] = ContextVar("asession_leading", default=())


class Once(Generic[T]):
    """A value computed at most once, by the first of the tasks that ask for it.

    The first caller computes inside its own call; the others wait for it. If that caller is
    cancelled, the next waiter takes the computation over. If it fails, every waiter of that run
    gets the error and the next call tries again. No task is started.

    Lives as long as its owner, on one event loop; nothing needs closing.

    Example:
        once = Once(load)
        value = await once.get()
    """

    __slots__ = ("_compute", "_flight", "_value")

    def __init__(self, compute: Callable[[], Awaitable[T]]) -> None:
        self._compute = compute
        self._flight: _Flight | None = None
        self._value: tuple[T] | None = None

    @property
    def value(self) -> T | None:
        """The computed value, or `None` before that."""
        return self._value[0] if self._value else None

    async def get(self) -> T:
        """The value, computed now if nobody has.

        Raises:
            Exception: What the computation raised.
            RuntimeError: The computation asks for its own value.
        """
        while self._value is None:
            flight = self._flight
            if flight is None:
                return await self._lead()
            if flight in _leading.get():
                raise RuntimeError(
                    "a value was asked for while it is being computed, by the computation itself: "
                    "credentials of a session, say, that are read with that session"
                )
            await flight.landed.wait()
            if flight.error is not None:
                raise flight.error
        return self._value[0]

    async def _lead(self) -> T:
        flight = self._flight = _Flight()
        _leading.set((*_leading.get(), flight))
        try:
            value = await self._compute()
            self._value = (value,)
            return value
        except Exception as error:
            flight.error = error
            raise
        finally:
            # A cancelled leader leaves neither value nor error: the first waiter to wake leads.
            self._flight = None
            _leading.set(tuple(other for other in _leading.get() if other is not flight))
            flight.landed.set()

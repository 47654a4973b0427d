"""`max_bandwidth`: bytes that wait for their turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

from asession.s3.plan import KIB, MIB

# Seconds of the rate that may go at once after a pause.
_BURST = 0.1


class Bandwidth:
    """Lets through so many bytes a second; one for each transfer, as long as it lasts.

    Each caller is given the moment at which its bytes are due, and sleeps until then: parts side by
    side share the rate, in the order in which they ask.

    Args:
        rate: Bytes per second.
        clock: Seconds.
        sleep: Waits for seconds.
    """

    __slots__ = ("_clock", "_due", "_rate", "_sleep")

    def __init__(
        self,
        rate: int,
        clock: Callable[[], float] = anyio.current_time,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._due = float("-inf")

    @property
    def piece(self) -> int:
        """How many bytes to ask for at a time, for the flow to be even."""
        return min(max(int(self._rate * _BURST), 16 * KIB), MIB)

    async def take(self, count: int) -> None:
        """Wait until so many bytes may go."""
        now = self._clock()
        self._due = max(self._due, now - _BURST) + count / self._rate
        if self._due > now:
            await self._sleep(self._due - now)


def bandwidth_of(rate: int | None) -> Bandwidth | None:
    """What `max_bandwidth` asks for."""
    return None if rate is None else Bandwidth(rate)

"""How far a transfer has come: `Callback`, and ready-made ones for rich, tqdm and loops."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

Callback = Callable[[int], Awaitable[None] | None]
"""Called with the number of bytes since the last call, sync or async; as boto3's. The sum is exact:
bytes that are sent again after a failed attempt do not count twice."""


class Meter:
    """Tells a callback of the bytes of one transfer; lives as long as the transfer.

    Calls never overlap: what comes meanwhile is told together. What the callback raises ends the
    transfer; it is not called again.
    """

    __slots__ = ("_callback", "_pending", "_telling", "error")

    def __init__(self, callback: Callback) -> None:
        self._callback = callback
        self._pending = 0
        self._telling = False
        self.error: Exception | None = None

    async def add(self, count: int) -> None:
        """So many bytes more.

        Raises:
            Exception: What the callback raised, now or before.
        """
        if self.error is not None:
            raise self.error
        self._pending += count
        if self._telling:
            return
        self._telling = True
        try:
            while self._pending:
                count, self._pending = self._pending, 0
                told = self._callback(count)
                if inspect.isawaitable(told):
                    await told
        except Exception as error:
            self.error = error
            raise
        finally:
            self._telling = False


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

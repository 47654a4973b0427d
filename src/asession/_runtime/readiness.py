"""Waiting for one socket to have something to read, at the least cost on each event loop.

Theory of operation. On asyncio, to register a socket, to set a timer and to enter a cancel scope
each cost more than to read what then arrives. So a socket stays registered between two waits, and
one timer serves many: when it fires it looks at the deadline in force and, if that has moved,
sleeps again. The event loop knows the socket by its number, which must not be reused before it
forgets it: whoever closes asks `forget` first. trio's own way is cheap.
"""

from __future__ import annotations

import math
import os
import socket
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from anyio import BusyResourceError

from asession._runtime.loops import current_backend

if TYPE_CHECKING:
    import asyncio

# How often in a row the loop may say that there is something to read while nobody waits. Once is
# usual: it looks again before the task that it woke has read.
_PATIENCE = 1


class Readiness(Protocol):
    """The wait for one socket, of one task at a time; lives as long as the socket."""

    async def wait(self, seconds: float | None) -> bool:
        """Wait until there is something to read; `False` if there is nothing for too long.

        Raises:
            Exception: Another task waits already; anyio's `BusyResourceError`, or trio's.
        """

    def forget(self) -> bool:
        """Before the socket is closed, from any thread.

        Returns:
            Whether it may be closed now. If not, shut it down: that calls `orphaned`.
        """


class TrioReadiness:
    """A socket's wait on trio."""

    __slots__ = ("_socket", "_trio")

    def __init__(self, connected: socket.socket) -> None:
        import trio

        self._socket = connected
        self._trio = trio

    async def wait(self, seconds: float | None) -> bool:
        trio = self._trio
        if seconds is None:
            await trio.lowlevel.wait_readable(self._socket)
            return True
        with trio.CancelScope(deadline=trio.current_time() + seconds) as scope:
            await trio.lowlevel.wait_readable(self._socket)
        return not scope.cancelled_caught

    def forget(self) -> bool:
        return True


class AsyncioReadiness:
    """A socket's wait on asyncio.

    Args:
        connected: The socket.
        orphaned: Called on the loop when the socket has something to read, or was shut down, and
            nobody waits for it any more.
    """

    __slots__ = (
        "_deadline",
        "_loop",
        "_number",
        "_orphaned",
        "_pid",
        "_registered",
        "_thread",
        "_timer",
        "_unheard",
        "_waiter",
    )

    def __init__(self, connected: socket.socket, orphaned: Callable[[], None]) -> None:
        import asyncio

        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._pid = os.getpid()
        self._number = connected.fileno()
        self._orphaned = orphaned
        self._registered = False
        self._unheard = 0
        self._waiter: asyncio.Future[bool] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = math.inf

    async def wait(self, seconds: float | None) -> bool:
        if self._waiter is not None:  # who waited first would never be told
            raise BusyResourceError("reading from")
        loop = self._loop
        if not self._registered:
            loop.add_reader(self._number, self._readable)
            self._registered = True
        self._unheard = 0
        if seconds is None:
            self._deadline = math.inf
        else:
            self._deadline = deadline = loop.time() + seconds
            timer = self._timer
            if timer is None or timer.when() > deadline:
                if timer is not None:
                    timer.cancel()
                self._timer = loop.call_at(deadline, self._late)
        waiter: asyncio.Future[bool] = loop.create_future()
        self._waiter = waiter
        try:
            return await waiter
        finally:
            self._waiter = None

    def _readable(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(True)
            return
        self._unheard += 1
        if self._unheard > _PATIENCE:
            self._unregister()
        if waiter is None:
            self._orphaned()

    def _late(self) -> None:
        self._timer = None
        waiter = self._waiter
        if waiter is None or waiter.done() or self._deadline == math.inf:
            return
        # Timers may be early by the resolution of the clock.
        if self._deadline - self._loop.time() > 0.001:
            self._timer = self._loop.call_at(self._deadline, self._late)
        else:
            waiter.set_result(False)

    def _unregister(self) -> None:
        if self._registered:
            self._registered = False
            self._loop.remove_reader(self._number)
        # Else it would keep the socket alive until the last time limit is over.
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def forget(self) -> bool:
        # A fork shares the kernel's list of sockets with its parent, whose entry this is.
        if not self._registered or os.getpid() != self._pid or self._loop.is_closed():
            return True
        if threading.get_ident() != self._thread:
            return False
        self._unregister()
        return True


class AnyioReadiness:
    """A socket's wait where the event loop cannot watch sockets by itself."""

    __slots__ = ("_socket",)

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    async def wait(self, seconds: float | None) -> bool:
        import anyio

        with anyio.move_on_after(seconds) as scope:
            await anyio.wait_readable(self._socket)
        return not scope.cancelled_caught

    def forget(self) -> bool:
        return True


def readiness_of(connected: socket.socket, orphaned: Callable[[], None]) -> Readiness:
    """The wait for a socket on the running event loop."""
    if current_backend() == "trio":
        return TrioReadiness(connected)
    if sys.platform == "win32":  # its usual event loop has no list of sockets
        return AnyioReadiness(connected)
    return AsyncioReadiness(connected, orphaned)


def loop_clock() -> Callable[[], float]:
    """What tells the time on the running event loop, from anywhere on it."""
    clock: Any
    if current_backend() == "trio":
        import trio

        clock = trio.current_time
    else:
        import asyncio

        clock = asyncio.get_running_loop().time
    return clock  # type: ignore[no-any-return]

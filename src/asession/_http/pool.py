"""Connections kept for the next request: so many for each route, first come, first served."""

from __future__ import annotations

import os
import sys
import warnings
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import anyio

from asession._http import reports
from asession._http.connections import Connection, open_connection
from asession._http.errors import PoolTimeout, TransportClosed
from asession._http.limits import KEEPALIVE
from asession._http.requests import Route
from asession.observe.events import CloseReason
from asession.observe.reporting import SILENT, Reporter, name_of

# Seconds between two looks for connections that have been idle for too long.
_REAP_EVERY = 1.0


@dataclass(slots=True)
class Counters:
    """What a pool has done so far; a snapshot.

    Attributes:
        open: Connections open now, or being opened.
        idle: Those of them that wait for a request.
        waiting: Requests that wait for a connection.
        opened: Connections opened in all.
        reused: Requests sent on a connection that had carried one before.
    """

    open: int = 0
    idle: int = 0
    waiting: int = 0
    opened: int = 0
    reused: int = 0


class _Waiter:
    """A request in the queue; `granted` once it may go on, with or without a connection."""

    __slots__ = ("connection", "granted", "ready")

    def __init__(self) -> None:
        self.ready = anyio.Event()
        self.granted = False
        self.connection: Connection | None = None


class _Lane:
    """The connections of one route: at most `route.limit`, counting those being opened."""

    __slots__ = ("idle", "route", "taken", "waiters")

    def __init__(self, route: Route) -> None:
        self.route = route
        self.taken = 0  # all but the idle ones
        self.idle: deque[Connection] = deque()
        self.waiters: deque[_Waiter] = deque()

    @property
    def count(self) -> int:
        return self.taken + len(self.idle)


class Pool:
    """The connections of one session on one event loop; used on its thread alone.

    Made with the session's live state and closed by `close`, which ends every connection; closing
    again does nothing. Requests of one route share its connections and queue in order. One that is
    dropped warns and closes what is idle.

    Attributes:
        clock: Tells the time on the event loop.
        closed: Whether `close` was called.
    """

    def __init__(
        self,
        keepalive: float = KEEPALIVE,
        clock: Callable[[], float] = anyio.current_time,
        reporter: Reporter = SILENT,
    ) -> None:
        self._lanes: dict[Route, _Lane] = {}
        self._keepalive = keepalive
        self._reporter = reporter
        self.clock = clock
        self._reaped = 0.0
        self._opened = 0
        self._reused = 0
        self._busy: dict[Connection, _Lane] = {}
        self._pid = os.getpid()
        self.closed = False

    async def acquire(self, route: Route, connect: float | None, wait: float | None) -> Connection:
        """A connection for one request; give it back with `release`.

        Args:
            route: Where to.
            connect: Seconds to open a new one, or `None`.
            wait: Seconds to wait for a free one, or `None`.

        Raises:
            PoolTimeout: None became free in time.
            ConnectFailed: A new one cannot be opened.
            TransportClosed: The pool is closed.
        """
        if self.closed:
            raise TransportClosed("the transport is closed")
        now = self.clock()
        if now - self._reaped > _REAP_EVERY:
            self._reap(now)
        lane = self._lanes.get(route)
        if lane is None:
            lane = self._lanes[route] = _Lane(route)
        connection: Connection | None = None
        if lane.waiters or (not lane.idle and lane.taken >= route.limit):
            connection = await self._queue(lane, wait)
        else:
            lane.taken += 1
            if lane.idle:
                connection = lane.idle.pop()  # the youngest: the others may grow old and go
        if connection is not None:
            is_old = now - connection.idle_since > self._keepalive
            try:
                if not is_old and connection.is_quiet():
                    self._reused += 1
                    self._busy[connection] = lane
                    if self._reporter.observed:
                        reports.acquired(self._reporter, connection, now - connection.idle_since)
                    return connection
                reason: CloseReason = "idle_timeout" if is_old else "peer_closed"
                reports.close(self._reporter, connection, reason, was_idle=True)
            except BaseException:
                self._give_up(lane, connection)
                raise
        return await self._open(lane, connect)

    async def renew(self, connection: Connection, connect: float | None) -> Connection:
        """A new connection in place of one that is used and useless.

        Raises:
            ConnectFailed: It cannot be opened.
            TransportClosed: The pool is closed.
        """
        lane = self._busy.pop(connection, None)
        try:
            reports.close(self._reporter, connection, "peer_closed", was_idle=False)
        except BaseException:
            if lane is not None:
                self._hand_on(lane, None)
            raise
        if lane is None:
            raise TransportClosed("the transport was closed meanwhile")
        return await self._open(lane, connect)

    async def _open(self, lane: _Lane, seconds: float | None) -> Connection:
        """A new connection in a place of the lane that is taken already."""
        began = perf_counter()
        try:
            connection = await open_connection(lane.route, seconds)
        except BaseException as error:
            self._hand_on(lane, None)
            reports.failed(self._reporter, lane.route, perf_counter() - began, name_of(error))
            raise
        if self.closed:
            connection.close()
            raise TransportClosed("the transport was closed meanwhile")
        self._opened += 1
        self._busy[connection] = lane
        connection.number = self._opened
        try:
            reports.opened(self._reporter, connection, perf_counter() - began)
        except BaseException:
            self._give_up(lane, connection)
            raise
        return connection

    def _give_up(self, lane: _Lane, connection: Connection) -> None:
        """Free a place whose request ends before it has it: an observer may interrupt it."""
        self._busy.pop(connection, None)
        try:
            reports.close(self._reporter, connection, "not_reusable", was_idle=False)
        finally:
            self._hand_on(lane, None)

    async def _queue(self, lane: _Lane, wait: float | None) -> Connection | None:
        began = perf_counter()
        try:
            connection = await self._wait_in(lane, wait)
        except BaseException as error:
            waited = perf_counter() - began
            reports.awaited(self._reporter, lane.route, waited, name_of(error))
            raise
        try:
            reports.awaited(self._reporter, lane.route, perf_counter() - began, None)
        except BaseException:
            self._hand_on(lane, connection)
            raise
        return connection

    async def _wait_in(self, lane: _Lane, wait: float | None) -> Connection | None:
        waiter = _Waiter()
        lane.waiters.append(waiter)
        try:
            with anyio.fail_after(wait):
                await waiter.ready.wait()
        except BaseException as error:
            if waiter.granted:
                self._hand_on(lane, waiter.connection)
            elif waiter in lane.waiters:
                lane.waiters.remove(waiter)
            if isinstance(error, TimeoutError):
                raise PoolTimeout(
                    f"no connection to {lane.route.authority} became free within {wait} seconds: "
                    f"all {lane.route.limit} are in use"
                ) from None
            raise
        if self.closed:
            if waiter.connection is not None:
                self._shut(waiter.connection)
            raise TransportClosed("the transport was closed meanwhile")
        return waiter.connection

    def release(self, connection: Connection, *, reusable: bool) -> None:
        """Give a connection back; it is closed unless it can be used again. Once is enough."""
        lane = self._busy.pop(connection, None)
        if lane is None:
            self._shut(connection)
        else:
            try:
                if not reusable:  # which may be a callback, outside of any task: no clock there
                    reports.close(self._reporter, connection, "not_reusable", was_idle=False)
                else:
                    connection.idle_since = self.clock()
                    if self._reporter.observed:
                        reports.released(self._reporter, connection)
            finally:
                self._hand_on(lane, connection if reusable else None)

    def _hand_on(self, lane: _Lane, connection: Connection | None) -> None:
        """Pass a place in the lane, with or without its connection, to whoever is first."""
        if self.closed:
            if connection is not None:
                self._shut(connection)
            return
        if lane.waiters:
            waiter = lane.waiters.popleft()
            waiter.granted = True
            waiter.connection = connection
            waiter.ready.set()
            return
        lane.taken -= 1
        if connection is not None:
            lane.idle.append(connection)
        elif not lane.count:
            self._lanes.pop(lane.route, None)

    def _reap(self, now: float) -> None:
        """Close what has been idle for too long."""
        self._reaped = now
        for lane in list(self._lanes.values()):
            while lane.idle and now - lane.idle[0].idle_since > self._keepalive:
                idle = lane.idle.popleft()
                reports.close(self._reporter, idle, "idle_timeout", was_idle=True)
            if not lane.count and not lane.waiters:
                del self._lanes[lane.route]

    def close(self) -> None:
        """Close every connection; requests under way and in the queue fail."""
        self.closed = True
        lanes, self._lanes = self._lanes, {}
        busy, self._busy = self._busy, {}
        for lane in lanes.values():
            for waiter in lane.waiters:
                waiter.ready.set()
        for connection in (*busy, *(idle for lane in lanes.values() for idle in lane.idle)):
            connection.close()  # all of them, before an observer can interrupt this
        for lane in lanes.values():
            for connection in lane.idle:
                self._shut(connection)
        for connection in busy:
            self._shut(connection, was_idle=False)

    def _shut(self, connection: Connection, *, was_idle: bool = True) -> None:
        reports.close(self._reporter, connection, "shutdown", was_idle=was_idle)

    def __del__(self) -> None:
        # The event loop may know the sockets: without this they would stay until the peer closes.
        if sys.is_finalizing() or getattr(self, "closed", True):
            return
        idle = [connection for lane in self._lanes.values() for connection in lane.idle]
        for connection in idle:
            connection.close()
        if idle and os.getpid() == self._pid:
            warnings.warn(
                f"{len(idle)} idle connections were dropped: close their session or client, "
                "best with `async with`",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )

    def counters(self) -> Counters:
        """What is going on, and what was done so far."""
        lanes = self._lanes.values()
        return Counters(
            open=sum(lane.count for lane in lanes),
            idle=sum(len(lane.idle) for lane in lanes),
            waiting=sum(len(lane.waiters) for lane in lanes),
            opened=self._opened,
            reused=self._reused,
        )

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        now = self.counters()
        return f"<Pool {state}: {now.open} connections, {now.idle} idle, {now.waiting} waiting>"

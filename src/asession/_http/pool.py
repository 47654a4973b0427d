"""Connections kept for the next request: so many for each route, first come, first served."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import anyio

from asession._http.connections import Connection, open_connection
from asession._http.errors import PoolTimeout, TransportClosed
from asession._http.limits import KEEPALIVE
from asession._http.requests import Route


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
    """The connections of one session on one event loop.

    Made with the session's live state and closed by `aclose`, which ends every connection; closing
    again does nothing. Requests of one route share its connections and queue in order.
    """

    def __init__(
        self, keepalive: float = KEEPALIVE, clock: Callable[[], float] = anyio.current_time
    ):
        self._lanes: dict[Route, _Lane] = {}
        self._keepalive = keepalive
        self._clock = clock
        self._opened = 0
        self._reused = 0
        self._busy: set[Connection] = set()
        self._abandoned: deque[Connection] = deque()
        self.closed = False

    async def acquire(
        self, route: Route, connect: float | None, wait: float | None, *, fresh: bool = False
    ) -> Connection:
        """A connection for one request; give it back with `release`.

        Args:
            route: Where to.
            connect: Seconds to open a new one, or `None`.
            wait: Seconds to wait for a free one, or `None`.
            fresh: Whether a connection that was used before will not do.

        Raises:
            PoolTimeout: None became free in time.
            ConnectFailed: A new one cannot be opened.
            TransportClosed: The pool is closed.
        """
        lane = self._lane(route)
        await self._bury()
        connection = await self._take(lane, wait)
        try:
            while connection is not None and (fresh or self._is_stale(connection)):
                stale, connection = connection, None
                self._busy.discard(stale)
                await stale.aclose()
            if connection is None:
                connection = await open_connection(route, connect)
                self._opened += 1
                if self.closed:
                    raise TransportClosed("the transport was closed meanwhile")
            else:
                self._reused += 1
        except BaseException:
            if connection is not None:
                await connection.aclose()
            self._hand_on(lane, None)
            raise
        self._busy.add(connection)
        return connection

    async def _take(self, lane: _Lane, wait: float | None) -> Connection | None:
        if not lane.waiters:
            if lane.idle:
                lane.taken += 1
                return lane.idle.pop()  # the youngest: the others may grow old and go
            if lane.count < lane.route.limit:
                lane.taken += 1
                return None
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
            raise TransportClosed("the transport was closed meanwhile")
        return waiter.connection

    def release(self, connection: Connection, *, reusable: bool) -> None:
        """Give a connection back, which must be closed already if it is not reusable."""
        if connection not in self._busy:
            return
        self._busy.discard(connection)
        lane = self._lanes.get(connection.route)
        if lane is None:
            return
        connection.idle_since = self._clock()
        self._hand_on(lane, connection if reusable and not self.closed else None)

    def abandon(self, connection: Connection) -> None:
        """Give back a connection whose response nobody will read; it is closed a little later."""
        if connection in self._busy:
            self._abandoned.append(connection)
            self.release(connection, reusable=False)

    def _hand_on(self, lane: _Lane, connection: Connection | None) -> None:
        """Pass a place in the lane, with or without its connection, to whoever is first."""
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

    def _is_stale(self, connection: Connection) -> bool:
        if connection.uses == 0:
            return False
        old = self._clock() - connection.idle_since > self._keepalive
        return old or connection.closed or connection.is_readable()

    def _lane(self, route: Route) -> _Lane:
        if self.closed:
            raise TransportClosed("the transport is closed")
        lane = self._lanes.get(route)
        if lane is None:
            lane = self._lanes[route] = _Lane(route)
        return lane

    async def _bury(self) -> None:
        """Close what is abandoned, and what has been idle for too long."""
        now = self._clock()
        for lane in list(self._lanes.values()):
            while lane.idle and now - lane.idle[0].idle_since > self._keepalive:
                self._abandoned.append(lane.idle.popleft())
                if not lane.count and not lane.waiters:
                    self._lanes.pop(lane.route, None)
        while self._abandoned:
            await self._abandoned.popleft().aclose()

    async def aclose(self) -> None:
        """Close every connection; requests under way and in the queue fail."""
        self.closed = True
        lanes, self._lanes = self._lanes, {}
        for lane in lanes.values():
            for waiter in lane.waiters:
                waiter.ready.set()
        connections = [*self._busy, *self._abandoned, *(c for x in lanes.values() for c in x.idle)]
        self._busy.clear()
        self._abandoned.clear()
        for connection in connections:
            await connection.aclose()

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

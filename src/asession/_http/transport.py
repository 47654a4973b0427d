"""Sends one request and returns its response: the only way in."""

from __future__ import annotations

import logging
import os

from anyio.lowlevel import checkpoint_if_cancelled

from asession._http import reports
from asession._http.connections import Connection
from asession._http.errors import ConnectionClosed, TransportClosed
from asession._http.exchange import Exchange
from asession._http.limits import KEEPALIVE, Timeouts
from asession._http.pool import Counters, Pool
from asession._http.requests import Head, Request, Route, encode_head
from asession._http.responses import Owner, Response
from asession._runtime.handover import Handover
from asession._runtime.readiness import loop_clock
from asession.observe.reporting import SILENT, Reporter

logger = logging.getLogger("asession.http")


class Transport:
    """HTTP/1.1 for one session on one event loop, on asyncio and trio alike.

    Made on its event loop with the session's live state; closed by `aclose`, which ends every
    connection.

    Args:
        keepalive: Seconds that an idle connection is kept.
        reporter: Where it reports what happens to connections.

    Example:
        response = await transport.send(request, route, Timeouts())
        body = await response.read()
    """

    def __init__(self, keepalive: float = KEEPALIVE, reporter: Reporter = SILENT) -> None:
        self._pool = Pool(keepalive, reporter=reporter)
        self.reporter = reporter
        self._pid = os.getpid()
        self._owner: Owner | None = None

    async def send(self, request: Request, route: Route, timeouts: Timeouts) -> Response:
        """Send a request; returns once the head of the response is here.

        A connection that the peer closed while it was idle is noticed, and the request sent again
        on a new one, only if no byte of an answer arrived and the body can be sent again.

        Raises:
            HttpError: See its subclasses.
            ValueError: A header is not allowed, or the body is not as long as announced.
        """
        if os.getpid() != self._pid:
            raise TransportClosed("the transport belongs to the process that this one forked from")
        # The answer may be here before a cancellation is: whoever is cancelled sends nothing.
        await checkpoint_if_cancelled()
        if self._owner is None:
            self._owner = Owner(self._pool, Handover(), self._pid)
            self._pool.clock = loop_clock()
        head = encode_head(request, route)
        pool = self._pool
        connection = await pool.acquire(route, timeouts.connect, timeouts.pool)
        while True:
            connection.uses += 1
            try:
                response = await self._exchange(connection, request, head, timeouts)
            except ConnectionClosed as error:
                if (
                    connection.uses == 1
                    or error.answered
                    or not await self._rewound(connection, request)
                ):
                    pool.release(connection, reusable=False)
                    raise
                reports.resent(connection)
                connection = await pool.renew(connection, timeouts.connect)
                continue
            except BaseException:
                pool.release(connection, reusable=False)
                raise
            if logger.isEnabledFor(logging.DEBUG):
                reports.answered(connection, request.method, response.status)
            return response

    async def _exchange(
        self, connection: Connection, request: Request, head: Head, timeouts: Timeouts
    ) -> Response:
        assert self._owner is not None
        exchange = Exchange(connection, request, head, timeouts)
        await exchange.run()
        return Response(
            self._owner,
            connection,
            exchange.parser,
            exchange.pieces,
            timeouts.read,
            reusable=exchange.in_step,
        )

    async def _rewound(self, connection: Connection, request: Request) -> bool:
        try:
            return await request.body.rewind()
        except BaseException:
            self._pool.release(connection, reusable=False)
            raise

    def counters(self) -> Counters:
        """What the pool is doing, and has done."""
        return self._pool.counters()

    async def aclose(self) -> None:
        """End every connection; requests under way fail. Closing again does nothing."""
        self._pool.close()

    def __repr__(self) -> str:
        return f"<Transport over {self._pool!r}>"

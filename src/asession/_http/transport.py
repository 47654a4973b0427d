"""Sends one request and returns its response: the only way in."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import anyio

from asession._http.bodies import SMALL, Body
from asession._http.connections import Connection
from asession._http.errors import ConnectionClosed, HttpError, ReadTimeout, WriteTimeout
from asession._http.limits import KEEPALIVE, Timeouts
from asession._http.pool import Counters, Pool
from asession._http.requests import Request, Route, encode_head
from asession._http.responses import Response
from asession._http.wire import ResponseParser

# How long the rest of a request may still go out once the peer has answered, in seconds.
_GRACE = 0.1

logger = logging.getLogger("asession.http")


class Transport:
    """HTTP/1.1 for one session on one event loop, on asyncio and trio alike.

    Made with the session's live state; closed by `aclose`, which ends every connection.

    Example:
        response = await transport.send(request, route, Timeouts())
        body = await response.read()
    """

    def __init__(self, keepalive: float = KEEPALIVE) -> None:
        self._pool = Pool(keepalive)

    async def send(self, request: Request, route: Route, timeouts: Timeouts) -> Response:
        """Send a request; returns once the head of the response is here.

        A connection that the peer closed while it was idle is noticed, and the request sent again
        on a new one, only if no byte of an answer arrived and the body can be sent again.

        Raises:
            HttpError: See its subclasses.
            ValueError: A header is not allowed.
        """
        head, expects = encode_head(request, route)
        fresh = False
        while True:
            connection = await self._pool.acquire(
                route, timeouts.connect, timeouts.pool, fresh=fresh
            )
            reused = connection.uses > 0
            connection.uses += 1
            try:
                response = await self._exchange(connection, request, head, expects, timeouts)
            except BaseException as error:
                await self._drop(connection)
                if not (reused and isinstance(error, ConnectionClosed) and not error.answered):
                    raise
                if not await request.body.rewind():
                    raise
                fresh = True
                logger.debug("a kept connection to %s had gone; sending again", route.authority)
                continue
            logger.debug("%s %s -> %d", request.method, route.authority, response.status)
            return response

    async def _drop(self, connection: Connection) -> None:
        try:
            await connection.aclose()
        finally:
            self._pool.release(connection, reusable=False)

    async def _exchange(
        self,
        connection: Connection,
        request: Request,
        head: bytes,
        expects: bool,
        timeouts: Timeouts,
    ) -> Response:
        parser = ResponseParser(request.method)
        pieces: list[bytes] = []
        body = request.body
        sent = True
        if body.content is not None and not expects and len(body.content) <= SMALL:
            async with _limited(timeouts.write, WriteTimeout, parser):
                await connection.send(b"".join((head, body.content)))
        else:
            async with _limited(timeouts.write, WriteTimeout, parser):
                await connection.send(head)
            if expects:
                await self._await_word(connection, parser, pieces, timeouts)
            if not parser.head_complete:
                sent = await self._send_body(connection, request, parser, pieces, timeouts)
        while not parser.head_complete:
            async with _limited(timeouts.read, ReadTimeout, parser):
                data = await connection.receive()
            if data:
                pieces += parser.feed(data)
            else:
                parser.end()
        # An answer that came before the whole request was sent leaves the connection out of step.
        reusable = sent and not (expects and not parser.continued and body.length != 0)
        response = Response(
            self._pool, connection, parser, pieces, timeouts.read, reusable=reusable
        )
        await response.start()
        return response

    async def _await_word(
        self,
        connection: Connection,
        parser: ResponseParser,
        pieces: list[bytes],
        timeouts: Timeouts,
    ) -> None:
        """Wait for ``100 Continue`` or a final answer, but not for long."""
        with anyio.move_on_after(timeouts.expect):
            while not (parser.continued or parser.head_complete):
                data = await connection.receive()
                if not data:
                    parser.end()
                    return
                pieces += parser.feed(data)

    async def _send_body(
        self,
        connection: Connection,
        request: Request,
        parser: ResponseParser,
        pieces: list[bytes],
        timeouts: Timeouts,
    ) -> bool:
        """Send the body, listening meanwhile; `False` if the peer spoke or left before the end."""
        failures: list[Exception] = []
        written = anyio.Event()
        async with anyio.create_task_group() as group:

            async def listen() -> None:
                # A peer that refuses an upload answers at once, and then may read no more.
                try:
                    while not parser.head_complete:
                        data = await connection.receive()
                        if not data:
                            break
                        pieces.extend(parser.feed(data))
                except HttpError as error:
                    failures.append(error)
                # What it answered to may be the last piece, which then counts as sent.
                with anyio.move_on_after(_GRACE):
                    await written.wait()
                group.cancel_scope.cancel()

            group.start_soon(listen)
            try:
                await self._write(connection, request.body, parser, timeouts)
                written.set()
            except ConnectionClosed:
                # It may have answered before it closed; if not, reading tells the same.
                pass
            except Exception as error:
                failures.insert(0, error)
            if not parser.head_complete:
                group.cancel_scope.cancel()
        if failures:
            raise failures[0]
        return written.is_set()

    async def _write(
        self, connection: Connection, body: Body, parser: ResponseParser, timeouts: Timeouts
    ) -> None:
        count = 0
        data: bytes | memoryview
        async with aclosing(body.pieces()) as source:
            async for piece in source:
                if not len(piece):
                    continue
                count += len(piece)
                if body.length is None:
                    data = b"".join((b"%x\r\n" % len(piece), piece, b"\r\n"))
                else:
                    data = piece
                async with _limited(timeouts.write, WriteTimeout, parser):
                    await connection.send(data)
        if body.length is None:
            async with _limited(timeouts.write, WriteTimeout, parser):
                await connection.send(b"0\r\n\r\n")
        elif count != body.length:
            raise ValueError(
                f"the body has {count} bytes, but {body.length} were announced: its source has "
                "changed, or was read before"
            )

    def counters(self) -> Counters:
        """What the pool is doing, and has done."""
        return self._pool.counters()

    async def aclose(self) -> None:
        """End every connection; closing again does nothing."""
        await self._pool.aclose()

    def __repr__(self) -> str:
        return f"<Transport over {self._pool!r}>"


@asynccontextmanager
async def _limited(
    seconds: float | None, error: type[HttpError], parser: ResponseParser
) -> AsyncIterator[None]:
    try:
        with anyio.fail_after(seconds):
            yield
    except TimeoutError:
        what = "sent nothing" if error is ReadTimeout else "took nothing"
        raise error(f"the peer {what} for {seconds} seconds", answered=parser.answered) from None

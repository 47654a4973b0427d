"""One request and the head of its response, over one connection, under one set of time limits."""

from __future__ import annotations

import math
from contextlib import aclosing

import anyio
from anyio.lowlevel import checkpoint

from asession._http.bodies import SMALL
from asession._http.connections import Connection
from asession._http.errors import ConnectionClosed, ReadTimeout, WriteTimeout
from asession._http.limits import READ_SIZE, Timeouts
from asession._http.requests import Head, Request
from asession._http.wire import ResponseParser

# How often a peer that takes nothing is asked whether it has answered, in seconds.
_LISTEN_EVERY = 0.1


class Exchange:
    """Sends a request over a connection and waits for the head of its response.

    Lives for one attempt; who made it closes the connection if it fails.

    A request that goes out at once needs one wait with a time limit, for its answer. Any other has
    a single cancel scope for every time limit, whose deadline moves from phase to phase: entering
    one per operation would cost more than the operation.

    Attributes:
        parser: The response so far.
        pieces: What has arrived of its body.
        in_step: Whether the whole request was sent, so that the connection can carry another.
    """

    __slots__ = (
        "_connection",
        "_head",
        "_request",
        "_scope",
        "_timeouts",
        "_writing",
        "in_step",
        "parser",
        "pieces",
    )

    def __init__(
        self, connection: Connection, request: Request, head: Head, timeouts: Timeouts
    ) -> None:
        self._connection = connection
        self._request = request
        self._head = head
        self._timeouts = timeouts
        self._writing = False
        self.parser = ResponseParser(request.method)
        self.pieces: list[bytes] = []
        self.in_step = True

    async def run(self) -> None:
        """Do it.

        Raises:
            HttpError: See its subclasses.
            ValueError: The body is not as long as announced.
        """
        timeouts = self._timeouts
        parser, connection = self.parser, self._connection
        if self._send_at_once():
            while not parser.head_complete:
                data = await connection.receive_within(READ_SIZE, timeouts.read)
                if data is None:
                    raise self._no_answer()
                self._take(data)
            return
        with anyio.CancelScope(deadline=_deadline(timeouts.read)) as self._scope:
            await self._send()
            while not parser.head_complete:
                data = await connection.receive(READ_SIZE)
                self._take(data)
                if not parser.head_complete:
                    self._scope.deadline = _deadline(timeouts.read)
            return
        if self._writing:
            raise WriteTimeout(
                f"the peer took nothing for {timeouts.write} seconds", answered=parser.answered
            )
        raise self._no_answer()

    def _no_answer(self) -> ReadTimeout:
        return ReadTimeout(
            f"the peer sent nothing for {self._timeouts.read} seconds",
            answered=self.parser.answered,
        )

    def _send_at_once(self) -> bool:
        """Send head and body together, if they are short and the kernel takes them."""
        head, content = self._head, self._request.body.content
        if content is None or head.expects or head.length is None or len(content) > SMALL:
            return False
        data = b"".join((head.data, content)) if content else head.data
        try:
            return self._connection.write(data)
        except ConnectionClosed:
            # It may have answered before it closed; if not, reading tells the same.
            self.in_step = False
            return True

    async def _send(self) -> None:
        """Send what `_send_at_once` did not, and allow for the answer."""
        head, connection = self._head, self._connection
        try:
            if connection.channel.pending:
                await self._drain()
            else:
                if not connection.write(head.data):
                    await self._drain()
                if head.expects:
                    await self._await_word()
                if not self.parser.head_complete:
                    await self._send_body()
                elif head.length != 0:
                    self.in_step = False  # refused before it was sent
        except ConnectionClosed:
            self.in_step = False
        self._scope.deadline = _deadline(self._timeouts.read)

    def _may_go_on(self) -> bool:
        """Whether the peer wants the rest: who refuses may do so early, and then read no more."""
        parser = self.parser
        return not parser.head_complete or parser.status < 300

    async def _await_word(self) -> None:
        """Wait for ``100 Continue`` or a final answer, but not for long."""
        parser = self.parser
        self._scope.deadline = math.inf
        with anyio.move_on_after(self._timeouts.expect):
            while not (parser.continued or parser.head_complete):
                self._take(await self._connection.receive(READ_SIZE))

    async def _send_body(self) -> None:
        body, announced = self._request.body, self._head.length
        chunked = announced is None
        count = 0
        self._scope.deadline = math.inf  # what the source takes is its own affair
        if body.length == 0 and not chunked:
            return
        async with aclosing(body.pieces()) as source:
            async for piece in source:
                if not len(piece):
                    continue
                count += len(piece)
                if announced is not None and count > announced:
                    break
                last = count == announced
                framed = b"".join((b"%x\r\n" % len(piece), piece, b"\r\n")) if chunked else piece
                if not await self._write(framed) and not last:
                    self.in_step = False
                    return
        if announced is None:
            await self._write(b"0\r\n\r\n")
        elif count != announced:
            raise ValueError(
                f"the body has {'more' if count > announced else 'fewer'} bytes than the "
                f"{announced} announced: its source has changed, or was read before"
            )

    async def _write(self, data: bytes | memoryview) -> bool:
        """Send a piece, listening meanwhile; `False` if the peer wants no more."""
        if self._connection.write(data):
            await checkpoint()
            early = self._connection.channel.receive_nowait(READ_SIZE)
            if early is not None:
                self._take(early)
        else:
            await self._drain()
            self._scope.deadline = math.inf
        return self._may_go_on()

    async def _drain(self) -> None:
        """Wait until all is sent, or the peer wants no more of it."""
        channel = self._connection.channel
        self._writing = True
        self._scope.deadline = _deadline(self._timeouts.write)
        while pending := channel.pending:
            with anyio.move_on_after(_LISTEN_EVERY):
                await channel.drain()
            early = channel.receive_nowait(READ_SIZE)
            if early is not None:
                self._take(early)
                if not self._may_go_on():
                    self.in_step = False
                    break
            if channel.pending < pending:
                self._scope.deadline = _deadline(self._timeouts.write)
        self._writing = False

    def _take(self, data: bytes) -> None:
        if data:
            self.pieces += self.parser.feed(data)
        else:
            self.parser.end()


def _deadline(seconds: float | None) -> float:
    return math.inf if seconds is None else anyio.current_time() + seconds

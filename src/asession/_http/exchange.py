"""One request and the head of its response, over one connection, under one set of time limits."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing

import anyio
from anyio.lowlevel import checkpoint

from asession._http.bodies import SMALL
from asession._http.connections import Connection
from asession._http.errors import ConnectionClosed, HttpError, ReadTimeout, WriteTimeout
from asession._http.limits import LONG_READ_SIZE, READ_SIZE, Timeouts
from asession._http.requests import Head, Request
from asession._http.wire import ResponseParser


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
        try:
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
        except HttpError as error:
            error.answered = error.answered or parser.answered
            raise
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
                await self._while_listening(self._drain)
            else:
                if not connection.write(head.data):
                    await self._drain()
                if head.expects:
                    await self._await_word()
                if self.parser.head_complete:
                    self.in_step = head.length == 0  # else refused before it was sent
                elif not self._send_short_body():
                    await self._while_listening(self._send_body)
        except ConnectionClosed:
            self.in_step = False
        self._scope.deadline = _deadline(self._timeouts.read)

    async def _await_word(self) -> None:
        """Wait for ``100 Continue`` or a final answer, but not for long."""
        parser = self.parser
        self._scope.deadline = math.inf
        with anyio.move_on_after(self._timeouts.expect):
            while not (parser.continued or parser.head_complete):
                self._take(await self._connection.receive(READ_SIZE))

    def _send_short_body(self) -> bool:
        """Send a body that is in memory and short, if the kernel takes it at once."""
        content = self._request.body.content
        if content is None or len(content) > SMALL:
            return False
        if self._head.length is None:
            chunk = (b"%x\r\n" % len(content), content, b"\r\n") if content else ()
            return self._connection.write(b"".join((*chunk, b"0\r\n\r\n")))
        return not content or self._connection.write(content)

    async def _while_listening(self, send: Callable[[], Awaitable[None]]) -> None:
        """Send until all is sent or the peer answers: then it wants no more, and may read no more.

        The answer is noticed at once, whatever the sending waits for: the peer or the source. What
        it says is what counts then, not how the source takes being left.
        """
        failure: BaseException | None = None

        async def listen() -> None:
            nonlocal failure
            try:
                while not self.parser.head_complete:
                    self._take(await self._connection.receive(READ_SIZE))
            except HttpError as error:
                failure = error
            except anyio.get_cancelled_exc_class():
                # Not passed on, there is nothing to do after it: on asyncio anyio's group would
                # keep it, with all that its traceback refers to, in a cycle of references. The body
                # of the request would stay in memory until the garbage collector finds it.
                return
            group.cancel_scope.cancel()

        self.in_step = False
        async with anyio.create_task_group() as group:
            group.start_soon(listen)
            try:
                await send()
                self.in_step = True
            except anyio.get_cancelled_exc_class():
                raise
            except BaseException as error:  # raised below: the group would wrap it
                failure = failure or error
            group.cancel_scope.cancel()
        self._writing = False
        if failure is None or (self.parser.head_complete and isinstance(failure, Exception)):
            return
        raise failure

    async def _send_body(self) -> None:
        body, announced = self._request.body, self._head.length
        if self._connection.channel.pending:
            await self._drain()  # of a short body, what the kernel did not take
            return
        self._scope.deadline = math.inf  # what the source takes is its own affair
        count, kept = 0, memoryview(b"")
        async with aclosing(body.pieces()) as source:
            async for piece in source:
                for part in _parts(piece):
                    count += len(part)
                    if announced is None:
                        await self._write(b"".join((b"%x\r\n" % len(part), part, b"\r\n")))
                    elif count < announced:
                        await self._write(part)
                    elif count == announced:
                        # Kept until the source has ended: a longer one is not to be stored cut off.
                        kept = part
                    else:
                        break
        if announced is None:
            await self._write(b"0\r\n\r\n", last=True)
        elif count != announced:
            raise ValueError(
                f"the body has {'more' if count > announced else 'fewer'} bytes than the "
                f"{announced} announced: its source has changed, or was read before"
            )
        elif kept:
            await self._write(kept, last=True)

    async def _write(self, data: bytes | memoryview, *, last: bool = False) -> None:
        """Send a piece."""
        if self._connection.write(data):
            if not last:  # else the answer could come meanwhile, and look as if it came early
                await checkpoint()  # a source in memory never waits
        else:
            await self._drain()
            self._scope.deadline = math.inf

    async def _drain(self) -> None:
        """Wait until all that is kept is sent."""
        channel = self._connection.channel
        self._writing = True
        while channel.pending:
            self._scope.deadline = _deadline(self._timeouts.write)
            await channel.drain()
        self._writing = False

    def _take(self, data: bytes) -> None:
        if data:
            self.pieces += self.parser.feed(data)
        else:
            self.parser.end()


def _parts(piece: bytes | memoryview) -> Iterator[memoryview]:
    """A piece, cut where it is so long that encrypting it would hold up the event loop."""
    view = memoryview(piece).cast("B")
    for start in range(0, len(view), LONG_READ_SIZE):
        yield view[start : start + LONG_READ_SIZE]


def _deadline(seconds: float | None) -> float:
    return math.inf if seconds is None else anyio.current_time() + seconds

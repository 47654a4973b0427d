"""A response: its head, and its body as it arrives."""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Self

import anyio
from anyio.abc import ByteReceiveStream

from asession._http.errors import ConnectionClosed, HttpError, ReadTimeout, TransportClosed
from asession._http.limits import LONG_READ_SIZE, READ_SIZE

if TYPE_CHECKING:
    from types import TracebackType

    from asession._http.connections import Connection
    from asession._http.pool import Pool
    from asession._http.wire import ResponseParser
    from asession._runtime.handover import Handover


class Owner:
    """Whom responses give their connections back to; lives as long as its transport."""

    __slots__ = ("_handover", "_pid", "pool")

    def __init__(self, pool: Pool, handover: Handover, pid: int) -> None:
        self.pool = pool
        self._handover = handover
        self._pid = pid

    def discard(self, connection: Connection) -> bool:
        """Close a connection now, and free its place soon, from any thread or finalizer.

        Returns:
            Whether it was open, in this process.
        """
        if connection.closed or os.getpid() != self._pid:
            return False
        connection.close()
        self._handover(self._release, connection)
        return True

    def _release(self, connection: Connection) -> None:
        self.pool.release(connection, reusable=False)


class Response(ByteReceiveStream):
    """A response whose body is read when asked for.

    Lives until its body is read to the end or it is closed, by whoever got it; then its connection
    goes back to the pool. One that is dropped unread warns and gives its connection back.

    Attributes:
        status: The status code.
        reason: The reason phrase.
        headers: Lower-case names and values, in order.
        received: How many bytes of the body have arrived.
    """

    __slots__ = (
        "_connection",
        "_filling",
        "_owner",
        "_parser",
        "_pieces",
        "_reusable",
        "_size",
        "_timeout",
        "headers",
        "reason",
        "received",
        "status",
    )

    def __init__(
        self,
        owner: Owner,
        connection: Connection,
        parser: ResponseParser,
        pieces: list[bytes],
        timeout: float | None,
        *,
        reusable: bool,
    ) -> None:
        self._owner = owner
        self._connection: Connection | None = connection
        self._parser = parser
        self._pieces: deque[bytes | memoryview] = deque(pieces)
        self._size = self.received = sum(map(len, pieces))
        self._timeout = timeout
        self._filling = False
        self._reusable = reusable
        self.status = parser.status
        self.reason = parser.reason
        self.headers = parser.headers
        if parser.complete:
            self._finish()

    @property
    def length(self) -> int | None:
        """The declared length of the body, or `None`."""
        return self._parser.length

    @property
    def at_end(self) -> bool:
        """Whether the whole body has been handed out."""
        return self._parser.complete and not self._pieces

    async def receive(self, max_bytes: int = READ_SIZE) -> bytes:
        """The next bytes of the body, at least one.

        Raises:
            anyio.EndOfStream: There are no more.
            HttpError: The rest of the body does not arrive.
        """
        piece = await self.read_some(max_bytes)
        if not piece:
            raise anyio.EndOfStream
        return piece

    async def read_some(self, max_bytes: int = READ_SIZE) -> bytes:
        """The next bytes of the body, none at its end.

        Raises:
            HttpError: The rest of the body does not arrive.
        """
        while not self._pieces:
            if self._parser.complete:
                return b""
            await self._fill()
        return self._take(min(max_bytes, len(self._pieces[0])))

    async def read_into(self, buffer: memoryview) -> int:
        """Read the next bytes of the body into a buffer, without a copy where that can be.

        Returns:
            How many; 0 at the end of the body alone.

        Raises:
            HttpError: The rest of the body does not arrive.
        """
        if not self._pieces and self._parser.left:
            return await self._fill(buffer[: self._parser.left])
        piece = await self.read_some(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    async def read(self, amount: int | None = None) -> bytes:
        """The rest of the body, or `amount` bytes of it; fewer only at its end.

        Raises:
            HttpError: The rest of the body does not arrive.
        """
        wanted = None if amount is None or amount < 0 else amount
        while not self._parser.complete and (wanted is None or self._size < wanted):
            await self._fill()
        if wanted is None or wanted >= self._size:
            pieces, self._pieces = self._pieces, deque()
            self._size = 0
            return bytes(pieces[0]) if len(pieces) == 1 else b"".join(pieces)
        return self._take(wanted)

    def _take(self, wanted: int) -> bytes:
        taken = []
        self._size -= wanted
        while wanted:
            piece = self._pieces.popleft()
            if len(piece) > wanted:
                # The rest as a view: copying it for each read would make reading quadratic.
                view = memoryview(piece)
                self._pieces.appendleft(view[wanted:])
                piece = view[:wanted]
            taken.append(piece)
            wanted -= len(piece)
        return bytes(taken[0]) if len(taken) == 1 else b"".join(taken)

    async def iter_chunks(self, size: int = READ_SIZE) -> AsyncIterator[bytes]:
        """The body in pieces of `size` bytes; the last may be shorter."""
        while piece := await self.read(size):
            yield piece

    async def iter_lines(self) -> AsyncIterator[bytes]:
        """The body by lines, without their line ends."""
        rest: list[bytes] = []
        while piece := await self.read_some():
            first, *others = piece.split(b"\n")
            rest.append(first)
            for line in others:
                yield b"".join(rest).removesuffix(b"\r")
                rest = [line]
        if last := b"".join(rest):
            yield last

    async def _fill(self, buffer: memoryview | None = None) -> int:
        """Receive once, into a buffer if there is one; returns how much of the body that was."""
        connection = self._connection
        if connection is None:
            raise TransportClosed("the response was closed before its body was read", answered=True)
        if self._filling:  # what arrives would go to either
            raise anyio.BusyResourceError("reading from")
        seconds = self._timeout
        self._filling = True
        try:
            arrived: bytes | int | None
            if buffer is None:
                arrived = await connection.receive_within(LONG_READ_SIZE, seconds)
            else:
                arrived = await connection.receive_into(buffer, seconds)
            if arrived is None:
                raise ReadTimeout(f"no byte of the body for {seconds} seconds", answered=True)
            size = self._parse(arrived)
        except BaseException as error:  # if cancelled in the middle, it cannot be used again either
            self._give_back(reusable=False)
            if isinstance(error, HttpError):
                error.answered = True
            raise
        finally:
            self._filling = False
        if self._connection is None and not self._parser.complete:
            raise ConnectionClosed("the response was closed while its body was read", answered=True)
        self.received += size
        if self._parser.complete:
            self._finish()
        return size

    def _parse(self, arrived: bytes | int) -> int:
        """What arrived, or how much did in a buffer; returns how much of the body that was."""
        if not arrived:
            self._parser.end()
            return 0
        if isinstance(arrived, int):
            self._parser.passed(arrived)
            return arrived
        pieces = self._parser.feed(arrived)
        size = sum(map(len, pieces))
        self._pieces.extend(pieces)
        self._size += size
        return size

    def _finish(self) -> None:
        self._give_back(reusable=self._reusable and self._parser.keeps_alive)

    def _give_back(self, *, reusable: bool) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._owner.pool.release(connection, reusable=reusable)

    async def aclose(self) -> None:
        """Give up the rest of the body; its connection is closed. Closing again does nothing."""
        self._give_back(reusable=False)

    def abandon(self) -> None:
        """Give up the rest of the body from sync code, in any thread, with or without its loop."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._owner.discard(connection)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        # The garbage collector runs this anywhere, in the middle of the pool's own work too.
        connection = getattr(self, "_connection", None)
        if connection is not None and self._owner.discard(connection):
            warnings.warn(
                f"a response from {connection.route.authority} was dropped before its body was "
                "read: read it, or close it",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )

    def __repr__(self) -> str:
        state = "complete" if self._parser.complete else "reading"
        return f"<Response {self.status}, {state if self._connection or self.at_end else 'closed'}>"

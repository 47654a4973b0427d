"""A response: its head, and its body as it arrives."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Self

import anyio
from anyio.abc import ByteReceiveStream

from asession._http.errors import HttpError, ReadTimeout, TransportClosed
from asession._http.limits import READ_SIZE

if TYPE_CHECKING:
    from types import TracebackType

    from asession._http.connections import Connection
    from asession._http.pool import Pool
    from asession._http.wire import ResponseParser


class Response(ByteReceiveStream):
    """A response whose body is read when asked for.

    Lives until its body is read to the end or it is closed, by whoever got it; then its connection
    goes back to the pool. One that is dropped unread warns and gives its connection back.

    Attributes:
        status: The status code.
        reason: The reason phrase.
        headers: Lower-case names and values, in order.
    """

    __slots__ = (
        "_connection",
        "_parser",
        "_pieces",
        "_pool",
        "_size",
        "_timeout",
        "headers",
        "reason",
        "status",
    )

    def __init__(
        self,
        pool: Pool,
        connection: Connection,
        parser: ResponseParser,
        pieces: list[bytes],
        timeout: float | None,
        *,
        reusable: bool,
    ) -> None:
        self._pool = pool
        self._connection: Connection | None = connection
        self._parser = parser
        self._pieces = deque(pieces)
        self._size = sum(map(len, pieces))
        self._timeout = timeout
        self._reusable = reusable
        self.status = parser.status
        self.reason = parser.reason
        self.headers = parser.headers

    async def start(self) -> None:
        """Let the connection go at once if the whole response is here."""
        if self._parser.complete:
            await self._finish()

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
        piece = self._pieces.popleft()
        if len(piece) > max_bytes:
            self._pieces.appendleft(piece[max_bytes:])
            piece = piece[:max_bytes]
        self._size -= len(piece)
        return piece

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
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return self._take(wanted)

    def _take(self, wanted: int) -> bytes:
        taken = []
        self._size -= wanted
        while wanted:
            piece = self._pieces.popleft()
            if len(piece) > wanted:
                # The rest as a view: copying it for each read would make reading quadratic.
                view = memoryview(piece)
                self._pieces.appendleft(view[wanted:])  # type: ignore[arg-type]
                piece = view[:wanted]  # type: ignore[assignment]
            taken.append(piece)
            wanted -= len(piece)
        return b"".join(taken)

    async def iter_chunks(self, size: int = READ_SIZE) -> AsyncIterator[bytes]:
        """The body in pieces of `size` bytes; the last may be shorter."""
        while piece := await self.read(size):
            yield piece

    async def _fill(self) -> None:
        connection = self._connection
        if connection is None:
            raise TransportClosed("the response was closed before its body was read", answered=True)
        try:
            with anyio.fail_after(self._timeout):
                data = await connection.receive()
            pieces = self._parser.feed(data) if data else []
            if not data:
                self._parser.end()
        except TimeoutError:
            await self.aclose()
            raise ReadTimeout(
                f"no byte of the body for {self._timeout} seconds", answered=True
            ) from None
        except HttpError as error:
            error.answered = True
            await self.aclose()
            raise
        except BaseException:  # cancelled in the middle: the connection cannot be used again
            await self.aclose()
            raise
        self._pieces.extend(pieces)
        self._size += sum(map(len, pieces))
        if self._parser.complete:
            await self._finish()

    async def _finish(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._reusable and self._parser.keeps_alive:
            self._pool.release(connection, reusable=True)
        else:
            await connection.aclose()
            self._pool.release(connection, reusable=False)

    async def aclose(self) -> None:
        """Give up the rest of the body; its connection is closed. Closing again does nothing."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await connection.aclose()
            finally:
                self._pool.release(connection, reusable=False)

    def abandon(self) -> None:
        """Give up the rest of the body from sync code; its connection is closed a little later."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.abandon(connection)

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
        connection = getattr(self, "_connection", None)
        if connection is not None and not connection.closed:
            warnings.warn(
                f"a response from {connection.route.authority} was dropped before its body was "
                "read: read it, or close it",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )
            self._pool.abandon(connection)

    def __repr__(self) -> str:
        state = "complete" if self._parser.complete else "reading"
        return f"<Response {self.status}, {state if self._connection or self.at_end else 'closed'}>"

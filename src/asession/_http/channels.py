"""Bytes to and from a socket, with or without TLS on top; waits through anyio.

Theory of operation. Sockets are used directly, not as anyio's streams: a request then costs one
wait instead of three trips through the event loop, and closing is a plain function, which works
when cancelled, in a finalizer, and in any thread. `write` takes everything at once and keeps what
the kernel does not; `drain` sends that. Only one task may `receive` and one `drain` at a time.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
from typing import Protocol

import anyio

from asession._http.errors import ConnectionClosed
from asession._http.limits import LONG_READ_SIZE, READ_SIZE
from asession._runtime.readiness import Readiness, readiness_of

_BLOCKED = (BlockingIOError, InterruptedError)


class Channel(Protocol):
    """What connections are made of; closed by its connection."""

    @property
    def pending(self) -> int:
        """How many bytes are kept that the kernel has not taken yet."""

    def write(self, data: bytes | memoryview) -> bool:
        """Send bytes, or keep them; `False` if some are kept.

        Raises:
            ConnectionClosed: The peer takes no more.
        """

    async def drain(self) -> None:
        """Wait until the kernel takes some of what is kept.

        Raises:
            ConnectionClosed: The peer takes no more.
        """

    def receive_nowait(self, size: int) -> bytes | None:
        """The bytes that are here, none at the end of the connection, `None` if there are none yet.

        Raises:
            ConnectionClosed: The connection broke.
        """

    async def receive(self, size: int) -> bytes:
        """The next bytes, none at the end of the connection.

        Raises:
            ConnectionClosed: The connection broke.
        """

    async def receive_within(self, size: int, seconds: float | None) -> bytes | None:
        """The next bytes, none at the end of the connection, `None` if nothing comes in time.

        Raises:
            ConnectionClosed: The connection broke.
        """

    async def receive_into(self, buffer: memoryview, seconds: float | None) -> int | None:
        """As `receive_within`, into a buffer: how many bytes of it were filled.

        Raises:
            ConnectionClosed: The connection broke.
        """

    def close(self) -> None:
        """Close without a word; closing again does nothing."""


class Plain:
    """A channel over a connected socket, which it owns and closes."""

    __slots__ = ("_kept", "_pid", "_readiness", "_socket", "_waiting", "closed")

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._pid = os.getpid()
        self._kept: memoryview | bytes = b""
        self._waiting = 0
        self._readiness: Readiness | None = None
        self.closed = False

    @property
    def pending(self) -> int:
        return len(self._kept)

    def write(self, data: bytes | memoryview) -> bool:
        if self._kept:
            self._kept = b"".join((self._kept, data))
            return False
        sent = self._send(data)
        if sent == len(data):
            return True
        self._kept = memoryview(data)[sent:]
        return False

    async def drain(self) -> None:
        self._enter()
        try:
            await anyio.wait_writable(self._socket)
        finally:
            self._leave()
        sent = self._send(self._kept)
        self._kept = memoryview(self._kept)[sent:]

    def _send(self, data: bytes | memoryview) -> int:
        try:
            return self._socket.send(data)
        except _BLOCKED:
            return 0
        except OSError as error:
            raise ConnectionClosed(f"the peer closed the connection: {_why(error)}") from error

    def receive_nowait(self, size: int) -> bytes | None:
        try:
            return self._socket.recv(size)
        except _BLOCKED:
            return None
        except OSError as error:
            raise ConnectionClosed(f"the connection broke: {_why(error)}") from error

    async def receive(self, size: int) -> bytes:
        data = await self.receive_within(size, None)
        assert data is not None
        return data

    async def receive_within(self, size: int, seconds: float | None) -> bytes | None:
        while await self._readable(seconds):
            data = self.receive_nowait(size)
            if data is not None:
                return data
        return None

    async def receive_into(self, buffer: memoryview, seconds: float | None) -> int | None:
        while await self._readable(seconds):
            try:
                return self._socket.recv_into(buffer)
            except _BLOCKED:
                continue
            except OSError as error:
                raise ConnectionClosed(f"the connection broke: {_why(error)}") from error
        return None

    async def _readable(self, seconds: float | None) -> bool:
        """Wait until there is something to read; `False` if there is nothing for too long."""
        self._enter()
        try:
            if self._readiness is None:
                self._readiness = readiness_of(self._socket, self._orphaned)
            if not await self._readiness.wait(seconds):
                return False
        finally:
            self._leave()
        if self.closed:
            raise ConnectionClosed("the connection was closed")
        return True

    def _enter(self) -> None:
        if self.closed:
            raise ConnectionClosed("the connection was closed")
        self._waiting += 1

    def _leave(self) -> None:
        self._waiting -= 1
        self._orphaned()

    def _orphaned(self) -> None:
        """Close the socket now, if it could not be closed at once."""
        if self.closed and not self._waiting:
            if self._readiness is not None:
                self._readiness.forget()
            self._socket.close()

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        # In a forked child nobody waits, and to shut down would end the parent's connection.
        if os.getpid() == self._pid and (
            self._waiting or not (self._readiness is None or self._readiness.forget())
        ):
            # Whoever waits wakes up and closes. The descriptor must not go before: its number could
            # be another socket's by the time the event loop forgets the wait.
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the peer was first
        else:
            self._socket.close()


class Secure:
    """TLS over another channel, which it owns and closes."""

    __slots__ = ("_below", "_in", "_out", "_tls")

    def __init__(self, below: Channel, context: ssl.SSLContext, host: str) -> None:
        self._below = below
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=host)

    async def handshake(self) -> None:
        """Agree with the peer.

        Raises:
            ssl.SSLError: The peer's certificate is not to be trusted, or it speaks no TLS.
            ConnectionClosed: The peer left.
        """
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._below.receive(READ_SIZE)
                if not data:
                    raise ConnectionClosed("the peer closed the connection") from None
                self._in.write(data)
            except ssl.SSLError:
                with contextlib.suppress(ConnectionClosed):
                    self._below.write(self._out.read())  # tells the peer why
                raise
            else:
                await self._flush()
                return

    async def _flush(self) -> None:
        self._below.write(self._out.read())
        while self._below.pending:
            await self._below.drain()

    @property
    def pending(self) -> int:
        return self._below.pending

    def write(self, data: bytes | memoryview) -> bool:
        if len(data):
            try:
                self._tls.write(data)
            except ssl.SSLError as error:
                raise ConnectionClosed(f"the TLS connection broke: {_why(error)}") from error
        return self._below.write(self._out.read())

    async def drain(self) -> None:
        await self._below.drain()

    def receive_nowait(self, size: int) -> bytes | None:
        pieces = self._decrypt(size)
        while pieces is None:
            data = self._below.receive_nowait(READ_SIZE)
            if data is None:
                return None
            self._take(data)
            pieces = self._decrypt(size)
        return pieces

    async def receive(self, size: int) -> bytes:
        data = await self.receive_within(size, None)
        assert data is not None
        return data

    async def receive_within(self, size: int, seconds: float | None) -> bytes | None:
        pieces = self._decrypt(size)
        while pieces is None:
            data = await self._below.receive_within(max(size, READ_SIZE), seconds)
            if data is None:
                return None
            self._take(data)
            pieces = self._decrypt(size)
        return pieces

    async def receive_into(self, buffer: memoryview, seconds: float | None) -> int | None:
        # Of a long buffer not all at once: decrypting holds up the event loop.
        data = await self.receive_within(min(len(buffer), LONG_READ_SIZE), seconds)
        if data is None:
            return None
        buffer[: len(data)] = data
        return len(data)

    def _take(self, data: bytes) -> None:
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()

    def _decrypt(self, size: int) -> bytes | None:
        """All that is here, up to `size` bytes; none at the end, `None` if more must come first."""
        pieces = []
        try:
            while size > 0:
                piece = self._tls.read(size)
                if not piece:
                    break
                pieces.append(piece)
                size -= len(piece)
        except ssl.SSLWantReadError:
            if self._out.pending:  # an answer to the peer's own TLS messages
                self._below.write(self._out.read())
            if not pieces:
                return None
        except ssl.SSLZeroReturnError:
            pass
        except ssl.SSLError as error:
            # Without TLS's own goodbye anybody could have cut the connection: an end of the
            # connection is then not the end of a body.
            if not pieces:
                raise ConnectionClosed(f"the TLS connection broke: {_why(error)}") from error
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        self._below.close()


def _why(error: OSError) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__

"""One connection to a peer: opened through proxies and TLS, used, closed."""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSStream

from asession._http.errors import (
    ConnectFailed,
    ConnectionClosed,
    ConnectTimeout,
    ProxyFailed,
    TlsFailed,
)
from asession._http.limits import READ_SIZE
from asession._http.requests import Proxy, Route
from asession._http.tls import TlsSettings, ssl_context
from asession._http.wire import ResponseParser


class Connection:
    """One TCP or TLS connection; owned by a pool, used by one request at a time.

    Attributes:
        route: Where it goes.
        idle_since: When its last response was complete, on the event loop's clock.
        uses: How many requests it has carried.
    """

    __slots__ = ("_raw", "_stream", "closed", "idle_since", "route", "uses")

    def __init__(self, stream: ByteStream, route: Route) -> None:
        self._stream = stream
        self._raw: socket.socket = stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - not a database's
        self.route = route
        self.idle_since = 0.0
        self.uses = 0
        self.closed = False

    async def send(self, data: bytes | memoryview) -> None:
        """Send all of `data`.

        Raises:
            ConnectionClosed: The peer takes no more.
        """
        try:
            await self._stream.send(cast("bytes", data))
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError) as error:
            raise ConnectionClosed(f"the peer closed the connection: {_cause(error)}") from error

    async def receive(self) -> bytes:
        """The next bytes, or none at the end of the connection.

        Raises:
            ConnectionClosed: The connection broke.
        """
        try:
            return await self._stream.receive(READ_SIZE)
        except anyio.EndOfStream:
            return b""
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError) as error:
            raise ConnectionClosed(f"the connection broke: {_cause(error)}") from error

    def is_readable(self) -> bool:
        """Whether bytes, or the end of the connection, wait to be read."""
        try:
            if hasattr(select, "poll"):
                poll = select.poll()
                poll.register(self._raw.fileno(), select.POLLIN)
                return bool(poll.poll(0))
            return bool(select.select([self._raw], [], [], 0)[0])
        except (OSError, ValueError):
            return True  # the socket is gone

    async def aclose(self) -> None:
        """Close without a word: HTTP has none, and a peer that hangs must not hold us."""
        if not self.closed:
            self.closed = True
            await anyio.aclose_forcefully(self._stream)

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<Connection to {self.route.authority}, {state}, {self.uses} requests>"


async def open_connection(route: Route, seconds: float | None) -> Connection:
    """A new connection along a route.

    Args:
        route: Where to, and how.
        seconds: For all of it, or `None`.

    Raises:
        ConnectTimeout: It took too long.
        ConnectFailed: The peer, or the proxy, cannot be reached or trusted.
    """
    try:
        with anyio.fail_after(seconds):
            stream = await _open(route)
    except TimeoutError as error:
        raise ConnectTimeout(
            f"no connection to {route.authority} within {seconds} seconds"
        ) from error
    return Connection(stream, route)


async def _open(route: Route) -> ByteStream:
    proxy = route.proxy
    if proxy is None:
        stream = await _tcp(route.host, route.port, route.tcp_keepalive)
    else:
        stream = await _to_proxy(proxy, route.tcp_keepalive)
        if not route.is_forwarded:
            async with _closing_on_error(stream):
                await _tunnel(stream, proxy, route)
    if route.tls is not None and not route.is_forwarded:
        stream = await _tls(stream, route.host, route.tls)
    return stream


async def _tcp(host: str, port: int, keepalive: bool) -> ByteStream:
    try:
        stream = await anyio.connect_tcp(host, port)
    except OSError as error:
        raise ConnectFailed(f"cannot connect to {host}:{port}: {_cause(error)}") from error
    raw: socket.socket = stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - not a database's
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if keepalive:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return stream


async def _tls(stream: ByteStream, host: str, settings: TlsSettings) -> ByteStream:
    async with _closing_on_error(stream):
        try:
            context = await ssl_context(settings)
        except (OSError, ssl.SSLError) as error:
            raise TlsFailed(f"cannot load certificates: {_cause(error)}") from error
        try:
            return await TLSStream.wrap(
                stream, hostname=host, ssl_context=context, standard_compatible=False
            )
        except (ssl.SSLError, ssl.CertificateError, OSError) as error:
            raise TlsFailed(f"the TLS handshake with {host} failed: {_cause(error)}") from error
        except (anyio.BrokenResourceError, anyio.EndOfStream) as error:
            raise TlsFailed(
                f"the TLS handshake with {host} failed: the peer closed the connection"
            ) from error


async def _to_proxy(proxy: Proxy, keepalive: bool) -> ByteStream:
    try:
        stream = await _tcp(proxy.host, proxy.port, keepalive)
        if proxy.scheme == "https":
            stream = await _tls(stream, proxy.host, proxy.tls or TlsSettings())
    except ConnectFailed as error:
        raise ProxyFailed(f"the proxy {proxy.host}:{proxy.port}: {error}") from error
    return stream


async def _tunnel(stream: ByteStream, proxy: Proxy, route: Route) -> None:
    lines = [f"CONNECT {route.authority} HTTP/1.1", f"Host: {route.authority}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    parser = ResponseParser("HEAD")  # the answer to CONNECT has no body
    try:
        await stream.send("\r\n".join((*lines, "", "")).encode())
        while not parser.head_complete:
            parser.feed(await stream.receive(READ_SIZE))
    except (anyio.BrokenResourceError, anyio.EndOfStream, OSError) as error:
        raise ProxyFailed(f"the proxy {proxy.host}:{proxy.port} closed the connection") from error
    if not 200 <= parser.status < 300:
        raise ProxyFailed(
            f"the proxy {proxy.host}:{proxy.port} refuses the tunnel to {route.authority}: "
            f"{parser.status} {parser.reason}"
        )


@asynccontextmanager
async def _closing_on_error(stream: ByteStream) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        await anyio.aclose_forcefully(stream)
        raise


def _cause(error: BaseException) -> str:
    inner: Any = error.__cause__ or error
    return getattr(inner, "strerror", None) or str(inner) or type(inner).__name__

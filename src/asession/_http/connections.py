"""One connection to a peer: opened through proxies and TLS, used, closed."""

from __future__ import annotations

import socket
import ssl
from time import perf_counter
from typing import TYPE_CHECKING, Any

import anyio
from anyio.abc import SocketAttribute

from asession._http.channels import Channel, Plain, Secure
from asession._http.errors import (
    ConnectFailed,
    ConnectionClosed,
    ConnectTimeout,
    ProtocolError,
    ProxyFailed,
    TlsFailed,
)
from asession._http.limits import READ_SIZE
from asession._http.requests import Proxy, Route
from asession._http.tls import TlsSettings, ssl_context
from asession._http.wire import ResponseParser

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Connection:
    """One TCP or TLS connection; owned by a pool, used by one request at a time.

    Attributes:
        route: Where it goes.
        channel: Its bytes.
        write: The channel's.
        receive: The channel's.
        receive_within: The channel's.
        receive_into: The channel's.
        idle_since: When its last response was complete, on the event loop's clock.
        uses: How many requests it has carried.
        number: Its number among those of its pool, from 1.
        opened_at: When it was open, as `time.perf_counter` has it.
        handshake: How long the TLS handshake took, in seconds; `None` without TLS.
        told_closed: Whether its end was reported.
    """

    __slots__ = (
        "channel",
        "closed",
        "handshake",
        "idle_since",
        "number",
        "opened_at",
        "receive",
        "receive_into",
        "receive_within",
        "route",
        "told_closed",
        "uses",
        "write",
    )

    def __init__(self, channel: Channel, route: Route, handshake: float | None = None) -> None:
        self.channel = channel
        self.write: Callable[[bytes | memoryview], bool] = channel.write
        self.receive: Callable[[int], Awaitable[bytes]] = channel.receive
        self.receive_within = channel.receive_within
        self.receive_into = channel.receive_into
        self.route = route
        self.idle_since = 0.0
        self.uses = 0
        self.closed = False
        self.number = 0
        self.opened_at = perf_counter()
        self.handshake = handshake
        self.told_closed = False

    def is_quiet(self) -> bool:
        """Whether an idle connection is still as it should be: open, and nothing said."""
        try:
            return not self.closed and self.channel.receive_nowait(1) is None
        except ConnectionClosed:
            return False

    def close(self) -> None:
        """Close without a word: HTTP has none, and a peer that hangs must not hold us."""
        self.closed = True
        self.channel.close()

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
    opened: list[Channel] = []
    try:
        with anyio.fail_after(seconds):
            channel, handshake = await _open(route, opened)
    except BaseException as error:
        for below in opened:
            below.close()
        if isinstance(error, TimeoutError):
            raise ConnectTimeout(
                f"no connection to {route.authority} within {seconds} seconds"
            ) from error
        raise
    return Connection(channel, route, handshake)


async def _open(route: Route, opened: list[Channel]) -> tuple[Channel, float | None]:
    proxy = route.proxy
    channel: Channel
    if proxy is None:
        channel = await _tcp(route.host, route.port, route.tcp_keepalive, opened)
    else:
        channel = await _to_proxy(proxy, route.tcp_keepalive, opened)
        if not route.is_forwarded:
            await _tunnel(channel, proxy, route)
    if route.tls is not None and not route.is_forwarded:
        return await _tls(channel, route.host, route.tls)
    return channel, None


async def _tcp(host: str, port: int, keepalive: bool, opened: list[Channel]) -> Plain:
    try:
        stream = await anyio.connect_tcp(host, port)
    except (OSError, ValueError) as error:  # a ValueError: the name cannot be encoded
        raise ConnectFailed(f"cannot connect to {host}:{port}: {_cause(error)}") from error
    # anyio races the addresses; from here on the socket alone is used: see `channels`.
    raw: Any = stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - not a database's
    try:
        channel = Plain(socket.fromfd(raw.fileno(), raw.family, raw.type))
        opened.append(channel)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if keepalive:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    except OSError as error:
        raise ConnectFailed(f"cannot connect to {host}:{port}: {_cause(error)}") from error
    finally:
        await anyio.aclose_forcefully(stream)
    return channel


async def _tls(below: Channel, host: str, settings: TlsSettings) -> tuple[Secure, float]:
    """TLS on top of a channel, and the seconds that its handshake took."""
    try:
        context = await ssl_context(settings)
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(settings.files) or "the system"
        raise TlsFailed(f"cannot load certificates from {files}: {_cause(error)}") from error
    try:
        began = perf_counter()  # not before: the certificates may have had to be read
        channel = Secure(below, context, host)
        await channel.handshake()
    except (ssl.SSLError, ConnectionClosed, OSError, ValueError) as error:
        raise TlsFailed(f"the TLS handshake with {host} failed: {_cause(error)}") from error
    return channel, perf_counter() - began


async def _to_proxy(proxy: Proxy, keepalive: bool, opened: list[Channel]) -> Channel:
    try:
        channel: Channel = await _tcp(proxy.host, proxy.port, keepalive, opened)
        if proxy.scheme == "https":
            channel, _ = await _tls(channel, proxy.host, proxy.tls or TlsSettings())
    except ConnectFailed as error:
        raise ProxyFailed(f"the proxy {proxy.host}:{proxy.port}: {error}") from error
    return channel


async def _tunnel(channel: Channel, proxy: Proxy, route: Route) -> None:
    lines = [f"CONNECT {route.authority} HTTP/1.1", f"Host: {route.authority}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    parser = ResponseParser("CONNECT")
    try:
        channel.write("\r\n".join((*lines, "", "")).encode())
        while channel.pending:
            await channel.drain()
        while not parser.head_complete:
            data = await channel.receive(READ_SIZE)
            if data:
                parser.feed(data)
            else:
                parser.end()
    except (ConnectionClosed, ProtocolError) as error:
        raise ProxyFailed(f"the proxy {proxy.host}:{proxy.port}: {error}") from error
    if not 200 <= parser.status < 300:
        raise ProxyFailed(
            f"the proxy {proxy.host}:{proxy.port} refuses the tunnel to {route.authority}: "
            f"{parser.status} {parser.reason}"
        )
    if parser.surplus:
        raise ProxyFailed(f"the proxy {proxy.host}:{proxy.port} speaks inside the tunnel")


def _cause(error: BaseException) -> str:
    inner: Any = error.__cause__ or error
    return getattr(inner, "strerror", None) or str(inner) or type(inner).__name__

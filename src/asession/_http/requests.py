"""A request as it goes out: its route, its head, its body."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from asession._http.bodies import Body
from asession._http.tls import TlsSettings

# What must not appear where it could start another line or another request.
_BAD_VALUE = re.compile(rb"[\x00\r\n]")
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_BAD_TARGET = re.compile(rb"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy; a value.

    Attributes:
        scheme: ``"http"`` or ``"https"``: how the proxy itself is spoken to.
        host: Its host.
        port: Its port.
        authorization: The value of ``Proxy-Authorization``, or `None`.
        tls: How its certificate is checked, for ``https``.
        forward: Whether requests for https endpoints are forwarded instead of tunnelled.
    """

    scheme: str
    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)
    tls: TlsSettings | None = None
    forward: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """What two requests must share to share connections; a value.

    Attributes:
        scheme: ``"http"`` or ``"https"``.
        host: The endpoint's host, without brackets.
        port: Its port.
        tls: How its certificate is checked, for ``https``.
        proxy: The proxy on the way, or `None`.
        limit: The most connections at a time.
        tcp_keepalive: Whether the kernel probes idle connections.
    """

    scheme: str
    host: str
    port: int
    tls: TlsSettings | None = None
    proxy: Proxy | None = None
    limit: int = 10
    tcp_keepalive: bool = False

    @property
    def authority(self) -> str:
        """Host and port as in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_forwarded(self) -> bool:
        """Whether a proxy reads the requests, and needs whole URLs in them."""
        return self.proxy is not None and (self.scheme == "http" or self.proxy.forward)


@dataclass(slots=True)
class Request:
    """One request; used for one `send`.

    Attributes:
        method: For example ``"PUT"``.
        target: Path and query as they go on the wire; neither normalised nor quoted again.
        headers: Names and values, in order. ``Host`` is added if absent.
        body: What is sent after the head.
    """

    method: str
    target: str
    headers: Iterable[tuple[str, str | bytes]]
    body: Body


def encode_head(request: Request, route: Route) -> tuple[bytes, bool]:
    """The request line and headers, and whether the peer is asked before the body.

    Raises:
        ValueError: A header or the target could smuggle another line in.
    """
    target = request.target.encode()
    if _BAD_TARGET.search(target):
        raise ValueError("the request target has a space or control character")
    if route.is_forwarded:
        target = f"{route.scheme}://{_host(route)}".encode() + target
    lines = [request.method.encode() + b" " + target + b" HTTP/1.1"]
    seen = set()
    expects = False
    for name, value in request.headers:
        raw_name, raw_value = name.encode("ascii", "replace"), _bytes(value)
        if not _NAME.match(raw_name):
            raise ValueError(f"the header name {name!r} has characters that are not allowed")
        if _BAD_VALUE.search(raw_value):
            raise ValueError(f"the value of the header {name!r} has a line break or NUL")
        lower = raw_name.lower()
        seen.add(lower)
        if lower == b"expect" and raw_value.lower() == b"100-continue":
            expects = True
        lines.append(raw_name + b": " + raw_value)
    if b"host" not in seen:
        lines.append(b"Host: " + _host(route).encode())
    framing = request.body.framing(seen, request.method)
    if framing is not None:
        lines.append(framing)
    if route.is_forwarded and route.proxy is not None and route.proxy.authorization:
        lines.append(b"Proxy-Authorization: " + route.proxy.authorization.encode())
    return b"\r\n".join(lines) + b"\r\n\r\n", expects


def _host(route: Route) -> str:
    default = {"http": 80, "https": 443}[route.scheme]
    return route.authority.removesuffix(f":{default}")


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()

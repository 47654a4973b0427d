"""A request as it goes out: its route, its head, its body."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from asession._http.bodies import Body
from asession._http.tls import TlsSettings

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_BAD_TARGET = re.compile(r"[\x00-\x20\x7f]")
_DEFAULT_PORTS = {"http": 80, "https": 443}
# The headers that say something to the transport itself.
_TELLING = frozenset({"host", "content-length", "transfer-encoding", "expect"})


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


@dataclass(slots=True)
class Head:
    """A request's head as it goes out; lives as long as the request.

    Attributes:
        data: Its bytes.
        expects: Whether the peer is asked before the body is sent.
        length: The announced length of the body; `None` if it goes in chunks.
    """

    data: bytes
    expects: bool
    length: int | None


def encode_head(request: Request, route: Route) -> Head:
    """The request line and headers.

    Raises:
        ValueError: A header or the target could smuggle another line or request in.
    """
    target = request.target
    if _BAD_TARGET.search(target) or not _NAME.match(request.method):
        raise ValueError("the method or target of a request has a space or control character")
    if route.is_forwarded:
        target = f"{route.scheme}://{_host(route)}{target}"
    lines = [f"{request.method} {target} HTTP/1.1".encode("utf-8", "surrogateescape")]
    told: dict[str, str] = {}
    for name, value in request.headers:
        data = value if type(value) is bytes else _bytes(value)
        lower, start = _start(name)
        lines.append(start + data)
        if lower in _TELLING:
            if lower in told and lower == "content-length":
                raise ValueError("the header Content-Length is there twice")
            told[lower] = data.decode("utf-8", "surrogateescape")
    if "host" not in told:
        lines.append(f"Host: {_host(route)}".encode("utf-8", "surrogateescape"))
    announced, framing = _framing(
        request, told.get("content-length"), told.get("transfer-encoding")
    )
    if framing is not None:
        lines.append(framing.encode())
    if route.proxy is not None and route.proxy.authorization and route.is_forwarded:
        lines.append(f"Proxy-Authorization: {route.proxy.authorization}".encode())
    count = len(lines) + 1
    lines.append(b"\r\n")
    head = b"\r\n".join(lines)
    if head.count(b"\r") != count or head.count(b"\n") != count or b"\0" in head:
        name = next((name for name, value in request.headers if _is_bad(value)), "Host")
        raise ValueError(f"the value of the header {name!r} has a line break or NUL")
    return Head(head, told.get("expect", "").lower() == "100-continue", announced)


def _framing(
    request: Request, length: str | None, coding: str | None
) -> tuple[int | None, str | None]:
    """The body's announced length, and the header that tells where it ends, if it lacks one."""
    size = request.body.length
    if coding is not None:
        if length is not None or coding.lower() != "chunked":
            raise ValueError("Transfer-Encoding must be chunked, and alone")
        return None, None
    if length is not None:
        if not (length.isascii() and length.isdigit()):
            raise ValueError("Content-Length is not a number")
        if size not in (None, int(length)):
            raise ValueError(f"the body has {size} bytes, but Content-Length says {length}")
        return int(length), None
    if size is None:
        return None, "Transfer-Encoding: chunked"
    if size or request.method in ("POST", "PUT", "PATCH"):
        return size, f"Content-Length: {size}"
    return 0, None


@lru_cache(maxsize=512)
def _start(name: str) -> tuple[str, bytes]:
    """A header's name in lower case, and the start of its line."""
    if not _NAME.match(name):
        raise ValueError(f"the header name {name!r} has characters that are not allowed")
    return name.lower(), f"{name}: ".encode()


def _bytes(value: str | bytes) -> bytes:
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    return str(value).encode("utf-8", "surrogateescape")


def _is_bad(value: str | bytes) -> bool:
    return not {13, 10, 0}.isdisjoint(_bytes(value))


def _host(route: Route) -> str:
    return route.authority.removesuffix(f":{_DEFAULT_PORTS[route.scheme]}")

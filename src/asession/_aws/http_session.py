"""Our transport as aiobotocore's `http_session_cls`: requests in, responses out, errors mapped."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import botocore.exceptions as upstream
from aiobotocore.awsrequest import AioAWSResponse
from aiobotocore.httpxsession import HttpxSession
from aiobotocore.response import AioReadTimeoutError
from botocore.httpsession import (
    MAX_POOL_CONNECTIONS,
    ProxyConfiguration,
    get_cert_path,
    mask_proxy_url,
)

from asession._aws.headers import Headers
from asession._http.bodies import body_of
from asession._http.errors import (
    ConnectFailed,
    ConnectionClosed,
    ConnectTimeout,
    HttpError,
    PoolTimeout,
    ProxyFailed,
    ReadTimeout,
    TlsFailed,
    TransportClosed,
)
from asession._http.limits import READ_SIZE, Timeouts
from asession._http.requests import Proxy, Request, Route
from asession._http.responses import Response
from asession._http.tls import TlsSettings
from asession._http.transport import Transport

# botocore's own, found when this module is imported, in a worker thread: the search imports more.
_CA_BUNDLE = get_cert_path(True)
_DEFAULT_PORTS = {"http": 80, "https": 443}

# certifi looks for its file at the first call: here, where a worker thread imports this module, and
# not on the event loop's thread.
get_cert_path(True)


class BodyCutShortError(upstream.ResponseStreamingError, upstream.IncompleteReadError):
    """The peer closed the connection before the body that was being read was complete."""


def tls_settings(verify: Any, client_cert: Any = None) -> TlsSettings:
    """The TLS settings that botocore's `verify` and `client_cert` stand for."""
    return TlsSettings(
        verify=bool(verify),
        ca_bundle=(_CA_BUNDLE if verify is True else get_cert_path(verify)) if verify else None,
        client_cert=_cert(client_cert),
    )


class Answer(AioAWSResponse):
    """What botocore sees of a response; lives as long as the call, or as its body."""

    def __init__(self, url: str, status_code: int, headers: Headers, raw: RawBody) -> None:
        # botocore's constructor would copy the headers.
        self.url = url
        self.status_code = status_code
        self.headers = headers
        self.raw = raw
        self._content: bytes | None = None


class HttpSession(HttpxSession):
    """Sends one client's requests through the transport it is attached to.

    It is an `HttpxSession` by descent alone: aiobotocore takes that for "runs on anyio". Lives as
    long as its client; the transport belongs to the session, or, where none was attached, to this
    object, which then closes it.
    """

    def __init__(
        self,
        verify: Any = True,
        proxies: Mapping[str, str] | None = None,
        timeout: Any = None,
        max_pool_connections: int = MAX_POOL_CONNECTIONS,
        socket_options: Any = None,
        client_cert: Any = None,
        proxies_config: Mapping[str, Any] | None = None,
        connector_args: Mapping[str, Any] | None = None,
    ) -> None:
        # Upstream's constructor wants httpx: nothing of it is used.
        arguments = connector_args or {}
        connect, read = timeout if isinstance(timeout, list | tuple) else (timeout, timeout)
        self._timeouts = Timeouts(
            connect=connect,
            read=read,
            write=arguments.get("write_timeout", read),
            pool=arguments.get("pool_timeout"),
        )
        self._tls = tls_settings(verify, client_cert)
        self._limit = max(1, max_pool_connections)
        self._keepalive = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in (socket_options or ())
        self._proxy_config = ProxyConfiguration(proxies=proxies, proxies_settings=proxies_config)
        self._routes: dict[tuple[str, str], Route] = {}
        self._transport: Transport | None = None
        self._owned: Transport | None = None

    def attach(self, transport: Transport) -> None:
        """Use a session's transport, whose connections all its clients share."""
        self._transport = transport

    async def __aenter__(self) -> HttpSession:
        if self._transport is None:
            self._transport = self._owned = Transport()
        return self

    async def __aexit__(self, kind: Any, error: Any, traceback: Any) -> None:
        self._transport = None
        owned, self._owned = self._owned, None
        if owned is not None:
            await owned.aclose()

    async def close(self) -> None:
        """End this client's use of the transport."""
        await self.__aexit__(None, None, None)

    async def send(self, request: Any) -> AioAWSResponse:
        """Send a prepared request.

        Raises:
            botocore.exceptions.HTTPClientError: The class of botocore that says what went wrong.
        """
        transport = self._transport
        if transport is None:
            raise upstream.HTTPClientError(error="the HTTP session is closed")
        url = request.url
        parts = urlsplit(url)
        try:
            route = self._route(parts.scheme, parts.netloc)
            response = await transport.send(
                _translate(request, url, parts), route, self._timeouts_for(request)
            )
            body = RawBody(response, url)
            answer = Answer(url, response.status, Headers.of_response(response.headers), body)
            if not request.stream_output or response.status >= 300:
                # Read here, where what goes wrong counts as a failed attempt and is tried again;
                # the bodies of errors too, which botocore reads where nothing is.
                answer._content = await response.read()
        except HttpError as error:
            raise self._mapped(error, url) from error
        return answer

    def _route(self, scheme: str, netloc: str) -> Route:
        route = self._routes.get((scheme, netloc))
        if route is None:
            parts = urlsplit(f"{scheme}://{netloc}")
            route = self._routes[scheme, netloc] = Route(
                scheme=scheme,
                host=parts.hostname or "",
                port=parts.port or _DEFAULT_PORTS[scheme],
                tls=self._tls if scheme == "https" else None,
                proxy=self._proxy_for(f"{scheme}://{netloc}"),
                limit=self._limit,
                tcp_keepalive=self._keepalive,
            )
        return route

    def _proxy_for(self, url: str) -> Proxy | None:
        proxy_url = self._proxy_config.proxy_url_for(url)
        if not proxy_url:
            return None
        parts = urlsplit(proxy_url)
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise upstream.InvalidProxiesConfigError(
                error=f"{mask_proxy_url(proxy_url)} is not a URL of an http or https proxy"
            )
        settings = self._proxy_config.settings
        cert = settings.get("proxy_client_cert")
        bundle = settings.get("proxy_ca_bundle") or self._tls.ca_bundle
        return Proxy(
            scheme=parts.scheme,
            host=parts.hostname,
            port=parts.port or _DEFAULT_PORTS[parts.scheme],
            authorization=self._proxy_config.proxy_headers_for(proxy_url).get(
                "Proxy-Authorization"
            ),
            tls=TlsSettings(self._tls.verify, bundle, _cert(cert)),
            forward=bool(settings.get("proxy_use_forwarding_for_https")),
        )

    def _timeouts_for(self, request: Any) -> Timeouts:
        read = (getattr(request, "context", None) or {}).get("read_timeout")
        if read is None:
            return self._timeouts
        mine = self._timeouts
        return Timeouts(connect=mine.connect, read=read, write=mine.write, pool=mine.pool)

    def _mapped(self, error: HttpError, url: str) -> Any:
        shown = _shown(url)
        match error:
            case ReadTimeout():
                return upstream.ReadTimeoutError(endpoint_url=shown, error=error)
            case ProxyFailed():
                proxy = self._proxy_config.proxy_url_for(url) or ""
                return upstream.ProxyConnectionError(proxy_url=mask_proxy_url(proxy), error=error)
            case ConnectTimeout() | PoolTimeout():
                return upstream.ConnectTimeoutError(endpoint_url=shown, error=error)
            case TlsFailed():
                return upstream.SSLError(endpoint_url=shown, error=error)
            case ConnectFailed():
                return upstream.EndpointConnectionError(endpoint_url=shown, error=error)
            case TransportClosed():
                return upstream.HTTPClientError(error=error)
        # A peer that closes, talks nonsense or takes nothing: worth another try in every mode.
        return upstream.ConnectionClosedError(endpoint_url=shown, error=error)


class MetadataSession(HttpSession):
    """For metadata and container endpoints: opened by the first user, closed by the last."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._users = 0

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[MetadataSession]:
        """Use the session for a block."""
        self._users += 1
        if self._transport is None:
            await self.__aenter__()
        try:
            yield self
        finally:
            self._users -= 1
            if not self._users:
                await self.close()


class RawBody:
    """A response's body with the part of aiohttp's interface that aiobotocore's bodies use.

    Lives as long as the response; closing the body that users see closes it.
    """

    def __init__(self, response: Response, url: str) -> None:
        self._response = response
        self.url = url
        self.content = self

    def at_eof(self) -> bool:
        """Whether all has been read."""
        return self._response.at_end

    async def read(self, amount: int = -1) -> bytes:
        """The rest, or `amount` bytes.

        Raises:
            botocore.exceptions.ReadTimeoutError: The peer sent nothing for too long.
            botocore.exceptions.ResponseStreamingError: The rest does not come.
        """
        try:
            return await self._response.read(amount)
        except HttpError as error:
            raise self._mapped(error) from error

    async def read_some(self, max_bytes: int = READ_SIZE) -> bytes:
        """What arrives next, as it arrives; none at the end."""
        try:
            return await self._response.read_some(max_bytes)
        except HttpError as error:
            raise self._mapped(error) from error

    async def read_into(self, buffer: memoryview) -> int:
        """Read what arrives next into a buffer; returns how many bytes, 0 at the end.

        Raises:
            botocore.exceptions.ResponseStreamingError: The rest does not come.
        """
        try:
            return await self._response.read_into(buffer)
        except HttpError as error:
            raise self._mapped(error) from error

    async def iter_chunks(self) -> AsyncIterator[tuple[bytes, bool]]:
        """The body as it arrives, as upstream's event streams read it."""
        while piece := await self.read_some():
            yield piece, True

    def _mapped(self, error: HttpError) -> Any:
        match error:
            case ReadTimeout():
                return AioReadTimeoutError(endpoint_url=_shown(self.url), error=error)
            case ConnectionClosed():
                received, length = self._response.received, self._response.length
                return BodyCutShortError(error=error, actual_bytes=received, expected_bytes=length)
        return upstream.ResponseStreamingError(error=error)

    def close(self) -> None:
        """Give up the rest."""
        self._response.abandon()

    async def aclose(self) -> None:
        """Give up the rest, and end the connection now."""
        await self._response.aclose()


def _cert(given: Any) -> Any:
    return tuple(given) if isinstance(given, list) else given


def _shown(url: str) -> str:
    """A URL as messages may have it: without its query, which may be a signature."""
    return url.partition("?")[0]


def _translate(request: Any, url: str, parts: Any) -> Request:
    # The target as botocore wrote it: neither normalised nor quoted again, or S3 keys break.
    start = url.index("://") + 3 + len(parts.netloc)
    target = url[start:].partition("#")[0] or "/"
    if target[0] != "/":
        target = "/" + target
    # Compressed answers would break checksums, which are of what was sent.
    headers = [("Accept-Encoding", "identity")]
    given = request.headers
    length = None
    if type(given) is Headers:
        announced = given.get("content-length")
        if announced is not None:
            length = int(announced)
        if "accept-encoding" in given:
            given = given.copy()
            del given["accept-encoding"]
        headers += given.items()
        return Request(request.method, target, headers, body_of(request.body, length))
    for name, value in given.items():
        lower = name.lower()
        if lower == "accept-encoding":
            continue
        if lower == "content-length":
            length = int(value)
        headers.append((name, value))
    return Request(request.method, target, headers, body_of(request.body, length))

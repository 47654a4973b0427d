"""What can go wrong between a request and its response."""

from __future__ import annotations


class HttpError(Exception):
    """The root of the transport's errors.

    Attributes:
        answered: Whether a byte of the response had arrived. Where none had, the request can be
            sent again if its body can.
    """

    def __init__(self, message: str, *, answered: bool = False) -> None:
        super().__init__(message)
        self.answered = answered


class PoolTimeout(HttpError):  # noqa: N818 - the field's word
    """No connection became free in time."""


class ConnectFailed(HttpError):  # noqa: N818
    """The peer cannot be reached."""


class ConnectTimeout(ConnectFailed):
    """The peer did not accept the connection in time."""


class TlsFailed(ConnectFailed):
    """The TLS handshake failed; the certificate may be wrong."""


class ProxyFailed(ConnectFailed):
    """The proxy cannot be reached, or refuses the tunnel."""


class ReadTimeout(HttpError):  # noqa: N818
    """The peer sent nothing for too long."""


class WriteTimeout(HttpError):  # noqa: N818
    """The peer took nothing for too long."""


class ConnectionClosed(HttpError):  # noqa: N818
    """The peer closed the connection before the response was complete."""


class ProtocolError(HttpError):
    """The peer's answer is not HTTP, or breaks a limit."""


class TransportClosed(HttpError):  # noqa: N818
    """The transport was used after it was closed."""

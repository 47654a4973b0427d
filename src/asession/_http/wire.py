"""The response side of the protocol: bytes in, head and body out; parsed in C."""

from __future__ import annotations

from typing import Any

import httptools

from asession._http.errors import ConnectionClosed, ProtocolError
from asession._http.limits import MAX_HEAD


class ResponseParser:
    """Parses one response, interim ones before it included; lives as long as the response.

    Attributes:
        status: The status code, once the head is complete.
        reason: The reason phrase.
        headers: Lower-case names and values, in order.
        head_complete: Whether status and headers are known.
        complete: Whether the whole response has arrived.
        continued: Whether a ``100 Continue`` has arrived.
        answered: Whether any byte has arrived.
    """

    __slots__ = (
        "_bodiless",
        "_fed",
        "_keeps_alive",
        "_parser",
        "_pieces",
        "_reason",
        "answered",
        "complete",
        "continued",
        "head_complete",
        "headers",
        "status",
        "surplus",
    )

    def __init__(self, method: str) -> None:
        self._parser: Any = httptools.HttpResponseParser(self)
        self._bodiless = method == "HEAD"
        self._pieces: list[bytes] = []
        self._reason: list[bytes] = []
        self._fed = 0
        self._keeps_alive = False
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.head_complete = False
        self.complete = False
        self.continued = False
        self.answered = False
        # Whether bytes came after the response: the connection is out of step then.
        self.surplus = False

    @property
    def reason(self) -> str:
        """The reason phrase, often empty."""
        return b"".join(self._reason).decode("latin-1")

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection can carry another request after a complete response."""
        return self.complete and not self.surplus and self._keeps_alive

    def feed(self, data: bytes) -> list[bytes]:
        """Take received bytes; returns the pieces of the body that they held.

        Raises:
            ProtocolError: They are not a valid response.
        """
        self.answered = True
        if self.complete:
            self.surplus = True
            return []
        self._count(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise ProtocolError("the peer changes the protocol", answered=True) from None
        except httptools.HttpParserError as error:
            if not (self._bodiless and self.head_complete):
                raise ProtocolError(f"the answer is not HTTP: {error}", answered=True) from None
            self.surplus = True  # what follows the head of an answer to HEAD is no body of it
        pieces, self._pieces = self._pieces, []
        return pieces

    def end(self) -> None:
        """The peer has closed the connection.

        Raises:
            ConnectionClosed: The response is not complete.
        """
        if self.complete:
            return
        if not self.head_complete:
            raise ConnectionClosed(
                "the peer closed the connection before it answered", answered=self.answered
            )
        if self.length is None and not self.is_chunked:
            self.complete = True  # the end of the connection is the end of the body
            self.surplus = True
            return
        raise ConnectionClosed(
            "the peer closed the connection in the middle of the body", answered=True
        )

    @property
    def length(self) -> int | None:
        """The declared length of the body, or `None`."""
        for name, value in self.headers:
            if name == "content-length":
                return int(value)
        return None

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return any(
            name == "transfer-encoding" and "chunked" in value.lower()
            for name, value in self.headers
        )

    def _count(self, data: bytes) -> None:
        if not self.head_complete:
            self._fed += len(data)
            if self._fed > MAX_HEAD and b"\r\n\r\n" not in data and b"\n\n" not in data:
                raise ProtocolError(
                    f"the head of the answer is longer than {MAX_HEAD} bytes", answered=True
                )

    # Called by the parser.

    def on_status(self, status: bytes) -> None:
        """A part of the reason phrase."""
        self._reason.append(status)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which nobody here needs."""
        if not self.head_complete:
            self.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """The blank line after the headers."""
        status = self._parser.get_status_code()
        if 100 <= status < 200:
            return
        self.status = status
        self.head_complete = True
        # Asked here: when the message is complete the parser is already at the next one.
        self._keeps_alive = self._parser.should_keep_alive()
        if self._bodiless:
            self.complete = True

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if not self._bodiless:
            self._pieces.append(body)

    def on_message_complete(self) -> None:
        """The end of the response, or of an interim one."""
        if self.head_complete:
            self.complete = True
            return
        self.continued = self.continued or self._parser.get_status_code() == 100
        self.headers = []
        self._reason = []
        self._fed = 0

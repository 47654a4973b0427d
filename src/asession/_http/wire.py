"""The response side of the protocol: bytes in, head and body out; parsed in C."""

from __future__ import annotations

from typing import Any

import httptools

from asession._http.errors import ConnectionClosed, ProtocolError
from asession._http.limits import MAX_HEAD

_BODILESS_METHODS = frozenset({"HEAD", "CONNECT"})
_BODILESS_STATUSES = frozenset({204, 304})


class ResponseParser:
    """Parses one response, interim ones before it included; lives as long as the response.

    Attributes:
        status: The status code, once the head is complete.
        headers: Lower-case names and values, in order.
        head_complete: Whether status and headers are known.
        complete: Whether the whole response has arrived.
        continued: Whether a ``100 Continue`` has arrived.
        answered: Whether any byte has arrived.
        left: How many bytes of the body are still to come, where its length is known and nothing
            frames it: they can go past the parser.
        surplus: Whether more came than the response: the connection is out of step then.
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
        "left",
        "status",
        "surplus",
    )

    def __init__(self, method: str) -> None:
        self._parser: Any = httptools.HttpResponseParser(self)
        self._bodiless = method in _BODILESS_METHODS
        self._pieces: list[bytes] = []
        self._reason = b""
        self._fed = 0
        self._keeps_alive = False
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.head_complete = False
        self.complete = False
        self.continued = False
        self.answered = False
        self.left: int | None = None
        self.surplus = False

    @property
    def reason(self) -> str:
        """The reason phrase, often empty."""
        return self._reason.decode("latin-1")

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
        if self.left is None:
            return self._feed(data)
        # The parser would copy it all, to say the same.
        piece = data[: self.left]
        self.surplus = len(piece) < len(data)
        self.passed(len(piece))
        return [piece]

    def passed(self, count: int) -> None:
        """So many bytes of the body have arrived past the parser; no more than are `left`."""
        assert self.left is not None
        self.left -= count
        self.complete = not self.left

    def _feed(self, data: bytes) -> list[bytes]:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise ProtocolError("the peer changes the protocol", answered=True) from None
        except httptools.HttpParserError as error:
            if not self.complete:
                raise ProtocolError(f"the answer is not HTTP: {error}", answered=True) from None
            self.surplus = True  # what follows a whole response is nothing we asked for
        pieces, self._pieces = self._pieces, []
        if pieces:
            self._fed = 0
        elif not self.complete:
            # Heads, interim responses, chunk extensions and trailers: none may go on for ever.
            self._fed += len(data)
            if self._fed > MAX_HEAD:
                raise ProtocolError(
                    f"the answer has more than {MAX_HEAD} bytes of headers", answered=True
                )
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
        if self.length is None and not self._has("transfer-encoding", "chunked"):
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

    def _has(self, wanted: str, part: str) -> bool:
        return any(name == wanted and part in value.lower() for name, value in self.headers)

    # Called by the parser; once the response is complete, for what the peer sends unasked.

    def on_message_begin(self) -> None:
        """The first byte of a response."""
        if self.complete:
            self.surplus = True

    def on_status(self, status: bytes) -> None:
        """A part of the reason phrase."""
        if not self.head_complete:
            self._reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which nobody here needs."""
        if not self.head_complete:
            self.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """The blank line after the headers."""
        if self.head_complete:
            return
        status = self._parser.get_status_code()
        if 100 <= status < 200:
            return
        self.status = status
        self.head_complete = True
        # Asked here: when the message is complete the parser is already at the next one.
        self._keeps_alive = self._parser.should_keep_alive()
        if self._bodiless or status in _BODILESS_STATUSES:
            self.complete = True
        elif self.length and not any(name == "transfer-encoding" for name, _ in self.headers):
            self.left = self.length

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if self.complete:
            self.surplus = True
        else:
            self._pieces.append(body)
            if self.left is not None:
                self.left -= len(body)

    def on_message_complete(self) -> None:
        """The end of the response, or of an interim one."""
        if self.head_complete:
            self.complete = True
            return
        self.continued = self.continued or self._parser.get_status_code() == 100
        self.headers = []
        self._reason = b""

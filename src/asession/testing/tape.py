"""What capturing and replaying share: a class for `http_session_cls`, and requests as recorded."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from asession._aws.http_session import HttpSession
from asession._http.bodies import IterableBody, body_of
from asession.testing.cassette import Recorded
from asession.testing.masking import Masks

if TYPE_CHECKING:
    from asession._aws.http_session import Answer

# Their values are masked wherever else they are.
_SECRET_HEADERS = ("x-amz-security-token", "x-amz-s3session-token", "authorization", "cookie")


class Deck(Protocol):
    """What a transport hands its requests to."""

    async def handle(self, request: Any, http_session: TapedSession) -> Answer:
        """Answer a prepared request."""
        ...


class TapedSession(HttpSession):
    """The transport of one client, whose requests go through a tape.

    Lives as long as its client; the tape belongs to whoever made it.
    """

    deck: ClassVar[Deck]

    async def send(self, request: Any) -> Any:
        """Hand a prepared request to the tape."""
        return await self.deck.handle(request, self)

    async def send_on(self, request: Any) -> Any:
        """Send it for real."""
        return await super().send(request)


class Tape(ABC):
    """A cassette in use; lives as long as its `with` block.

    Attributes:
        path: The cassette's file.
        http_session_cls: For ``AioConfig(http_session_cls=...)``, on asyncio and trio.
    """

    http_session_cls: type[TapedSession]

    def __init__(self, path: str | os.PathLike[str], mask: Iterable[str] = ()) -> None:
        if isinstance(mask, str):
            raise TypeError(f"mask={mask!r}: give a list of names")
        self.path: Path = Path(path)
        self._names = tuple(mask)
        self.http_session_cls = type("TapedSession", (TapedSession,), {"deck": self})

    def _masks(self, request: Any) -> Masks:
        values = []
        for name in _SECRET_HEADERS:
            value = request.headers.get(name)
            if value:
                text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
                values.append(text.removeprefix("Bearer "))
        return Masks(self._names, values)

    async def _recorded(self, request: Any, masks: Masks) -> Recorded:
        target = request.headers.get("x-amz-target") or ""
        if isinstance(target, bytes):
            target = target.decode("latin-1")
        body = masks.body(await _content(request))
        return Recorded(request.method, masks.url(request.url), str(target), body)

    @abstractmethod
    async def handle(self, request: Any, http_session: TapedSession) -> Answer:
        """Answer a prepared request."""


async def _content(request: Any) -> bytes:
    """The body of a request, which can still be sent afterwards."""
    body = body_of(request.body)
    if body.content is not None:
        return bytes(body.content)
    content = b"".join([bytes(piece) async for piece in body.pieces()])
    if not await body.rewind():
        length = request.headers.get("content-length")
        request.body = IterableBody([content], None if length is None else int(length))
    return content

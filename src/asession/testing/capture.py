"""Records what clients exchange with AWS, or with a local server, on a cassette."""

from __future__ import annotations

import os
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from asession._aws.http_session import RawBody
from asession.testing.cassette import Exchange, Played, Recorded, write
from asession.testing.tape import Tape, TapedSession

if TYPE_CHECKING:
    from asession._aws.http_session import Answer
    from asession.testing.masking import Masks


class _Take:
    """One exchange while it is recorded: the body comes as the user reads it."""

    def __init__(self, request: Recorded, answer: Answer, masks: Masks) -> None:
        self._request = request
        self._answer = answer
        self._masks = masks
        self.pieces: list[bytes] = []

    def exchange(self) -> Exchange:
        """What is recorded so far, without secrets."""
        body = b"".join(self.pieces)
        masked = self._masks.body(body)
        length = len(masked) if masked != body else None
        headers = self._masks.headers(self._answer.headers.items(), length)
        played = Played(self._answer.status_code, tuple((n, v) for n, v in headers), masked)
        return Exchange(self._request, played)


class _Overheard:
    """A response whose body is noted as it is read; lives as long as the response."""

    def __init__(self, response: Any, take: _Take) -> None:
        self._response = response
        self._take = take

    async def read(self, amount: int = -1) -> bytes:
        piece: bytes = await self._response.read(amount)
        self._take.pieces.append(piece)
        return piece

    async def read_some(self, max_bytes: int) -> bytes:
        piece: bytes = await self._response.read_some(max_bytes)
        self._take.pieces.append(piece)
        return piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._response, name)


class Capture(Tape):
    """Sends requests for real and records them; the cassette is written when its block ends well.

    Plugs in as ``AioConfig(http_session_cls=capture.http_session_cls)``, on asyncio and trio.
    Recorded are method, URL, operation and body of each request, and status, headers and body of
    its response, in the order of the requests. Of the headers of requests no other is kept, thus no
    signature and no token. Fields named like secrets (tokens, passwords, secret and access keys,
    signatures) are masked in URLs and in JSON, XML and form bodies. Bodies that are streamed to the
    user are recorded as far as the user reads them; requests without an answer are not recorded.
    What is no text, and what users store in S3 as plain text, is kept as it is: look at a cassette
    before you share it.

    Args:
        path: The file to write; an older one is replaced.
        mask: More names of fields to mask. Give `Replay` the same.

    Example:
        ::

            with Capture("cassettes/buckets.json") as tape:
                config = AioConfig(http_session_cls=tape.http_session_cls)
                async with session.client("s3", config=config) as s3:
                    await s3.list_buckets()
    """

    def __init__(self, path: str | os.PathLike[str], *, mask: Iterable[str] = ()) -> None:
        super().__init__(path, mask)
        self._takes: list[_Take] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            write(self.path, [take.exchange() for take in self._takes])

    async def handle(self, request: Any, http_session: TapedSession) -> Answer:
        """Send a request on, and record it with its answer."""
        masks = self._masks(request)
        recorded = await self._recorded(request, masks)
        answer: Answer = await http_session.send_on(request)
        take = _Take(recorded, answer, masks)
        if answer._content is not None:
            take.pieces.append(answer._content)
        else:
            overheard: Any = _Overheard(answer.raw._response, take)
            answer.raw = RawBody(overheard, answer.url)
        self._takes.append(take)
        return answer

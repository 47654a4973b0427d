"""Answers clients from a cassette, and refuses what is not on it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from asession._aws.headers import Headers
from asession._aws.http_session import Answer, RawBody
from asession.testing.cassette import Exchange, Recorded, read
from asession.testing.tape import Tape, TapedSession

_LISTED = 5


class UnexpectedRequestError(AssertionError):
    """A request is not on the cassette, or not so often; the message says how it differs."""


class UnusedExchangesError(AssertionError):
    """The block ended, and something on the cassette was never asked for."""


class _Stored:
    """A recorded body as a response that arrives; lives as long as its reader."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.received = 0
        self.length = len(body)

    @property
    def at_end(self) -> bool:
        return self.received >= self.length

    async def read(self, amount: int = -1) -> bytes:
        end = self.length if amount < 0 else self.received + amount
        piece = self._body[self.received : end]
        self.received += len(piece)
        return piece

    async def read_some(self, max_bytes: int) -> bytes:
        return await self.read(max_bytes)

    def abandon(self) -> None:
        self.received = self.length

    async def aclose(self) -> None:
        self.abandon()


class Replay(Tape):
    """Answers every request from a cassette; nothing is sent. Lives as long as its `with` block.

    Plugs in as ``AioConfig(http_session_cls=replay.http_session_cls)``, on asyncio and trio. A
    request is answered by the first exchange that was not used yet and has the same method, URL,
    operation and body, secrets aside. All servers on loopback count as the same.

    Args:
        path: The file that `Capture` wrote; read here.
        mask: The names that `Capture` was given. Also names of fields that differ each time.
        allow_unused: Whether the block may end before everything was asked for.

    Raises:
        CassetteError: The file cannot be read.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        mask: Iterable[str] = (),
        allow_unused: bool = False,
    ) -> None:
        super().__init__(path, mask)
        self._all = read(self.path)
        self._left = list(self._all)
        self._allow_unused = allow_unused
        self._refused: list[UnexpectedRequestError] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            return
        if self._refused:
            raise self._refused[0]  # swallowed by the code under test
        if self._left and not self._allow_unused:
            listed = "".join(f"\n  {one.request}" for one in self._left[:_LISTED])
            raise UnusedExchangesError(
                f"{self.path}: {len(self._left)} of {len(self._all)} recorded requests were never "
                f"made (allow_unused=True permits that):{listed}"
            )

    async def handle(self, request: Any, http_session: TapedSession) -> Answer:
        """Answer a request from the cassette.

        Raises:
            UnexpectedRequestError: It is not there any more, or never was.
        """
        wanted = await self._recorded(request, self._masks(request))
        for at, one in enumerate(self._left):
            if one.request == wanted:
                del self._left[at]
                return _answer(one, request)
        error = UnexpectedRequestError(self._complaint(wanted))
        self._refused.append(error)
        raise error

    def _complaint(self, wanted: Recorded) -> str:
        start = f"{self.path}: the request {wanted} is not on the cassette"
        advice = "; if the code is right, record it again with Capture"
        if any(one.request == wanted for one in self._all):
            used = sum(one.request == wanted for one in self._all)
            return f"{start} a further time: it was recorded {used} time(s), all used{advice}"
        if not self._left:
            return f"{start}: all {len(self._all)} recorded requests were used{advice}"
        nearest = min(self._left, key=lambda one: len(wanted.differences(one.request))).request
        return f"{start}; nearest is {nearest}: {'; '.join(wanted.differences(nearest))}{advice}"


def _answer(one: Exchange, request: Any) -> Answer:
    response = one.response
    stored: Any = _Stored(response.body)
    headers = Headers.of_response(response.headers)
    answer = Answer(request.url, response.status, headers, RawBody(stored, request.url))
    if not request.stream_output or response.status >= 300:
        answer._content = response.body
    return answer

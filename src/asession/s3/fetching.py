"""The bytes of an object, or of a range of it, whatever breaks on the way."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from asession import exceptions
from asession._aws.received import BROKEN, ReceivedBody
from asession._runtime.threads import in_thread
from asession.exceptions import ClientError, ObjectChangedError, TransferFailedError
from asession.s3.arguments import Arguments
from asession.s3.bandwidth import bandwidth_of
from asession.s3.config import TransferConfig
from asession.s3.multipart import Place
from asession.s3.plan import KIB, MIB, Part
from asession.s3.progress import Meter

logger = logging.getLogger("asession.s3")

Sink = Callable[[int, list[bytes]], Awaitable[None]]
"""Takes the bytes at a place of the object."""

# What is read of a socket at a time, and gathered before it is handed on.
_PIECE = 256 * KIB
_GATHERED = MIB


class Fetching:
    """The requests of one download; lives as long as the download.

    A body that breaks is asked for again from the byte where it broke, if the object is still the
    same.

    Args:
        place: Where the object is.
        config: The settings.
        given: The caller's arguments.
        meter: Told of bytes once they were handed on.
    """

    def __init__(
        self, place: Place, config: TransferConfig, given: Arguments, meter: Meter | None
    ) -> None:
        self._place = place
        self._attempts = config.num_download_attempts
        self._given = given
        self._meter = meter
        self._bandwidth = bandwidth_of(config.max_bandwidth)
        gathered = max(_GATHERED, config.io_chunksize)
        self._gathered = gathered if self._bandwidth is None else self._bandwidth.piece
        self._etag: str | None = None

    async def first(self) -> tuple[dict[str, Any], ReceivedBody]:
        """Ask for the whole object: what S3 says of it, and its body, which the caller closes."""
        answer: dict[str, Any] = await self._place.client.get_object(
            **self._place.names, **self._given
        )
        self._etag = answer.get("ETag")
        return answer, ReceivedBody(answer["Body"])

    async def fetch(self, part: Part, body: ReceivedBody | None, sink: Sink) -> None:
        """Hand the bytes of a part to `sink`, in order, each once.

        Args:
            part: Which bytes.
            body: One that begins with them, or `None`; it is closed.
            sink: Takes them.

        Raises:
            ObjectChangedError: There is another object now, or none.
            boto3.exceptions.RetriesExceededError: The body broke too often.
            ClientError: S3 refused a request.
        """
        place, attempts = part.start, 0
        try:
            while place < part.end:
                error: Exception | None = None
                pieces: list[bytes] = []
                try:
                    if body is None:
                        body = await self._open(place, part.end)
                    error = await self._gather(body, pieces, part.end - place)
                except BROKEN as broken:
                    error = broken
                if pieces:
                    place += await self._hand_on(sink, place, pieces)
                if error is not None and place < part.end:
                    attempts += 1
                    if attempts >= self._attempts:
                        await self._give_up(error, attempts)
                    logger.debug("%s broke at byte %d: %r", self._place, place, error)
                    if body is not None:
                        await body.aclose()
                    body = None
        finally:
            if body is not None:
                await body.aclose()

    async def _gather(
        self, body: ReceivedBody, pieces: list[bytes], limit: int
    ) -> Exception | None:
        """Read on until it is worth while; returns what broke, with `pieces` good up to there."""
        count, wanted = 0, min(limit, self._gathered)
        while count < wanted:
            try:
                piece = await body.read_some(min(_PIECE, limit - count))
            except BROKEN as error:
                broken: Exception = error
                return broken
            if not piece:
                return TransferFailedError(
                    location=str(self._place), reason="the body ended before its length"
                )
            pieces.append(piece)
            count += len(piece)
        return None

    async def _hand_on(self, sink: Sink, place: int, pieces: list[bytes]) -> int:
        count = sum(map(len, pieces))
        if self._bandwidth is not None:
            await self._bandwidth.take(count)
        await sink(place, pieces)
        if self._meter is not None:
            await self._meter.add(count)
        return count

    async def _open(self, start: int, end: int) -> ReceivedBody:
        asked = {**self._given, "Range": Part(1, start, end - start).range}
        if self._etag is not None:
            asked["IfMatch"] = self._etag
        try:
            answer = await self._place.client.get_object(**self._place.names, **asked)
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            if status in _GONE:
                raise self._changed() from error
            raise
        body = ReceivedBody(answer["Body"])
        try:
            if answer.get("ETag") != self._etag:
                raise self._changed()
            if not str(answer.get("ContentRange")).startswith(f"bytes {start}-"):
                raise TransferFailedError(
                    location=str(self._place),
                    reason=f"asked for the bytes from {start} on, the server gives "
                    f"{answer.get('ContentRange') or 'others'}: give a TransferConfig with a "
                    "multipart_threshold above the size of the object",
                )
        except BaseException:
            await body.aclose()
            raise
        return body

    def _changed(self) -> ObjectChangedError:
        return ObjectChangedError(
            location=str(self._place),
            reason="the object was replaced or removed during the transfer; begin again",
        )

    async def _give_up(self, error: Exception, attempts: int) -> None:
        # boto3's own class, as boto3 raises here: importing that package blocks.
        kind: Any = await in_thread(getattr, exceptions, "RetriesExceededError")
        raise kind(
            error, f"{self._place}: the body broke off {attempts} times, at last with: {error}"
        ) from error


# Not found, condition failed, range not satisfiable.
_GONE = (404, 412, 416)

"""The bytes of an object, or of a range of it, whatever breaks on the way."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from asession import exceptions
from asession._aws.received import BROKEN, ReceivedBody
from asession._logging import log
from asession._runtime.threads import in_thread
from asession.exceptions import ClientError, ObjectChangedError, TransferFailedError
from asession.s3.arguments import Arguments
from asession.s3.bandwidth import Bandwidth, bandwidth_of
from asession.s3.config import TransferConfig
from asession.s3.multipart import Place
from asession.s3.plan import MIB, Part
from asession.s3.progress import Meter

_logger = logging.getLogger("asession.s3")

Sink = Callable[[int, memoryview], Awaitable[None]]
"""Takes the bytes at a place of the object; they are there until it returns."""

# What is gathered before it is handed on.
_GATHERED = MIB


class Fetching:
    """The requests of one download; lives as long as the download.

    A body that breaks is asked for again from the byte where it broke, if the object is still the
    same.

    Attributes:
        location: Where the object is, for messages.
        attempts: How often a stretch may be begun.
        gathered: How many bytes are worth handing on.
        bandwidth: Lets bytes through, or `None`.

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
        self.location: str = str(place)
        self.attempts: int = config.num_download_attempts
        self._given = given
        self._meter = meter
        self.bandwidth: Bandwidth | None = bandwidth_of(config.max_bandwidth)
        gathered = max(_GATHERED, config.io_chunksize)
        self.gathered: int = gathered if self.bandwidth is None else self.bandwidth.piece
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
            Exception: See `Stretch.fill`, and what `sink` raised.
        """
        stretch = Stretch(self, part, body)
        try:
            # One buffer for all of them: new memory for each would cost more than the copy.
            buffer = memoryview(bytearray(min(self.gathered, part.size)))
            while count := await stretch.fill(buffer):
                await sink(stretch.place - count, buffer[:count])
                if self._meter is not None:
                    self._meter.add(count)
        finally:
            await stretch.aclose()

    async def open(self, start: int, end: int) -> ReceivedBody:
        """The body of the bytes from `start` to before `end`, of the same object.

        Raises:
            ObjectChangedError: There is another object now, or none.
            ClientError: S3 refused the request.
        """
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


class Stretch:
    """Reads a part of an object in order, from one body or, where that breaks, from several.

    Lives from the first byte to the last; closed by `aclose`.

    Attributes:
        place: The offset in the object of the next byte.
    """

    def __init__(self, fetching: Fetching, part: Part, body: ReceivedBody | None) -> None:
        self._fetching = fetching
        self._end = part.end
        self._body = body
        self._broken = 0
        self.place: int = part.start

    async def fill(self, buffer: memoryview) -> int:
        """Read the next bytes until a buffer is full, or less where the body breaks or ends.

        Returns:
            How many bytes of it are filled; 0 at the end alone.

        Raises:
            ObjectChangedError: There is another object now, or none.
            boto3.exceptions.RetriesExceededError: The body broke too often.
            ClientError: S3 refused a request.
        """
        count = 0
        while not count and self.place < self._end:
            error: Exception | None = None
            try:
                if self._body is None:
                    self._body = await self._fetching.open(self.place, self._end)
                count, error = await self._gather(self._body, buffer[: self._end - self.place])
            except BROKEN as broken:
                error = broken
            self.place += count
            if error is not None and self.place < self._end:
                await self._break(error)
            if self._fetching.bandwidth is not None:
                await self._fetching.bandwidth.take(count)
        return count

    async def _gather(self, body: ReceivedBody, buffer: memoryview) -> tuple[int, Exception | None]:
        """Fill a buffer; returns how far that came, and what broke the body there."""
        count = 0
        while count < len(buffer):
            try:
                arrived = await body.read_into(buffer[count:])
            except BROKEN as error:
                return count, error
            if not arrived:
                return count, TransferFailedError(
                    location=self._fetching.location, reason="the body ended before its length"
                )
            count += arrived
        return count, None

    async def _break(self, error: Exception) -> None:
        self._broken += 1
        await self.aclose()
        location = self._fetching.location
        if self._broken < self._fetching.attempts:
            log(
                _logger,
                logging.DEBUG,
                "download.resumed",
                "%(location)s broke at byte %(place)d: %(error)s",
                location=location,
                place=self.place,
                error=repr(error),
            )
            return
        # boto3's own class, as boto3 raises here: importing that package blocks.
        kind: Any = await in_thread(getattr, exceptions, "RetriesExceededError")
        raise kind(
            error, f"{location}: the body broke off {self._broken} times, at last with: {error}"
        ) from error

    async def aclose(self) -> None:
        """Give up the rest; its connection is free at once."""
        body, self._body = self._body, None
        if body is not None:
            await body.aclose()


# Not found, condition failed, range not satisfiable.
_GONE = (404, 412, 416)

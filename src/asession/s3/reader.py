"""One object as an async iterator that survives broken connections, for web responses and pipes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

from asession.exceptions import TransferFailedError
from asession.s3.arguments import ALLOWED_DOWNLOAD_ARGS, ExtraArgs, check
from asession.s3.config import config_of
from asession.s3.fetching import Fetching, Stretch
from asession.s3.multipart import Place
from asession.s3.plan import KIB, Part

# Bytes of each piece but the last.
_PIECE = 256 * KIB


class ObjectReader:
    """The bytes of one object, as they arrive; lives as long as the block of `open_object`.

    Where the connection breaks, the rest is asked for from that byte on, of the same version of
    the object. Holds one connection and at most half a mebibyte.

    Attributes:
        response: What GetObject said: `ContentType`, `ETag`, `Metadata` and so on.
        size: The object's, in bytes.
    """

    def __init__(
        self, response: Mapping[str, Any], size: int, stretch: Stretch, piece: int
    ) -> None:
        self._stretch = stretch
        self._buffer = memoryview(bytearray(min(piece, size)))
        self.response = response
        self.size = size

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """The next bytes, at least one.

        Raises:
            ObjectChangedError: The object was replaced after its connection had broken.
            boto3.exceptions.RetriesExceededError: It broke again and again.
        """
        count = await self._stretch.fill(self._buffer)
        if not count:
            raise StopAsyncIteration
        return bytes(self._buffer[:count])

    async def read(self) -> bytes:
        """All that is left."""
        return b"".join([piece async for piece in self])

    async def aclose(self) -> None:
        """Give up the rest; the end of the block does so too."""
        await self._stretch.aclose()


@asynccontextmanager
async def open_object(
    client: Any,
    bucket: str,
    key: str,
    *,
    extra_args: ExtraArgs | None = None,
    config: Any = None,
) -> AsyncIterator[ObjectReader]:
    """Read an object, for a block.

    Args:
        client: An S3 client.
        bucket: Where the object is.
        key: What it is called there.
        extra_args: See `asession.s3.ALLOWED_DOWNLOAD_ARGS`.
        config: A `TransferConfig`, for `num_download_attempts` and `max_bandwidth`.

    Raises:
        ClientError: S3 refused the request.

    Example:
        async with open_object(s3, "bucket", "video.mp4") as video:
            async for chunk in video:
                await send(chunk)
    """
    place = Place(client, bucket, key)
    given = check(extra_args, ALLOWED_DOWNLOAD_ARGS, bucket)
    fetching = Fetching(place, config_of(config), given, None)
    response, body = await fetching.first()
    try:
        size = response.get("ContentLength")
        if size is None:
            raise TransferFailedError(
                location=str(place), reason="the server does not say how long it is"
            )
        stretch = Stretch(fetching, Part(1, 0, size), body)
        try:
            yield ObjectReader(response, size, stretch, min(_PIECE, fetching.gathered))
        finally:
            await stretch.aclose()
    finally:
        await body.aclose()

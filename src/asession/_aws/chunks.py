"""Bodies in AWS's own chunks with a checksum behind them, computed off the event loop.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, Protocol

from aiobotocore.httpchecksum import AioAwsChunkedWrapper
from botocore.exceptions import AwsChunkedWrapperError

from asession._http.bodies import SMALL, Body
from asession._runtime.threads import in_thread

# Pieces that are longer are worth a trip to a worker thread for their checksum.
_LONG = 64 * 1024


class Checksum(Protocol):
    """One of botocore's checksums."""

    def update(self, chunk: bytes, /) -> Any:
        """Take the next bytes."""

    def b64digest(self) -> str:
        """The checksum of all of them, in base64."""


class AwsChunks(Body):
    """A body in AWS's chunks: their sizes in hexadecimal before them, a trailer after the last.

    Writes what upstream's wrapper would, whose place it takes, but computes the checksum of long
    pieces in worker threads. Lives for one attempt; the source stays its owner's.

    Args:
        raw: Has a `read`, sync if it is in memory, else async, and a sync `seek`.
        checksum: Makes a new checksum, or `None` to go without one.
        name: The name of the trailer.
        size: How many bytes make a chunk; the last may be shorter.
    """

    length = None

    def __init__(
        self, raw: Any, checksum: Callable[[], Checksum] | None, name: str, size: int
    ) -> None:
        self._raw = raw
        self._new_checksum = checksum
        self._name = name
        self._size = size
        self._rest: memoryview = memoryview(b"")
        self._start_again()
        self.content = self._at_once()

    @classmethod
    def instead_of(cls, given: AioAwsChunkedWrapper) -> AwsChunks:
        """The chunks of what upstream's wrapper was to write."""
        return cls(given._raw, given._checksum_cls, given._checksum_name, given._chunk_size)

    def _start_again(self) -> None:
        self._checksum = self._new_checksum() if self._new_checksum is not None else None
        self._ended = False
        self._rest = memoryview(b"")

    def _at_once(self) -> bytes | None:
        """All of it, if the source is in memory and short: then it travels with less ado."""
        raw = self._raw
        if type(raw) is not io.BytesIO or raw.getbuffer().nbytes > min(SMALL, self._size):
            return None
        start = raw.tell()
        frames = [self._frame(raw.read()), b"" if self._ended else self._frame(b"")]
        raw.seek(start)
        self._start_again()
        return b"".join(frames)

    def _frame(self, piece: bytes) -> bytes:
        """A chunk as it is written; its bytes are in the checksum already, if they are many."""
        self._ended = not piece
        checksum = self._checksum
        if checksum is not None:
            if len(piece) <= _LONG:
                checksum.update(piece)
            if self._ended:
                return b"0\r\n%b:%b\r\n\r\n" % (self._name.encode(), checksum.b64digest().encode())
        return b"%x\r\n%b\r\n" % (len(piece), piece)

    async def _next(self) -> bytes:
        piece = self._raw.read(self._size)
        if hasattr(piece, "__await__"):
            piece = await piece
        if self._checksum is not None and len(piece) > _LONG:
            await in_thread(self._checksum.update, piece)
        return self._frame(piece)

    async def pieces(self) -> AsyncGenerator[bytes | memoryview, None]:
        while not self._ended:
            yield await self._next()

    def __aiter__(self) -> AsyncIterator[bytes | memoryview]:
        return self.pieces()  # for other HTTP libraries

    async def read(self, size: int | None = None) -> bytes:
        """Up to `size` bytes, or all that is left; none at the end alone."""
        whole = size is None or size <= 0
        taken = [self._rest]
        count = len(self._rest)
        while not self._ended and (whole or count < (size or 0)):
            taken.append(memoryview(await self._next()))
            count += len(taken[-1])
        data = b"".join(taken)
        cut = count if whole else size
        self._rest = memoryview(data)[cut:]
        return data[:cut]

    def seek(self, offset: int, whence: int = 0) -> int:
        """Start again.

        Raises:
            botocore.exceptions.AwsChunkedWrapperError: Another place is meant.
        """
        if offset or whence:
            raise AwsChunkedWrapperError(error_msg="a body goes back to its start alone")
        self._raw.seek(0)
        self._start_again()
        return 0

    async def rewind(self) -> bool:
        try:
            self.seek(0)
        except (AttributeError, OSError):
            return False
        return True

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<AwsChunks of {self._raw!r}>"

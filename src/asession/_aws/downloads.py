"""Response bodies whose iteration may be left early, with checksums computed off the loop."""

from __future__ import annotations

from typing import Any

from aiobotocore.httpchecksum import AioStreamingChecksumBody
from aiobotocore.response import AioStreamingBody, AioStreamingBodyBase
from botocore.exceptions import ResponseStreamingError

from asession._iteration import Iteration
from asession._runtime.threads import in_thread

# Pieces that are longer are worth a trip to a worker thread for their checksum.
_LONG = 256 * 1024
# botocore's, in bytes.
_CHUNK = 1024


class _Iterated(AioStreamingBodyBase):
    """How bodies are iterated over: not by bare async generators, as upstream's are.

    A generator that is dropped half-way, by a web framework whose client has gone for example, is
    left to the event loop, which on trio is a `ResourceWarning`.
    """

    def iter_chunks(self, chunk_size: int = _CHUNK) -> Iteration[bytes]:
        """The body in pieces of up to `chunk_size` bytes; closing it is up to its owner."""
        return Iteration(super().iter_chunks(chunk_size))

    def iter_lines(self, chunk_size: int = _CHUNK, keepends: bool = False) -> Iteration[bytes]:
        """The body in lines, with their ends if `keepends`; `chunk_size` bytes read at a time."""
        return Iteration(super().iter_lines(chunk_size, keepends))


class PlainBody(_Iterated, AioStreamingBody):
    """The body of one response, as upstream's.

    Holds a connection until it is read to its end or closed, by whoever called the operation.
    """


class CheckedBody(_Iterated, AioStreamingChecksumBody):
    """The body of one response, compared with its checksum at its end, as upstream does.

    Holds a connection until it is read to its end or closed, by whoever called the operation.
    """

    _lost = False

    async def read(self, amt: int | None = None) -> bytes:
        """Read up to `amt` bytes, or all.

        Raises:
            botocore.exceptions.FlexibleChecksumError: The body is not what was stored.
            botocore.exceptions.ResponseStreamingError: The rest does not come.
        """
        self._check_nothing_lost()
        chunk: bytes = await AioStreamingBody.read(self, amt)
        await self._add(chunk)
        if amt is None or (not chunk and amt > 0):
            self._validate_checksum()
        return chunk

    async def readinto(self, b: bytearray) -> int:
        """Read into a buffer; returns how many bytes.

        Raises:
            botocore.exceptions.FlexibleChecksumError: The body is not what was stored.
            botocore.exceptions.ResponseStreamingError: The rest does not come.
        """
        self._check_nothing_lost()
        count: int = await AioStreamingBody.readinto(self, b)
        await self._add(memoryview(b)[:count])
        if not count and len(b):
            self._validate_checksum()
        return count

    async def _add(self, piece: bytes | memoryview) -> None:
        if len(piece) <= _LONG:
            self._checksum.update(piece)
            return
        try:
            await in_thread(self._checksum.update, piece)
        except BaseException:
            # Nobody gets this piece: what follows it would look whole, and not be.
            self._lost = True
            self.close()
            raise

    def _check_nothing_lost(self) -> None:
        if self._lost:
            raise ResponseStreamingError(error="it was closed when a read of it was cancelled")


def put_ours(response_dict: Any, **_: Any) -> None:
    """Handler of ``before-parse``: put our body in the place of upstream's."""
    given = response_dict["body"]
    if type(given) is AioStreamingChecksumBody:
        response_dict["body"] = CheckedBody(
            given._raw_stream, given._content_length, given._checksum, given._expected
        )
    elif type(given) is AioStreamingBody:
        response_dict["body"] = PlainBody(given._raw_stream, given._content_length)

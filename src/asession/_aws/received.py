"""The body of a response as it arrives: without botocore's own hashing, which is on the loop."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError

BROKEN = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
"""What reading a body raises when the rest of it does not come; another request may have it."""


class ReceivedBody:
    """Reads the body of a streaming response; closed by whoever asked for the response.

    Args:
        body: aiobotocore's streaming body. Where the transport is not ours it is read as it is,
            with the checks that it makes itself.
    """

    __slots__ = ("_body",)

    def __init__(self, body: Any) -> None:
        self._body = body

    async def read_into(self, buffer: memoryview) -> int:
        """Read what arrives next into a buffer; returns how many bytes, 0 at the end.

        Raises:
            Exception: One of `BROKEN`: the rest does not come.
        """
        raw = self._body.raw_stream
        if hasattr(raw, "read_into"):
            count: int = await raw.read_into(buffer)
            return count
        piece = await self._body.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    async def aclose(self) -> None:
        """Give up the rest; its connection is free at once."""
        raw = self._body.raw_stream
        await (raw if hasattr(raw, "read_into") else self._body).aclose()

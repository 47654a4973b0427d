"""File objects that a download writes to, in order: sync, async, seekable or not."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Sequence
from typing import Any

import anyio

from asession._runtime.threads import in_thread
from asession.s3.checksums import Checksum


class Writer:
    """Writes to a user's file object, which stays open; lives as long as the download.

    Sync objects are written to in worker threads, except those in memory.

    Attributes:
        place: How many bytes were written.
        whole: A checksum of all that is written, in order, or `None`.
    """

    def __init__(self, file: Any) -> None:
        if isinstance(file, io.TextIOBase) or isinstance(
            getattr(file, "wrapped", None) or getattr(file, "_file", None), io.TextIOBase
        ):
            raise TypeError("the target of the download is a text file: open it in binary mode")
        method = getattr(file, "write", None) or getattr(file, "send", None)
        if method is None:
            raise TypeError(
                "the target of a download must be a file object with `write`, sync or async, not "
                f"{type(file).__name__}"
            )
        self._method: Callable[[Any], Any] = method
        self._direct = inspect.iscoroutinefunction(method) or isinstance(file, io.BytesIO)
        self._turns: dict[int, anyio.Event] = {}
        self.place: int = 0
        self.whole: Checksum | None = None

    async def turn(self, place: int) -> None:
        """Wait until everything before that place was written."""
        if self.place != place:
            event = self._turns[place] = anyio.Event()
            await event.wait()

    async def write(self, pieces: Sequence[bytes]) -> None:
        """Write the next bytes; whoever's turn it is."""
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if self.whole is not None:
            await in_thread(self.whole.update, data)
        if self._direct:
            await self._write_async(data)
        else:
            await in_thread(self._write, data)
        self.place += len(data)
        event = self._turns.pop(self.place, None)
        if event is not None:
            event.set()

    def _write(self, data: bytes) -> None:
        rest: bytes | memoryview = data
        while len(rest):
            rest = _left(rest, self._method(rest))

    async def _write_async(self, data: bytes) -> None:
        rest: bytes | memoryview = data
        while len(rest):
            count = self._method(rest)
            rest = _left(rest, await count if inspect.isawaitable(count) else count)


def _left(data: bytes | memoryview, count: Any) -> bytes | memoryview:
    # A raw file may take less than all; None is the answer of a writer that says nothing.
    return memoryview(data)[count:] if isinstance(count, int) else b""

"""Sources that can be read anywhere and again: regular files and memory."""

from __future__ import annotations

import io
import os
import stat
import threading
from collections.abc import AsyncGenerator
from typing import Any, Protocol

from asession._aws.bodies import HASHED_AT_ONCE, Hash, Upload
from asession._runtime.threads import compute, in_thread
from asession.s3.bandwidth import Bandwidth
from asession.s3.plan import MIB, Part
from asession.s3.progress import Meter

_PIECE = MIB
# A whole file is read at once, with one trip to a worker thread, if it is not longer.
SMALL_FILE = MIB

_FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_FILES = (io.BufferedReader, io.BufferedRandom, io.FileIO)


class Window(Protocol):
    """A stretch of bytes of known length that stays as it is during a transfer.

    Attributes:
        size: Its length in bytes.
        blocking: Whether reading it belongs into a worker thread.
    """

    size: int
    blocking: bool

    def read_at(self, offset: int, count: int) -> bytes | memoryview:
        """Up to so many bytes from there; none at the end alone."""


class MemoryWindow:
    """Bytes in memory, which are not copied; they are their owner's."""

    blocking = False

    def __init__(self, content: bytes | bytearray | memoryview) -> None:
        self._view = memoryview(content).cast("B")
        self.size: int = len(self._view)

    def read_at(self, offset: int, count: int) -> memoryview:
        """A view of them."""
        return self._view[offset : offset + count]


class FileWindow:
    """A regular file; owns its descriptor, and is closed by the transfer it was opened for.

    Args:
        descriptor: Open for reading.
        start: Where the bytes begin.
        end: Where they end.
    """

    blocking = True

    def __init__(self, descriptor: int, start: int, end: int) -> None:
        self._descriptor = descriptor
        self._start = start
        self.size: int = max(0, end - start)
        self._lock = threading.Lock()

    def read_at(self, offset: int, count: int) -> bytes:
        """Read them, in any thread."""
        place = self._start + offset
        if hasattr(os, "pread"):
            return os.pread(self._descriptor, count, place)
        with self._lock:  # Windows: one position for all
            os.lseek(self._descriptor, place, os.SEEK_SET)
            return os.read(self._descriptor, count)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._descriptor)


class _WindowSource:
    """Reads one part of a window in order; it is the `Source` of an `Upload`."""

    rewindable = True

    def __init__(self, window: Window, part: Part) -> None:
        self._window = window
        self._part = part
        self._place = part.start

    async def read(self, size: int) -> Any:
        left = self._part.end - self._place
        count = left if size < 0 else min(size, left)
        if not count:
            return b""
        if self._window.blocking:
            data: bytes | memoryview = await in_thread(self._window.read_at, self._place, count)
        else:
            data = self._window.read_at(self._place, count)
        self._place += len(data)
        return data

    async def rewind(self) -> None:
        self._place = self._part.start

    async def release(self) -> None:
        pass

    def digest(self, place: int, hashes: tuple[Hash, ...]) -> None:
        """Read a stretch of it into `hashes`, in the calling thread."""
        end = min(place + HASHED_AT_ONCE, self._part.end)
        while place < end:
            data = self._window.read_at(place, min(_PIECE, end - place))
            if not data:
                return  # the file shrank: sending it will say so
            for one in hashes:
                one.update(data)  # type: ignore[arg-type]
            place += len(data)


class PartBody(Upload):
    """The body of one request: a part of a window, hashed and sent piece by piece.

    Lives as long as the request; nobody closes it.

    Args:
        window: Where the bytes are.
        part: Which of them.
        meter: Told of each byte that is sent for the first time.
        bandwidth: Asked before bytes are sent.
    """

    def __init__(
        self, window: Window, part: Part, meter: Meter | None, bandwidth: Bandwidth | None
    ) -> None:
        source = _WindowSource(window, part)
        super().__init__(source, part.size)
        self._window_source = source
        self.part = part
        self._meter = meter
        self._bandwidth = bandwidth
        self._piece = _PIECE if bandwidth is None else bandwidth.piece
        self._sent = 0

    async def read(self, size: int | None = -1) -> bytes:
        """The next bytes, which are then on their way."""
        return bytes(await self._read_some(size))

    async def pieces(self) -> AsyncGenerator[bytes | memoryview, None]:
        """The bytes from here on, for the transport."""
        while piece := await self._read_some(self._piece):
            yield piece

    async def _read_some(self, size: int | None) -> bytes | memoryview:
        data: bytes | memoryview = await super().read(size)
        if self._bandwidth is not None:
            await self._bandwidth.take(len(data))
        new = self._count - self._sent
        if new > 0:
            self._sent = self._count
            if self._meter is not None:
                self._meter.add(new)
        return data

    async def digest(self, *hashes: Hash) -> None:
        """Read all into `hashes`, then start again."""
        # Nothing is kept: the second reading, which sends, comes from the system's cache.
        for place in range(self.part.start, self.part.end, HASHED_AT_ONCE):
            await compute(self._window_source.digest, place, hashes)
        self.seek(0)


def open_small(path: str) -> bytes | FileWindow | io.FileIO:
    """Open a file in a worker thread: its content if it is small.

    Returns:
        The bytes, a window on a larger file, or a file object for what is no regular file.

    Raises:
        OSError: It cannot be opened or read.
    """
    descriptor = os.open(path, os.O_RDONLY | _FLAGS)
    try:
        opened: FileWindow | io.FileIO
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            opened = io.FileIO(descriptor)  # a directory raises here
        elif status.st_size > SMALL_FILE:
            opened = FileWindow(descriptor, 0, status.st_size)
        else:
            pieces = []
            while piece := os.read(descriptor, SMALL_FILE):
                pieces.append(piece)
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        descriptor = -1
        return opened
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def window_on(file: Any) -> FileWindow | None:
    """What is left of an open file, to be read beside it; `None` if it is no plain regular file.

    To be called in a worker thread. The file is left at its end, as if it had been read.
    """
    # anyio's, aiofiles' and tempfile's objects have the file itself inside.
    for name in ("wrapped", "_file", "file"):
        inner = getattr(file, name, None)
        if type(inner) in _FILES:
            file = inner
    # Of these very classes: a subclass may make something else of what is in the file. Without
    # `pread` reading would move the owner's position.
    if type(file) not in _FILES or not hasattr(os, "pread") or not file.readable():
        return None
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        return None
    if file.writable():
        file.flush()
        status = os.fstat(file.fileno())
    start = file.tell()
    window = FileWindow(os.dup(file.fileno()), start, status.st_size)
    file.seek(max(start, status.st_size))
    return window

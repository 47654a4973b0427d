"""Request bodies: whatever has bytes, as pieces to send, and again if need be."""

from __future__ import annotations

import inspect
import io
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from contextlib import aclosing
from typing import Any

from asession._http.limits import READ_SIZE
from asession._runtime.threads import in_thread

# Below this a body is sent together with its head.
SMALL = 64 * 1024


class Body:
    """What is sent after the head of a request.

    Lives as long as the request; nobody closes it: the source stays its owner's.

    Attributes:
        length: The number of bytes, or `None` if unknown: then it is sent in chunks.
        content: The bytes themselves, where they are in memory.
    """

    length: int | None = 0
    content: bytes | memoryview | None = b""

    async def pieces(self) -> AsyncGenerator[bytes | memoryview, None]:
        """The bytes, in pieces of any size; again from the start after a `rewind`."""
        if self.content:
            yield self.content

    async def rewind(self) -> bool:
        """Go back to the start; `False` if the source cannot."""
        return True


class BytesBody(Body):
    """A body in memory."""

    def __init__(self, content: bytes | bytearray | memoryview) -> None:
        self.content = memoryview(content) if isinstance(content, bytearray) else content
        self.length = len(content)

    async def pieces(self) -> AsyncGenerator[bytes | memoryview, None]:
        view = memoryview(self.content or b"")
        for start in range(0, len(view), 4 * READ_SIZE):
            yield view[start : start + 4 * READ_SIZE]


class FileBody(Body):
    """A body read from a file object; sync ones are read in worker threads.

    Args:
        file: Has `read`, sync or async, and may have `seek` and `tell`.
        length: The number of bytes from here to the end, or `None`.
        in_memory: Whether `read` cannot block.
    """

    content = None

    def __init__(self, file: Any, length: int | None, *, in_memory: bool = False) -> None:
        self._file = file
        self._in_memory = in_memory
        self.length = length
        self._start: int | None = None

    async def pieces(self) -> AsyncGenerator[bytes | memoryview, None]:
        if self._start is None:
            self._start = await self._tell()
        while True:
            piece = await self._call(self._file.read, 4 * READ_SIZE)
            if not piece:
                return
            yield piece.encode() if isinstance(piece, str) else piece

    async def rewind(self) -> bool:
        if self._start is None:
            return True  # nothing was read yet
        if self._start < 0:
            return False
        await self._call(self._file.seek, self._start)
        return True

    async def _tell(self) -> int:
        tell = getattr(self._file, "tell", None)
        if tell is None or not hasattr(self._file, "seek"):
            return -1
        try:
            return int(await self._call(tell))
        except (OSError, io.UnsupportedOperation):
            return -1

    async def _call(self, method: Any, *args: Any) -> Any:
        if self._in_memory or inspect.iscoroutinefunction(method):
            result = method(*args)
        else:
            result = await in_thread(method, *args)
        return await result if inspect.isawaitable(result) else result


class IterableBody(Body):
    """A body from an iterable or async iterable of bytes.

    Args:
        source: Yields bytes. An iterator can be used once; anything else is iterated anew.
        length: The number of bytes, or `None`.
    """

    content = None

    def __init__(self, source: Iterable[bytes] | AsyncIterable[bytes], length: int | None) -> None:
        self._source = source
        self.length = length
        self._used = False

    async def pieces(self) -> AsyncGenerator[bytes | memoryview, None]:
        self._used = True
        if isinstance(self._source, AsyncGenerator):
            # Left in the middle it can never be used again: end it here, in the task it ran in.
            async with aclosing(self._source) as source:
                async for piece in source:
                    yield piece
        elif isinstance(self._source, AsyncIterable):
            async for piece in self._source:
                yield piece
        else:
            for piece in self._source:
                yield piece

    async def rewind(self) -> bool:
        once = isinstance(self._source, AsyncIterator) or hasattr(self._source, "__next__")
        return not (self._used and once)


def body_of(source: Any, length: int | None = None) -> Body:
    """The body for any supported source.

    Args:
        source: `None`, text, bytes, a file object (sync or async), or an iterable of bytes.
        length: The number of bytes where the source does not tell.

    Raises:
        TypeError: The source is none of these.
    """
    if source is None:
        return Body()
    if isinstance(source, Body):
        return source
    if isinstance(source, str):
        return BytesBody(source.encode())
    if isinstance(source, bytes | bytearray | memoryview):
        return BytesBody(source)
    if type(source) is io.BytesIO:
        # No copy is made, and no `getbuffer`, which would forbid the owner to close it.
        return BytesBody(memoryview(source.getvalue())[source.tell() :])
    if hasattr(source, "read"):
        return FileBody(source, length, in_memory=isinstance(source, io.BytesIO))
    if isinstance(source, AsyncIterable | Iterable):
        return IterableBody(source, length)
    raise TypeError(f"a request body cannot be made of {type(source).__name__}")

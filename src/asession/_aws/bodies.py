"""Request bodies for botocore: files, async files and iterators, measured and rewound."""

from __future__ import annotations

import inspect
import io
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Collection,
    Iterable,
    Iterator,
)
from typing import Any, Protocol

from asession._http.bodies import Body
from asession._runtime.threads import compute, in_thread

# What is read at a time.
_PIECE = 256 * 1024
_HASHED = 1024 * 1024
# What is hashed with one trip to a thread: then others have their turn, and may be cancelled.
HASHED_AT_ONCE = 8 * 1024 * 1024


class Hash(Protocol):
    """Takes bytes: one of hashlib's, or one of botocore's checksums."""

    def update(self, data: bytes, /) -> Any:
        """Take the next bytes."""


class Source(Protocol):
    """Where the bytes of a body come from; it belongs to the user, who closes it."""

    rewindable: bool

    async def read(self, size: int) -> bytes:
        """Up to `size` bytes, or all for -1; none at the end alone."""

    async def rewind(self) -> None:
        """Go back to where the body starts."""

    async def release(self) -> None:
        """Close what reading opened."""


class Upload(Body):
    """A body over a source that botocore cannot read, measure or rewind by itself.

    botocore asks for its length and, before another try, for a sync `seek(0)`, which only takes a
    note: the next `read` goes back. Lives as long as the call; nobody closes it.

    Args:
        source: Gives the bytes.
        length: How many there are, or `None`.
    """

    content: bytes | memoryview | None = None

    def __init__(self, source: Source, length: int | None) -> None:
        self._source = source
        self._started = False
        self._rewind = False
        self._count = 0
        self.length = length

    @property
    def can_restart(self) -> bool:
        """Whether all bytes can be read, now or again."""
        return self._source.rewindable or not self._started

    @property
    def rewindable(self) -> bool:
        """Whether the bytes can be read more than once."""
        return self._source.rewindable

    def __bool__(self) -> bool:
        return True  # an empty one is a body too, and one of unknown length has no `len`

    def __len__(self) -> int:
        if self.length is None:
            raise TypeError("the length of this body is not known")
        return self.length

    def seek(self, offset: int, whence: int = 0) -> int:
        """Start again, at the next `read`.

        Raises:
            io.UnsupportedOperation: The source cannot, or another place is meant.
        """
        if offset or whence:
            raise io.UnsupportedOperation("a request body goes back to its start alone")
        if not self.can_restart:
            raise io.UnsupportedOperation("this body can be read only once")
        self._rewind = self._started
        return 0

    async def read(self, size: int | None = -1) -> bytes:
        """Up to `size` bytes, or all that is left; none at the end alone.

        Raises:
            ValueError: There are not as many as announced.
        """
        if self._rewind:
            await self._source.rewind()
            self._rewind = False
            self._count = 0
        self._started = True
        data = await self._source.read(-1 if size is None else size)
        self._count += len(data)
        length = self.length
        if length is not None and (self._count > length or (not data and self._count < length)):
            raise ValueError(
                f"the body has {'more' if data else 'fewer'} bytes than the {length} announced"
            )
        return data

    async def pieces(self) -> AsyncGenerator[bytes | memoryview, None]:
        while piece := await self.read(_PIECE):
            yield piece

    async def rewind(self) -> bool:
        if not self.can_restart:
            return False
        self.seek(0)
        return True

    async def digest(self, *hashes: Hash) -> None:
        """Read all, off the loop, into `hashes`; then start again, with the length known."""
        self.seek(0)
        while piece := await self.read(_HASHED):
            await in_thread(_update, hashes, piece)
        self.length = self._count
        self.seek(0)

    async def release(self) -> None:
        """Close what reading opened, after each try."""
        await self._source.release()

    def __repr__(self) -> str:
        length = "?" if self.length is None else self.length
        return f"<Upload of {length} bytes, {'' if self.rewindable else 'not '}rewindable>"


class FileSource:
    """Reads a file object: a sync one in worker threads, an async one as it is.

    Args:
        file: Has `read`, and `seek` if `rewindable`.
        start: Where the body starts.
        rewindable: Whether it can go back there.
    """

    def __init__(self, file: Any, start: int, *, rewindable: bool) -> None:
        self._file = file
        self._start = start
        self.rewindable = rewindable

    async def read(self, size: int) -> bytes:
        data = await _call(self._file, "read", size)
        if isinstance(data, str):
            raise TypeError("the body is a text file: open it in binary mode")
        return data if isinstance(data, bytes) else bytes(memoryview(data))

    async def rewind(self) -> None:
        await _call(self._file, "seek", self._start)

    async def release(self) -> None:
        pass


class IterableSource:
    """Gathers the pieces of an iterable, sync (iterated in worker threads) or async.

    Args:
        iterable: Yields bytes. An iterator can be used once, anything else is iterated anew.
    """

    def __init__(self, iterable: AsyncIterable[Any] | Iterable[Any]) -> None:
        self._iterable = iterable
        self._iterator: Any = None
        self._pieces: deque[memoryview] = deque()
        self._size = 0
        self._ended = False
        self.rewindable = not isinstance(iterable, AsyncIterator | Iterator)

    async def read(self, size: int) -> bytes:
        # Whole pieces of that size: S3 wants no chunk below 8 KiB but the last.
        while not self._ended and (size < 0 or self._size < size):
            await self._pull(size)
        wanted = self._size if size < 0 else min(size, self._size)
        self._size -= wanted
        taken: list[memoryview] = []
        while wanted:
            piece = self._pieces.popleft()
            if len(piece) > wanted:
                self._pieces.appendleft(piece[wanted:])
                piece = piece[:wanted]
            taken.append(piece)
            wanted -= len(piece)
        return b"".join(taken)

    async def _pull(self, size: int) -> None:
        if isinstance(self._iterable, AsyncIterable):
            if self._iterator is None:
                self._iterator = aiter(self._iterable)
            try:
                self._add(await anext(self._iterator))
            except StopAsyncIteration:
                self._ended = True
            return
        if self._iterator is None:
            self._iterator = iter(self._iterable)
        pieces = await in_thread(_some, self._iterator, size)
        self._ended = not pieces
        for piece in pieces:
            self._add(piece)

    def _add(self, piece: Any) -> None:
        try:
            view = memoryview(piece).cast("B")
        except TypeError:
            raise TypeError(f"the body yields {type(piece).__name__}, not bytes") from None
        if view:
            self._pieces.append(view)
            self._size += len(view)

    async def rewind(self) -> None:
        await self.release()
        self._pieces.clear()
        self._size = 0
        self._ended = False

    async def release(self) -> None:
        # An iterator that the user made is the user's to close.
        if self.rewindable:
            iterator, self._iterator = self._iterator, None
            self._ended = True
            if hasattr(iterator, "aclose"):
                await iterator.aclose()


async def upload_of(value: Any) -> Upload | None:
    """The body for a file object or an iterable of bytes; `None` for anything else.

    Raises:
        TypeError: A text file.
    """
    if hasattr(value, "read"):
        if _is_text(value):
            raise TypeError("the body is a text file: open it in binary mode")
        return await _of_file(value)
    if isinstance(value, AsyncIterable):
        return Upload(IterableSource(value), _len(value))
    if isinstance(value, Iterable) and not isinstance(value, Collection):
        return Upload(IterableSource(value), _len(value))
    return None


async def digest(content: bytes | bytearray | memoryview, *hashes: Hash) -> None:
    """Hash bytes in a worker thread."""
    view = memoryview(content).cast("B")
    for start in range(0, len(view), HASHED_AT_ONCE):
        await compute(_update, hashes, view[start : start + HASHED_AT_ONCE])


async def _of_file(file: Any) -> Upload:
    if not hasattr(file, "seek"):
        return Upload(FileSource(file, 0, rewindable=False), _len(file))
    if not hasattr(file, "tell"):
        # As with an upload that a web framework received: it tells its size, not its place.
        upload = Upload(FileSource(file, 0, rewindable=True), _len(file))
        size = getattr(file, "size", None)
        if upload.length is None and isinstance(size, int):
            upload.length = size
            await _call(file, "seek", 0)
        return upload
    try:
        start = await _call(file, "tell")
        await _call(file, "seek", 0, io.SEEK_END)
        end = await _call(file, "tell")
        await _call(file, "seek", start)
    except OSError:  # a pipe, a socket, the body of a response
        return Upload(FileSource(file, 0, rewindable=False), _len(file))
    return Upload(FileSource(file, start, rewindable=True), end - start)


def _is_text(file: Any) -> bool:
    # anyio's and aiofiles' files have the sync one inside.
    inner = getattr(file, "wrapped", None) or getattr(file, "_file", None)
    return isinstance(file, io.TextIOBase) or isinstance(inner, io.TextIOBase)


def _len(value: Any) -> int | None:
    try:
        return len(value)
    except (TypeError, AttributeError):
        return None


async def _call(file: Any, name: str, *args: Any) -> Any:
    method = getattr(file, name)
    if inspect.iscoroutinefunction(method) or isinstance(file, io.BytesIO):
        result = method(*args)
    else:
        result = await in_thread(method, *args)
    return await result if inspect.isawaitable(result) else result


def _some(iterator: Iterator[Any], size: int) -> list[Any]:
    """The next pieces, `size` bytes of them or all for -1; none at the end alone."""
    pieces: list[Any] = []
    count = 0
    for piece in iterator:
        pieces.append(piece)
        count += len(piece) if hasattr(piece, "__len__") else 0
        if 0 <= size <= count:
            break
    return pieces


def _update(hashes: tuple[Hash, ...], data: Any) -> None:
    for one in hashes:
        one.update(data)

"""Everything a user may give as a body, made from bytes, and what tests say of each kind."""

from __future__ import annotations

import io
import tempfile
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiofiles
import anyio
import anyio.to_thread

PIECE = 10_000


class Executor:
    """Lets aiofiles run on trio: it asks an asyncio loop for this method alone."""

    def run_in_executor(self, _executor, function, *args):
        return anyio.to_thread.run_sync(function, *args)


class Pipe:
    """A sync reader that cannot seek; it notes the threads that read it."""

    def __init__(self, data):
        self._file = io.BytesIO(data)
        self.threads = set()

    def read(self, size=-1):
        self.threads.add(threading.get_ident())
        return self._file.read(size)


class AsyncReader:
    """Async `read` and nothing else."""

    def __init__(self, data):
        self._file = io.BytesIO(data)

    async def read(self, size=-1):
        await anyio.sleep(0)
        return self._file.read(size)


class AsyncSeeker(AsyncReader):
    """Async `read` and `seek`, no length: sent as nothing when it is not rewound properly."""

    async def seek(self, offset, whence=0):
        await anyio.sleep(0)
        return self._file.seek(offset, whence)


class Received(AsyncReader):
    """As a web framework gives an upload: `seek` of one argument, and a size."""

    def __init__(self, data):
        super().__init__(data)
        self.size = len(data)

    async def seek(self, offset):
        self._file.seek(offset)


class Pieces:
    """Iterated anew each time, sync and async as the subclass says."""

    def __init__(self, data):
        self.data = data

    def cut(self):
        return [b"", *(self.data[at : at + PIECE] for at in range(0, len(self.data), PIECE)), b""]


class SyncPieces(Pieces):
    def __iter__(self):
        return iter(self.cut())


class AsyncPieces(Pieces):
    async def __aiter__(self):
        for piece in self.cut():
            await anyio.sleep(0)
            yield piece


class MeasuredAsyncPieces(AsyncPieces):
    def __len__(self):
        return len(self.data)


async def generate(data):
    async for piece in AsyncPieces(data):
        yield piece


@dataclass(frozen=True)
class Kind:
    """A kind of source.

    Attributes:
        make: Makes one from bytes and a path at which to put them.
        measured: Whether its length can be told before it is read.
        rewindable: Whether it can be read again.
    """

    name: str
    make: Callable[[bytes, Path], Awaitable[Any]]
    measured: bool = True
    rewindable: bool = True

    def __str__(self):
        return self.name


def _plain(convert):
    async def make(data, path):
        return convert(data)

    return make


def _path(data, path):
    path.write_bytes(data)
    return path


async def _file(data, path):
    return _path(data, path).open("rb")


async def _anyio_file(data, path):
    return await anyio.open_file(_path(data, path), "rb")


async def _aiofile(data, path):
    return await aiofiles.open(_path(data, path), "rb", loop=Executor())


def _spooled(data):
    file = tempfile.SpooledTemporaryFile(max_size=1000)  # noqa: SIM115 - the test closes it
    file.write(data)
    file.seek(0)
    return file


def _moved(data):
    file = io.BytesIO(b"skipped" + data)
    file.seek(7)
    return file


KINDS = [
    Kind("bytes", _plain(bytes)),
    Kind("bytearray", _plain(bytearray)),
    Kind("memoryview", _plain(memoryview)),
    Kind("bytesio", _plain(io.BytesIO)),
    Kind("bytesio past its start", _plain(_moved)),
    Kind("file", _file),
    Kind("spooled file", _plain(_spooled)),
    Kind("anyio file", _anyio_file),
    Kind("aiofiles file", _aiofile),
    Kind("received upload", _plain(Received)),
    Kind("async pieces with a length", _plain(MeasuredAsyncPieces)),
    Kind("async pieces", _plain(AsyncPieces), measured=False),
    Kind("sync pieces", _plain(SyncPieces), measured=False),
    Kind("async seeker", _plain(AsyncSeeker), measured=False),
    Kind("async generator", _plain(generate), measured=False, rewindable=False),
    Kind(
        "sync generator",
        _plain(lambda data: (piece for piece in SyncPieces(data))),
        measured=False,
        rewindable=False,
    ),
    Kind("async reader", _plain(AsyncReader), measured=False, rewindable=False),
    Kind("pipe", _plain(Pipe), measured=False, rewindable=False),
]
REWINDABLE = [kind for kind in KINDS if kind.rewindable]
ONCE_ONLY = [kind for kind in KINDS if not kind.rewindable]


async def close(source):
    """Close a source that a test opened."""
    closing = getattr(source, "aclose", None) or getattr(source, "close", None)
    if closing is not None:
        result = closing()
        if hasattr(result, "__await__"):
            await result

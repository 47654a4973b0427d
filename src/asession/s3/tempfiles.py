"""Downloaded files: written under another name, and renamed when they are whole and right."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import threading
from typing import Literal

from asession._runtime.threads import heed_cancellation
from asession.s3.checksums import Checksum
from asession.s3.verify import Verifier

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL
_FLAGS |= getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
# Bytes; the name of a file may have 255.
_LONGEST = 240


def _mode(path: str) -> int:
    try:
        return os.stat(path).st_mode
    except OSError:  # there is none, or opening will say what is wrong
        return 0


Outcome = Literal["saved", "doubtful", "special"]
"""It has its final name; its checksum may be wrong; its name is that of a pipe or a device."""


class TempFile:
    """A file beside its final name; lives from `open` to `commit` or `discard`.

    Every method is for worker threads; `write` may run in several at once.

    Args:
        path: The final name. What is there is replaced.
        fsync: Whether `commit` waits for the disk.
    """

    def __init__(self, path: str, *, fsync: bool) -> None:
        self._path = path
        self._fsync = fsync
        self._temp = ""
        self._descriptor = -1
        self._lock = threading.Lock()

    def open(self) -> bool:
        """Make the file; `False` if its name is that of a pipe or a device, which one writes to.

        Raises:
            OSError: It cannot be made, or the final name is a directory's.
        """
        directory, name = os.path.split(self._path)
        mode = _mode(self._path)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), self._path)
        if mode and not stat.S_ISREG(mode):
            return False
        short = os.fsdecode(os.fsencode(name)[:_LONGEST])
        temp = os.path.join(directory, f"{short}.{secrets.token_hex(4)}")
        self._descriptor = os.open(temp, _FLAGS, 0o666)
        self._temp = temp
        return True

    def write(self, offset: int, data: bytes | memoryview, checksum: Checksum | None) -> None:
        """Put bytes at a place, and hash them."""
        if checksum is not None:
            checksum.update(data)
        view = memoryview(data)
        if not hasattr(os, "pwrite"):
            self._seek_and_write(offset, view)
            return
        while view:
            written = os.pwrite(self._descriptor, view, offset)
            offset += written
            view = view[written:]

    def _seek_and_write(self, offset: int, view: memoryview) -> None:
        with self._lock:  # one position for all
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            while view:
                view = view[os.write(self._descriptor, view) :]

    def digest(self, checksum: Checksum) -> bytes:
        """Read it all again: the checksum of the whole."""
        with self._lock:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            while piece := os.read(self._descriptor, 1 << 20):
                heed_cancellation()
                checksum.update(piece)
        return checksum.digest()

    def commit(self) -> None:
        """Give it its final name.

        Raises:
            OSError: It cannot have that name; `discard` it.
        """
        if self._fsync:
            os.fsync(self._descriptor)
        self._close()
        os.replace(self._temp, self._path)
        self._temp = ""
        if self._fsync and hasattr(os, "O_DIRECTORY"):
            directory = os.open(os.path.dirname(self._path) or ".", os.O_DIRECTORY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)

    def discard(self) -> None:
        """Remove it, unless it has its final name."""
        self._close()
        if self._temp:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._temp)
            self._temp = ""

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def save(file: TempFile, data: bytes, size: int, verifier: Verifier) -> Outcome:
    """Write a whole small file, with one trip to a worker thread.

    Raises:
        OSError: It cannot be written.
        ChecksumMismatchError: The bytes are wrong.
    """
    if not file.open():
        return "special"
    checksum = verifier.new()
    file.write(0, data, checksum)
    verifier.done(1, checksum, size)
    if verifier.check() is not None:
        return "doubtful"
    file.commit()
    return "saved"

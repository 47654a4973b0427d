"""What the transfers of one session may hold together: bytes of memory, and open files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from asession.s3.budget import Budget
from asession.s3.plan import KIB, MIB

# What a part costs whose bytes come from, or go to, a place where they can be had again: one
# piece on its way, and one being read or written.
STREAMED = 2 * MIB
# What any request costs at least: so the number of parts under way is bounded too.
LEAST = 256 * KIB
# How many files may be open at once, at least: some systems allow a process 256 descriptors.
_FILES = 64

# The budgets of the transfers in which this code runs, as a source, a target or a callback.
_around: ContextVar[tuple[Limits, ...]] = ContextVar("_around", default=())


class Limits:
    """The budgets of a session's transfers on one event loop.

    Lives as long as the session's live state there; nothing needs closing.

    A transfer inside another one, as its source may make it, has budgets apart: it would wait for
    bytes that the outer one holds, which waits for it. Each level waits for deeper ones alone.

    Attributes:
        memory: Bytes in buffers.
        files: Files that are read or written.
    """

    __slots__ = ("_inner", "files", "memory")

    def __init__(self) -> None:
        self.memory: Budget = Budget(LEAST)
        self.files: Budget = Budget(1)
        self._inner: Limits | None = None

    @property
    def used(self) -> int:
        """Bytes held now."""
        return self.memory.used

    @property
    def peak(self) -> int:
        """The most bytes that were ever held."""
        return self.memory.peak

    def here(self) -> Limits:
        """The budgets for a transfer that begins in this context: these, or ones further in."""
        level = self
        for _ in range(_around.get().count(self)):
            if level._inner is None:
                level._inner = Limits()
            level = level._inner
        return level

    @contextmanager
    def around(self) -> Iterator[None]:
        """For a block that is a transfer: others that begin in it are inside it."""
        token = _around.set((*_around.get(), self))
        try:
            yield
        finally:
            _around.reset(token)

    def __repr__(self) -> str:
        return f"<Limits: {self.memory.used} bytes and {self.files.used} files held>"


def most_files(max_memory: int) -> int:
    """How many files may be open at once: no fewer than may have a part under way."""
    return max(_FILES, max_memory // STREAMED)

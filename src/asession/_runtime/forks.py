"""Process locks that a forked child finds open."""

from __future__ import annotations

import os
import threading
from types import TracebackType
from weakref import WeakSet


class ProcessLock:
    """A mutual exclusion between threads, reset in a forked child.

    A thread that held a plain lock during the fork does not exist in the child, where the lock
    would stay taken for ever. Lives as long as its module or owner; nothing needs closing.
    """

    __slots__ = ("__weakref__", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        _locks.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.release()

    def reset(self) -> None:
        """Forget who holds the lock."""
        self._lock = threading.Lock()


_locks: WeakSet[ProcessLock] = WeakSet()


def _reset_all() -> None:
    for lock in list(_locks):
        lock.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)

"""A small bounded mapping, for what the whole process shares between threads."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from asession._runtime.forks import ProcessLock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The values used last, by key; lives as long as the process.

    Every method is atomic, never waits for anything but another of them, and works in a forked
    child even if another thread was inside one at the time of the fork.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = ProcessLock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        """The value, which then counts as just used."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, key: K, value: V) -> None:
        """Store a value; the one unused for longest goes if there are too many."""
        with self._lock:
            self._store(key, value)

    def agree(self, key: K, value: V) -> V:
        """Store a value unless an equal one is there, and return the one that is there then.

        So threads that made the same value at the same time all go on with one object.
        """
        with self._lock:
            held = self._values.get(key)
            if held is not None and held == value:
                return held
            self._store(key, value)
            return value

    def first(self, key: K, value: V) -> V:
        """Store a value unless one is there, and return the one that is there then."""
        with self._lock:
            held = self._values.get(key)
            if held is None:
                self._store(key, value)
                return value
            return held

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()

    def _store(self, key: K, value: V) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > self._size:
            self._values.popitem(last=False)

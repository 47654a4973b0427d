"""What the process knows about each source key: values shared by sessions, threads and loops."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from asession._profiles.cache import Recent
from asession.credentials.keys import SourceKey
from asession.credentials.refresh import TERMINAL_SECONDS, Schedule
from asession.credentials.values import FrozenCredentials

_SIZE = 4096


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Value:
    """Keys that a source gave, and when to replace them; immutable, holds secrets."""

    keys: FrozenCredentials
    schedule: Schedule
    method: str


class Entry:
    """What is known about one source; lives as long as somebody uses it, or it was used lately.

    Threads share it without a lock: each attribute is set in one step, what is set is immutable,
    and the worst that two of them can do to each other is one call too many.

    Attributes:
        value: The keys it gave last.
        failures: How often it has failed since.
        not_before: When it may be asked again.
        replaced_at: When a service last refused the keys and others were asked for.
    """

    __slots__ = ("_error", "_error_until", "failures", "not_before", "replaced_at", "value")

    def __init__(self) -> None:
        self.value: Value | None = None
        self.failures: int = 0
        self.not_before: float = 0.0
        self.replaced_at: float = float("-inf")
        self._error: Exception | None = None
        self._error_until: float = 0.0

    def accept(self, value: Value) -> None:
        """The source has answered."""
        self.value = value
        self.failures = 0
        self.not_before = 0.0
        self._error = None

    def remember(self, error: Exception, now: float) -> None:
        """Trying again does not mend this error: give the source a short rest."""
        self._error = copy.copy(error)
        self._error_until = now + TERMINAL_SECONDS

    def check(self, now: float) -> None:
        """Raise a copy of the error that is remembered, if there is one."""
        error = self._error
        if error is not None and 0 < self._error_until - now <= TERMINAL_SECONDS:
            raise copy.copy(error)

    def __repr__(self) -> str:
        known = "keys" if self.value is not None else "no keys"
        return f"<Entry: {known}, {self.failures} failures>"

    def __reduce__(self) -> tuple[type[Entry], tuple[()]]:
        return Entry, ()  # resolved credentials never travel


class Cache:
    """The entries used last, by source key; the process has one, tests make their own.

    Lives as long as its owner; nothing needs closing.
    """

    def __init__(self, size: int = _SIZE) -> None:
        self._entries: Recent[SourceKey, Entry] = Recent(size)

    def entry(self, key: SourceKey) -> Entry:
        """The entry of a key, the same one for everybody."""
        return self._entries.get(key) or self._entries.first(key, Entry())

    def clear(self) -> None:
        """Forget everything; those who use an entry already keep it."""
        self._entries.clear()


PROCESS_CACHE = Cache()

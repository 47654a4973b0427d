"""Which writes go into the next request, and what becomes of those that were refused.

Theory of operation. A write is in one of three places: fresh (put and never sent), refused (sent,
and left undone by the service), or in flight (in a request that is not answered yet). With the
names of the key attributes, a key is at most once in each:

- a newer write takes the place of a fresh or refused one;
- a write whose key is in flight waits until that request is answered, so that no two requests with
  one key ever race;
- a refused write is dropped if a newer one of its key waits already.

So the last write wins, whatever order the answers come in. Without the names of the key attributes,
that holds only for one request at a time, refused writes by themselves and before any fresh ones:
together with them, the service might find one key twice in one request, which it refuses.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from asession.dynamodb.keys import Identity, identity_in

WriteRequest: TypeAlias = Mapping[str, Any]
"""``{"PutRequest": {"Item": ...}}`` or ``{"DeleteRequest": {"Key": ...}}``."""


@dataclass(slots=True, eq=False)
class Write:
    """One write under way; lives until it is done or given up.

    Attributes:
        request: What is sent.
        key: Its key, or `None` if nobody said what the key attributes are.
        refusals: How often it was refused in a row.
    """

    request: WriteRequest
    key: Identity | None = None
    refusals: int = 0

    @property
    def slot(self) -> Hashable:
        """What it excludes others from: its key, or nothing but itself."""
        return self if self.key is None else self.key


class WritePlan:
    """The writes of one batch writer, in slices; lives as long as that, and sends nothing itself.

    Args:
        size: The most writes of one request.
        attempts: How often one write is sent before it is given up.
        key_names: The attributes that make the primary key, if known.
    """

    def __init__(self, *, size: int, attempts: int, key_names: Sequence[str] | None = None) -> None:
        self._size = size
        self._attempts = attempts
        self._key_names = tuple(key_names) if key_names else None
        self._fresh: dict[Hashable, Write] = {}
        self._refused: dict[Hashable, Write] = {}
        self._in_flight: dict[Hashable, Write] = {}

    def __len__(self) -> int:
        """How many writes are not done: waiting or in flight."""
        return len(self._fresh) + len(self._refused) + len(self._in_flight)

    @property
    def in_flight(self) -> int:
        """How many writes are in requests that are not answered yet."""
        return len(self._in_flight)

    def unwritten(self) -> tuple[WriteRequest, ...]:
        """The requests of all writes that are not done."""
        places = (self._in_flight, self._refused, self._fresh)
        return tuple(write.request for place in places for write in place.values())

    def add(self, request: WriteRequest) -> None:
        """Take a write; one of the same key that still waits is overwritten.

        Raises:
            ValueError: The key attributes are known, and the write lacks one.
        """
        write = self._write(request)
        self._fresh.pop(write.slot, None)
        self._refused.pop(write.slot, None)
        self._fresh[write.slot] = write

    def take(self, *, partial: bool) -> list[Write]:
        """The writes of the next request, which are in flight from then on.

        Args:
            partial: Whether fewer than a full slice will do.

        Returns:
            No more than a slice; nothing if none is due.
        """
        slots = self._due(partial)
        return [self._launch(slot) for slot in slots]

    def is_due(self, *, partial: bool) -> bool:
        """Whether `take` would return anything."""
        return bool(self._due(partial))

    def settle(self, batch: Iterable[Write], refused: Iterable[WriteRequest]) -> list[Write]:
        """Note the answer to a request: what was not refused is done.

        Args:
            batch: What `take` returned.
            refused: The writes that the service left undone, as it returns them.

        Returns:
            Those that are given up, after too many refusals.
        """
        sent = {write.slot: write for write in batch}
        refusals = 1 + max(write.refusals for write in sent.values())
        self._land(sent)
        back: dict[Hashable, Write] = {}
        given_up: list[Write] = []
        for request in refused:
            write = self._write(request)
            known = sent.get(write.slot)
            if known is not None:
                write = known
                write.refusals += 1
            else:
                write.refusals = refusals
            if write.slot in self._fresh:
                continue  # a newer write of that key waits already
            if write.refusals >= self._attempts:
                given_up.append(write)
            else:
                back[write.slot] = write
        self._refused = {**back, **self._refused}
        return given_up

    def give_back(self, batch: Iterable[Write]) -> None:
        """Put the writes of a request that has no answer in front again; no refusal is counted."""
        sent = {write.slot: write for write in batch}
        self._land(sent)
        back = {slot: write for slot, write in sent.items() if slot not in self._fresh}
        self._refused = {**back, **self._refused}

    def give_up(self, batch: Iterable[Write]) -> None:
        """Forget the writes of a request that failed for good."""
        self._land(write.slot for write in batch)

    def _write(self, request: WriteRequest) -> Write:
        if self._key_names is None:
            return Write(request)
        (content,) = request.values()
        (item,) = content.values()
        return Write(request, identity_in(item, self._key_names))

    def _due(self, partial: bool) -> list[Hashable]:
        waiting = len(self._refused) + len(self._fresh)
        if waiting < (1 if partial else self._size):
            return []
        if self._key_names is None and self._refused:
            return list(self._refused)[: self._size]
        due: list[Hashable] = []
        for place in (self._refused, self._fresh):
            for slot in place:
                if slot not in self._in_flight:
                    due.append(slot)
                    if len(due) == self._size:
                        return due
        return due if partial else []

    def _launch(self, slot: Hashable) -> Write:
        write = self._refused.pop(slot, None) or self._fresh.pop(slot)
        self._in_flight[slot] = write
        return write

    def _land(self, slots: Iterable[Hashable]) -> None:
        for slot in slots:
            del self._in_flight[slot]

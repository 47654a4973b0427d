"""Which keys go into the next BatchGetItem, and what becomes of those that came back unread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from asession.dynamodb.keys import Identity, Key, identity_of

Wanted: TypeAlias = Mapping[str, Iterable[Key] | Mapping[str, Any]]
"""Table name -> keys, or ``{"Keys": [...], ...}`` with the parameters of BatchGetItem."""


@dataclass(slots=True, eq=False)
class Read:
    """One key that is to be read; lives until it is read or given up.

    Attributes:
        table: The name of the table.
        key: What is sent.
        identity: The key as a value that can be compared.
        refusals: How often the service left it out.
    """

    table: str
    key: Key
    identity: Identity
    refusals: int = 0


class ReadPlan:
    """The keys that one `batch_get` goes through, each once; sends nothing itself.

    Args:
        wanted: What to read; iterables of keys are gone through as requests are made.
        size: The most keys of one request.
        attempts: How often one key is asked for before it is given up.
    """

    def __init__(self, wanted: Wanted, *, size: int, attempts: int) -> None:
        self._size = size
        self._attempts = attempts
        self._options: dict[str, dict[str, Any]] = {}
        self._keys: dict[str, Iterable[Key]] = {}
        for table, keys in wanted.items():
            self._options[table] = {}
            if isinstance(keys, Mapping):
                if "Keys" not in keys:
                    raise ValueError(f"batch_get: what to read of {table!r} has no 'Keys'")
                self._options[table] = {n: value for n, value in keys.items() if n != "Keys"}
            self._keys[table] = keys["Keys"] if isinstance(keys, Mapping) else keys
        self._fresh = self._each_once()
        self._refused: list[Read] = []

    def take(self) -> list[Read]:
        """The keys of the next request, refused ones first; nothing at the end."""
        batch, self._refused = self._refused[: self._size], self._refused[self._size :]
        while len(batch) < self._size and (read := next(self._fresh, None)) is not None:
            batch.append(read)
        return batch

    def request(self, batch: Iterable[Read]) -> dict[str, dict[str, Any]]:
        """The parameter `RequestItems` that asks for these keys."""
        items: dict[str, dict[str, Any]] = {}
        for read in batch:
            entry = items.setdefault(read.table, {**self._options[read.table], "Keys": []})
            entry["Keys"].append(read.key)
        return items

    def settle(
        self, batch: Sequence[Read], unread: Mapping[str, Mapping[str, Any]]
    ) -> tuple[list[Read], list[Read]]:
        """Note the answer to a request.

        Args:
            batch: What `take` returned.
            unread: The `UnprocessedKeys` of the answer.

        Returns:
            The keys that are asked for again, and those that are given up.
        """
        left = {
            (name, identity_of(key)): key for name, part in unread.items() for key in part["Keys"]
        }
        refusals = 1 + max((read.refusals for read in batch), default=0)
        again: list[Read] = []
        given_up: list[Read] = []
        for read in batch:
            if left.pop((read.table, read.identity), None) is not None:
                read.refusals += 1
                (given_up if read.refusals >= self._attempts else again).append(read)
        # Whatever else is left, say of a table that the answer calls by another name, is asked for
        # as the answer has it: no key is lost for its looks.
        for (table, identity), key in left.items():
            self._options.setdefault(table, {n: v for n, v in unread[table].items() if n != "Keys"})
            read = Read(table, key, identity, refusals)
            (given_up if refusals >= self._attempts else again).append(read)
        self._refused = again + self._refused
        return again, given_up

    def rest(self) -> list[Read]:
        """The keys that were asked for and are to be asked for again; then nothing is left."""
        rest, self._refused = self._refused, []
        return rest

    def _each_once(self) -> Iterator[Read]:
        for table, keys in self._keys.items():
            seen: set[Identity] = set()
            for key in keys:
                identity = identity_of(key)
                # The service refuses a request that names one key twice.
                if identity not in seen:
                    seen.add(identity)
                    yield Read(table, key, identity)

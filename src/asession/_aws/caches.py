"""Token and credential caches on disk, read and written in worker threads only.

botocore's code reads its caches like a dictionary, in the middle of a refresh. A `FileCache` is
that dictionary in memory. An entry that it lacks interrupts the refresh, is read from its file (no
other file is), and the refresh begins again: all caches are read before anything is sent. What the
refresh stores is written after it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import anyio
from aiobotocore._helpers import resolve_awaitable
from botocore.utils import JSONFileCache

from asession._runtime.threads import in_thread

# More entries than any refresh reads: a role, its source's role or SSO session, and tokens.
_MOST_ENTRIES = 16

refused_key: ContextVar[str | None] = ContextVar("asession_refused_key", default=None)
"""The access key that a service has refused: an entry with it counts as missing."""


class _EntryWanted(Exception):  # noqa: N818 - a signal, not an error
    """Upstream looked for an entry that has not been read."""

    def __init__(self, cache: FileCache, key: str) -> None:
        self.cache = cache
        self.key = key


class FileCache:
    """A directory of JSON files, one an entry, as botocore and the AWS CLI keep them.

    Files are replaced atomically and have mode 0600. Lives as long as the session's live state;
    nothing needs closing.

    Args:
        directory: The directory; made when something is stored.
        dumps: Makes the text of an entry, instead of botocore's way.
        scope: What the names of the files depend on besides the key; empty for botocore's names.

    Attributes:
        directory: The directory.
    """

    def __init__(
        self, directory: str, dumps: Callable[[Any], str] | None = None, scope: str = ""
    ) -> None:
        self.directory = directory
        self._files = JSONFileCache(directory, dumps_func=dumps)
        self._scope = scope
        # `None` for an entry that is not there.
        self._entries: dict[str, Any] = {}
        self._changed: dict[str, Any] = {}

    async def read(self, key: str) -> None:
        """Read an entry from its file."""
        self._entries[key] = await in_thread(self._read, key)

    def _read(self, key: str) -> Any:
        try:
            return self._files[self._name(key)]
        except KeyError:
            return None  # no such file, or not JSON: no entry

    def forget(self) -> None:
        """Read every entry again when it is next wanted."""
        self._entries = dict(self._changed)

    async def push(self) -> None:
        """Write the entries that have changed."""
        changed, self._changed = self._changed, {}
        if changed:
            with anyio.CancelScope(shield=True):
                await in_thread(self._write, changed)

    def _write(self, changed: dict[str, Any]) -> None:
        # Before botocore does, which would let everybody look into it.
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        for key, value in changed.items():
            self._files[self._name(key)] = value

    def _name(self, key: str) -> str:
        if not self._scope:
            return key
        return hashlib.sha256(f"{self._scope} {key}".encode()).hexdigest()

    def __contains__(self, key: str) -> bool:
        if key not in self._entries:
            raise _EntryWanted(self, key)
        entry = self._entries[key]
        return entry is not None and not _is_refused(entry)

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            raise KeyError(key)
        return self._entries[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._entries[key] = self._changed[key] = value

    def __delitem__(self, key: str) -> None:
        self._entries[key] = None


def _is_refused(entry: Any) -> bool:
    refused = refused_key.get()
    if refused is None or not isinstance(entry, dict):
        return False
    issued = entry.get("Credentials")
    return isinstance(issued, dict) and issued.get("AccessKeyId") == refused


class NoCache(dict[str, Any]):
    """A cache that keeps nothing: the process has its own. Lives as long as its providers."""

    def __setitem__(self, key: str, value: Any) -> None:
        """Keep nothing."""


def with_caches(
    refresh: Callable[[], Any], *caches: FileCache | dict[str, Any]
) -> Callable[[], Awaitable[Any]]:
    """`refresh`, with the caches on disk read when it wants them and written after it."""
    on_disk = [cache for cache in caches if isinstance(cache, FileCache)]

    async def refreshed() -> Any:
        for cache in on_disk:
            cache.forget()
        try:
            for _ in range(_MOST_ENTRIES):
                try:
                    return await resolve_awaitable(refresh())
                except _EntryWanted as wanted:
                    missing = wanted
                await missing.cache.read(missing.key)
            raise RuntimeError("a refresh reads its caches again and again")
        finally:
            for cache in on_disk:
                await cache.push()

    return refreshed

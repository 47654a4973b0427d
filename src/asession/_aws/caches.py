"""Token and credential caches on disk, read and written in worker threads only.

botocore's code reads its caches like a dictionary, in the middle of a refresh. A `FileCache` is
that dictionary in memory: pulled from the files before a refresh, pushed to them after it.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from aiobotocore._helpers import resolve_awaitable
from botocore.utils import JSONFileCache

from asession._runtime.threads import in_thread


class FileCache:
    """A directory of JSON files, one an entry, as botocore and the AWS CLI keep them.

    Lives as long as the session's live state; nothing needs closing.
    """

    def __init__(self, directory: str, dumps: Callable[[Any], str] | None = None) -> None:
        self._directory = directory
        self._files = JSONFileCache(directory, dumps_func=dumps)
        self._entries: dict[str, Any] = {}
        self._changed: dict[str, Any] = {}

    async def pull(self) -> None:
        """Read all entries."""
        self._entries = {**await in_thread(self._read), **self._changed}

    def _read(self) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        try:
            names = os.listdir(self._directory)
        except OSError:
            return entries
        for name in names:
            key, extension = os.path.splitext(name)
            if extension == ".json":
                try:
                    entries[key] = self._files[key]
                except KeyError:
                    continue  # being replaced, or not JSON: not an entry
        return entries

    async def push(self) -> None:
        """Write the entries that have changed, atomically and with mode 0600."""
        changed, self._changed = self._changed, {}
        if changed:
            with anyio.CancelScope(shield=True):
                await in_thread(self._write, changed)

    def _write(self, changed: dict[str, Any]) -> None:
        for key, value in changed.items():
            self._files[key] = value

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __getitem__(self, key: str) -> Any:
        return self._entries[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._entries[key] = self._changed[key] = value

    def __delitem__(self, key: str) -> None:
        del self._entries[key]


def with_caches(
    refresh: Callable[[], Any], *caches: FileCache | dict[str, Any]
) -> Callable[[], Awaitable[Any]]:
    """`refresh`, with the caches on disk pulled before it and pushed after it."""
    on_disk = [cache for cache in caches if isinstance(cache, FileCache)]

    async def refreshed() -> Any:
        for cache in on_disk:
            await cache.pull()
        try:
            return await resolve_awaitable(refresh())
        finally:
            for cache in on_disk:
                await cache.push()

    return refreshed

"""Whole files, read through aiofiles on asyncio and trio alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aiofiles
import anyio

from asession._runtime.threads import in_thread


class _AnyioExecutor:
    """Stands for the asyncio loop that aiofiles asks for: it needs `run_in_executor` alone."""

    def run_in_executor(self, _executor: object, function: Callable[..., Any], *args: Any) -> Any:
        return in_thread(function, *args)


_EXECUTOR: Any = _AnyioExecutor()


async def read_file(path: str) -> bytes:
    """Read a whole file.

    Raises:
        OSError: The file cannot be opened or read.
    """
    # Not `async with aiofiles.open(...)`: its exit ignores `loop=` and fails on trio.
    file = await aiofiles.open(path, "rb", loop=_EXECUTOR)
    try:
        return await file.read()
    finally:
        with anyio.CancelScope(shield=True):
            await file.close()

"""Whole files, read through aiofiles on asyncio and trio alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aiofiles
import anyio

from asession._runtime.threads import in_thread


class _AnyioExecutor:
    """Stands for the asyncio loop that aiofiles asks for: it needs `run_in_executor` alone."""

    async def run_in_executor(
        self, _executor: object, function: Callable[..., Any], *args: Any
    ) -> Any:
        call = _Call(function, args)
        try:
            return await in_thread(call)
        except BaseException:
            call.abandon()
            raise


class _Call:
    """A call in a thread; a file that it opens for nobody is closed.

    Nobody waits for it any more when a task of asyncio was cancelled past anyio's shield.
    """

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._function = function
        self._args = args
        self._result: Any = None
        self._abandoned = False

    def __call__(self) -> Any:
        self._result = self._function(*self._args)
        if self._abandoned:
            self._close()
        return self._result

    def abandon(self) -> None:
        """Nobody will take the result."""
        self._abandoned = True
        self._close()

    def _close(self) -> None:
        close = getattr(self._result, "close", None)
        if close is not None:
            close()


_EXECUTOR: Any = _AnyioExecutor()


async def read_file(path: str) -> bytes:
    """Read a whole file.

    Raises:
        OSError: The file cannot be opened or read.
    """
    # Not `async with aiofiles.open(...)`: its exit ignores `loop=` and fails on trio.
    file: Any = await aiofiles.open(path, "rb", loop=_EXECUTOR)
    try:
        content: bytes = await file.read()
        return content
    finally:
        try:
            with anyio.CancelScope(shield=True):
                await file.close()
        except BaseException:
            # A task of asyncio was cancelled past the shield, maybe before a thread was free. To
            # close a file that was read blocks nobody.
            file._file.close()
            raise

"""Calls into a running event loop from other threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asession._runtime.loops import current_backend


def poster() -> Callable[[Callable[[], Any]], Any]:
    """What hands a function to the event loop that runs here, from any thread.

    The returned function raises `RuntimeError`, or trio's relative of it, once the loop has ended.

    Raises:
        RuntimeError: No event loop runs in this thread.
    """
    backend = current_backend()
    if backend == "trio":
        import trio

        return trio.lowlevel.current_trio_token().run_sync_soon
    if backend == "asyncio":
        import asyncio

        return asyncio.get_running_loop().call_soon_threadsafe
    raise RuntimeError("no event loop runs in this thread")

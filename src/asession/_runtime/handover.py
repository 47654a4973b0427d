"""A way back onto an event loop, from any thread, finalizer or signal handler."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from asession._runtime.loops import current_backend


class Handover:
    """Runs functions on the event loop it was made on, soon; lives as long as its owner.

    Calling it never blocks and takes no lock, so a finalizer may, wherever the garbage collector
    happens to run it. Nothing needs closing.
    """

    __slots__ = ("_soon",)

    def __init__(self) -> None:
        self._soon: Callable[..., Any]
        if current_backend() == "trio":
            import trio

            self._soon = trio.lowlevel.current_trio_token().run_sync_soon
        else:
            import asyncio

            self._soon = asyncio.get_running_loop().call_soon_threadsafe

    def __call__(self, function: Callable[..., object], *args: object) -> bool:
        """Run a function soon; `False` if the event loop has ended."""
        if sys.is_finalizing():
            return False
        try:
            self._soon(function, *args)
        except RuntimeError:  # closed, or trio's RunFinishedError, which is one
            return False
        return True

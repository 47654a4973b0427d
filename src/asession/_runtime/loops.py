"""Which event loop, task and process the caller is in."""

from __future__ import annotations

import os
import sys
from typing import Any
from weakref import WeakKeyDictionary


class LoopToken:
    """Stands for one run of one event loop in one process; lives as long as the loop.

    Two tokens are equal only if they are the same object.
    """

    __slots__ = ("__weakref__", "backend", "pid")

    def __init__(self, backend: str) -> None:
        self.backend = backend
        self.pid = os.getpid()

    def __repr__(self) -> str:
        return f"<{self.backend} event loop of process {self.pid} at {id(self):#x}>"


# By what the event loop itself calls its run: its loop on asyncio, its token on trio.
_tokens: WeakKeyDictionary[Any, LoopToken] = WeakKeyDictionary()


def current_backend() -> str | None:
    """``"asyncio"``, ``"trio"``, or `None` outside an event loop."""
    # A process forked inside a coroutine still seems to be on trio; the token's pid tells.
    if _running_trio() is not None:
        return "trio"
    if "asyncio" in sys.modules:
        import asyncio

        if asyncio._get_running_loop() is not None:
            return "asyncio"
    return None


def current_loop() -> LoopToken:
    """The token of the running event loop.

    Raises:
        RuntimeError: No event loop runs in this thread.
    """
    run: Any = None
    trio = _running_trio()
    if trio is not None:
        run, backend = trio.current_trio_token(), "trio"
    elif "asyncio" in sys.modules:
        import asyncio

        run, backend = asyncio._get_running_loop(), "asyncio"
    if run is None:
        raise RuntimeError("no event loop runs in this thread")
    token = _tokens.get(run)
    if token is None:
        token = _tokens[run] = LoopToken(backend)
    return token


def _running_trio() -> Any:
    """`trio.lowlevel`, if trio runs in this thread; else `None`."""
    # Another thread may be in the middle of importing it: then it does not run here.
    lowlevel = getattr(sys.modules.get("trio"), "lowlevel", None)
    in_trio_run = getattr(lowlevel, "in_trio_run", None)
    return lowlevel if in_trio_run is not None and in_trio_run() else None


def current_task() -> Any:
    """The running task (an object that lives as long as the task), or `None` outside a loop."""
    trio = _running_trio()
    if trio is not None:
        return trio.current_task()
    if current_backend() == "asyncio":
        import asyncio

        return asyncio.current_task()
    return None


def is_done(task: Any) -> bool:
    """Whether a task from `current_task` has ended."""
    done = getattr(task, "done", None)
    if done is not None:
        return bool(done())
    # trio: a task that has ended has no coroutine frame any more.
    return task.coro.cr_frame is None if hasattr(task.coro, "cr_frame") else False

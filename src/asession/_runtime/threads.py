"""Worker threads: blocking calls and slow imports, off the event loop."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from types import ModuleType
from typing import TypeVar, TypeVarTuple

import anyio.from_thread
import anyio.to_thread
from anyio.lowlevel import RunVar

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# Of each event loop: the threads that compute.
_computing: RunVar[anyio.CapacityLimiter] = RunVar("_computing")

_imported: dict[str, ModuleType] = {}


async def in_thread(function: Callable[[*Ts], T], *args: *Ts) -> T:
    """Run a blocking function in a worker thread.

    The call is not abandoned on cancellation: the thread finishes, then the cancellation is
    delivered, so that no file is left half written and no lock half taken.
    """
    return await anyio.to_thread.run_sync(function, *args)


def heed_cancellation() -> None:
    """In a function that `in_thread` runs: end it here if whoever waits for it was cancelled."""
    anyio.from_thread.check_cancelled()


async def compute(function: Callable[[*Ts], T], *args: *Ts) -> T:
    """As `in_thread`, for a function that computes more than it waits: one of few at a time.

    One processor is left to the event loop's own thread: it would be late among threads that
    compute, and what it does for a transfer takes as long as their part. Functions should take a
    few milliseconds, for others to have their turn.
    """
    limiter = _computing.get(None)
    if limiter is None:
        limiter = anyio.CapacityLimiter(max(1, _processors() - 1))
        _computing.set(limiter)
    return await anyio.to_thread.run_sync(function, *args, limiter=limiter)


def _processors() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


async def import_module(name: str) -> ModuleType:
    """Import a module, in a worker thread the first time: upstream packages take 30 to 700 ms.

    A module counts as imported once its import has finished, so that nobody sees a half-made one.
    """
    module = _imported.get(name)
    if module is None:
        module = _imported[name] = await in_thread(importlib.import_module, name)
    return module

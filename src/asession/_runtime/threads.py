"""Worker threads: blocking calls and slow imports, off the event loop."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import TypeVar, TypeVarTuple

import anyio.to_thread

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_imported: dict[str, ModuleType] = {}


async def in_thread(function: Callable[[*Ts], T], *args: *Ts) -> T:
    """Run a blocking function in a worker thread.

    The call is not abandoned on cancellation: the thread finishes, then the cancellation is
    delivered, so that no file is left half written and no lock half taken.
    """
    return await anyio.to_thread.run_sync(function, *args)


async def import_module(name: str) -> ModuleType:
    """Import a module, in a worker thread the first time: upstream packages take 30 to 700 ms.

    A module counts as imported once its import has finished, so that nobody sees a half-made one.
    """
    module = _imported.get(name)
    if module is None:
        module = _imported[name] = await in_thread(importlib.import_module, name)
    return module

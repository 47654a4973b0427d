"""Turns: the long steps of many tasks, spread over the cycles of their event loop."""

from __future__ import annotations

import anyio
from anyio.lowlevel import RunVar, checkpoint

_turns: RunVar[anyio.Lock] = RunVar("asession_turns")


async def turn() -> None:
    """Wait for a cycle of the event loop in which no other caller takes a long step.

    An event loop runs all tasks that are ready before it looks at anything else: fifty tasks that
    each compute for a millisecond hold everybody else up for fifty. Nothing is held while the
    caller takes its step, right after this returns.
    """
    try:
        lock = _turns.get()
    except LookupError:
        lock = anyio.Lock(fast_acquire=True)
        _turns.set(lock)
    async with lock:
        await checkpoint()

"""One peer in a process of its own: opens sessions and clients when it is told to.

`python -m benchmarks.opener` reads one JSON object a line and answers each with one. First
``{"peer", "service", "modules", "imports"}``: the modules are imported before anything else, and
with ``imports`` what importing the peer takes is part of the first opening. Then any number of

- ``{"open": 5, "ticker": false}``: open and close so many, one after the other;
- ``{"crowd": 50, "ticker": true}``: so many at once, a task each;
- ``{"hold": 50, "traced": false}``: so many held open, then all closed;
- ``{"modules": true}``: the names of the modules that are loaded;
- ``{"profile": 20}``: as ``open``, answered with the time of each part.

Times are in seconds, sizes in bytes. The end of its input ends it.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import sys
import time
import tracemalloc
from typing import Any

from benchmarks.loops import Loop, Pauses, Ticker, run
from benchmarks.openings import IMPORTS, OPENINGS
from benchmarks.parts import profiled
from benchmarks.peers import PEERS
from benchmarks.worker import commands, say, versions

# How long the ticker runs on an idle loop, in seconds: its own lateness on this machine.
_IDLE = 0.1


class Opener:
    """What the commands do, for one peer and service; lives as long as its process."""

    def __init__(self, peer: str, service: str, before: dict[str, float]) -> None:
        self._open = OPENINGS[peer]
        self._service = service
        self._before = before

    async def serve(self, loop: Loop) -> None:
        """Answer commands until they end."""
        for command in commands():
            if "open" in command:
                say(await self._timed(loop, command["open"], 1, command["ticker"]))
            elif "crowd" in command:
                say(await self._timed(loop, 1, command["crowd"], command["ticker"]))
            elif "hold" in command:
                say(await self._held(command["hold"], bool(command["traced"])))
            elif "modules" in command:
                say(sorted(sys.modules))
            elif "profile" in command:
                say(await profiled(self._once, command["profile"]))

    async def _once(self) -> None:
        async with self._open(self._service):
            pass

    async def _timed(self, loop: Loop, times: int, tasks: int, ticker: bool) -> dict[str, Any]:
        """So many openings in a row, in each of so many tasks, maybe beside a ticker."""

        async def work() -> None:
            if tasks > 1:
                await loop.together([self._once] * tasks)
                return
            for _ in range(times):
                await self._once()
                await loop.sleep(0)  # so that the longest stall is one opening's

        async def idle() -> None:
            await loop.sleep(_IDLE)

        spent: dict[str, Any] = {}

        async def clocked() -> None:
            wall, cpu = time.perf_counter(), time.process_time()
            await work()
            spent["wall"] = time.perf_counter() - wall + self._before.pop("wall", 0.0)
            spent["cpu"] = time.process_time() - cpu + self._before.pop("cpu", 0.0)

        gc.collect()
        with Pauses() as pauses:
            if ticker:
                await Ticker(loop).during(clocked, spent, "stall")
            else:
                await clocked()
        spent["collector"] = pauses.longest
        if ticker:
            await Ticker(loop).during(idle, spent, "idle")
        return spent

    async def _held(self, sessions: int, traced: bool) -> dict[str, int]:
        for _ in range(2):
            await self._once()
        gc.collect()
        if traced:
            tracemalloc.start()
        before = _size(traced)
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(sessions):
                await stack.enter_async_context(self._open(self._service))
            gc.collect()
            held = _size(traced)
        del stack
        gc.collect()
        after = _size(traced)
        tracemalloc.stop()
        return {"held": held - before, "left": after - before}


def _size(traced: bool) -> int:
    if traced:
        return tracemalloc.get_traced_memory()[0]
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource  # the peak: what is left after closing cannot be told from it

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def main() -> None:
    """Serve the peer that the first line names."""
    first = json.loads(sys.stdin.readline())
    peer = first["peer"]
    for name in first["modules"]:
        # Those that another process had loaded; some cannot be imported by their names.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    before: dict[str, float] = {}
    if first["imports"]:
        wall, cpu = time.perf_counter(), time.process_time()
        importlib.import_module(IMPORTS[peer])
        before["wall"] = time.perf_counter() - wall
        before["cpu"] = time.process_time() - cpu
    opener = Opener(peer, first["service"], before)
    say({"versions": versions()})
    run(PEERS[peer].loop, opener.serve)
    # Taking a process with its service models apart takes longer than what was measured in it.
    os._exit(0)


if __name__ == "__main__":
    main()

"""One peer in a process of its own: runs rounds of requests when it is told to.

`python -m benchmarks.worker` reads one JSON object a line and answers each with one: first
``{"peer", "operation", "url", "ca", "concurrency"}``, then any number of ``{"requests": 300}``,
each of which is a round and is answered with its CPU time and wall time in seconds; or
``{"profile": 300}``, answered with the time of each layer. The end of its input ends it.
"""

from __future__ import annotations

import asyncio
import cProfile
import functools
import gc
import importlib.metadata
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.layers import by_layer
from benchmarks.peers import PEERS, Once, Peer, Target

PACKAGES = (
    "aioboto3",
    "aiobotocore",
    "aiohttp",
    "anyio",
    "asession",
    "boto3",
    "botocore",
    "httptools",
    "httpx2",
    "trio",
    "uvloop",
)
# How often a profile is taken: often and short, so that one of them is not disturbed.
PROFILES = 12


def warm_up(requests: int, concurrency: int) -> int:
    """Requests before a round that do not count: connections and caches come back to life."""
    return min(concurrency, max(1, requests // 5))


def versions() -> dict[str, str]:
    """The versions of the packages that matter, as far as they are installed here."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def say(answer: Any) -> None:
    """Send one line."""
    print(json.dumps(answer), flush=True)


def commands() -> Iterator[dict[str, int]]:
    """What this process is told to do. Waiting for it blocks the event loop, which has no work."""
    for line in sys.stdin:
        yield json.loads(line)


async def _many_asyncio(once: Once, requests: int, concurrency: int) -> None:
    left = iter(range(requests))

    async def work() -> None:
        for _ in left:
            await once()

    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work())


async def _many_trio(once: Once, requests: int, concurrency: int) -> None:
    import trio

    left = iter(range(requests))

    async def work() -> None:
        for _ in left:
            await once()

    async with trio.open_nursery() as nursery:
        for _ in range(concurrency):
            nursery.start_soon(work)


async def _profiled(work: Callable[[], Awaitable[None]], requests: int) -> dict[str, Any]:
    profile = cProfile.Profile()
    profile.enable()
    try:
        await work()
    finally:
        profile.disable()
    return by_layer(profile, requests)


async def _serve(
    peer: Peer,
    target: Target,
    many: Callable[[Once, int, int], Awaitable[None]],
) -> None:
    async with peer.open(target) as once:
        await once()
        say({"versions": versions()})
        for command in commands():
            requests = command.get("requests") or command["profile"]
            await many(once, warm_up(requests, target.concurrency), target.concurrency)
            if "profile" in command:
                work = functools.partial(many, once, requests, target.concurrency)
                found = [await _profiled(work, requests) for _ in range(PROFILES)]
                # The profiler's clock goes on while other processes run: the least is the best.
                say(min(found, key=lambda profile: sum(profile["layers"].values())))
                continue
            gc.collect()
            wall, cpu = time.perf_counter(), time.process_time()
            await many(once, requests, target.concurrency)
            say({"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall})


def _serve_threads(peer: Peer, target: Target) -> None:
    once = peer.open(target)
    once()
    say({"versions": versions()})
    with ThreadPoolExecutor(target.concurrency) as pool:

        def many(requests: int) -> None:
            share, rest = divmod(requests, target.concurrency)
            shares = [share + (number < rest) for number in range(target.concurrency)]

            def work(count: int) -> None:
                for _ in range(count):
                    once()

            for _ in pool.map(work, shares):
                pass

        for command in commands():
            requests = command["requests"]
            many(warm_up(requests, target.concurrency))
            gc.collect()
            wall, cpu = time.perf_counter(), time.process_time()
            many(requests)
            say({"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall})


def main() -> None:
    """Open the peer that the first line names, and serve."""
    first = json.loads(sys.stdin.readline())
    peer = PEERS[first.pop("peer")]
    target = Target(**first)
    if peer.loop == "threads":
        _serve_threads(peer, target)
    elif peer.loop == "trio":
        import trio

        trio.run(_serve, peer, target, _many_trio)
    else:
        factory = None
        if peer.loop == "uvloop":
            import uvloop

            factory = uvloop.new_event_loop
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(_serve(peer, target, _many_asyncio))


if __name__ == "__main__":
    main()

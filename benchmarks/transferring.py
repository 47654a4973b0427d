"""One peer of the benchmark of transfers, in a process of its own.

`python -m benchmarks.transferring` reads one JSON object a line: first ``{"peer", "url", "work",
"folder"}``, answered with the versions of packages, then ``{"go": 1}`` for each round, which is
answered with its wall time and CPU time in seconds, the bytes moved per second, the bytes of memory
above those at its start, and, but for threads, the longest time in seconds that a ticker of 1 ms
was late (``stall``), and the most CPU time that the event loop's thread used between two ticks
(``held``): what other threads and processes do is not in that.
The end of its input ends it.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import json
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.peers import ACCESS_KEY, REGION, SECRET_KEY
from benchmarks.worker import say, versions

MIB = 1024 * 1024
BIG = 256 * MIB
SMALL = 64 * 1024
FILES = 1000
AT_ONCE = 10
BUCKET = "benchmark-bucket"


class Peak:
    """The most resident memory during a block, in bytes, above that at its start."""

    def __enter__(self) -> Peak:
        gc.collect()
        self._start = self._most = _resident()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._done.wait(0.005):
            self._most = max(self._most, _resident())

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def above(self) -> int:
        """That, once the block has ended."""
        return self._most - self._start


def _resident() -> int:
    if sys.platform != "linux":
        return 0
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _files(folder: Path, work: str) -> None:
    if work == "up":
        with (folder / "big").open("wb") as file:
            for _ in range(BIG // MIB):
                file.write(os.urandom(MIB))
    elif work == "ups":
        for number in range(FILES):
            (folder / f"{number}").write_bytes(os.urandom(SMALL))


def _calls(s3: Any, folder: Path, work: str) -> list[Callable[[], Any]]:
    """What one round calls, several at once if there are several."""
    if work == "up":
        return [lambda: s3.upload_file(str(folder / "big"), BUCKET, "big")]
    if work == "down":
        return [lambda: s3.download_file(BUCKET, f"big-{BIG}", str(folder / "out"))]
    if work == "ups":
        return [
            lambda name=f"{number}": s3.upload_file(str(folder / name), BUCKET, name)  # type: ignore[misc]
            for number in range(FILES)
        ]
    return [
        lambda name=f"{number}": s3.download_file(BUCKET, f"{name}-{SMALL}", str(folder / name))  # type: ignore[misc]
        for number in range(FILES)
    ]


def _rounds(folder: Path, work: str) -> Iterator[None]:
    for _ in sys.stdin:
        if work.startswith("down"):
            # To replace a file is the disk's work: ext4 then writes the new one out at once, which
            # takes longer than to fetch it, and disturbs whoever is next.
            for path in folder.iterdir():
                path.unlink()
        yield


def _since(wall: float, cpu: float, calls: list[Callable[[], Any]]) -> dict[str, float]:
    """The times since two clocks showed that, and the bytes a second."""
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    size = BIG if len(calls) == 1 else SMALL * len(calls)
    return {"wall": wall, "cpu": cpu, "rate": size / wall}


async def _measure(
    rounds: Iterator[None],
    calls: list[Callable[[], Any]],
    sleep: Callable[[float], Awaitable[None]],
    together: Callable[..., Awaitable[None]],
) -> None:
    """Answer each round; `together` runs coroutine functions at once."""
    for _ in rounds:
        ticker = _Ticker()
        with Peak() as peak:
            wall, cpu = time.perf_counter(), time.process_time()
            await together(
                functools.partial(ticker.run, sleep),
                functools.partial(_work, calls, together, ticker),
            )
            figures = _since(wall, cpu, calls)
        say({**figures, "rss": peak.above, "stall": ticker.late, "held": ticker.held})


class _Ticker:
    """Wants to wake up every millisecond until `done`."""

    late = 0.0
    held = 0.0
    done = False

    async def run(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        while not self.done:
            before, used = time.perf_counter(), time.thread_time()
            await sleep(0.001)
            self.late = max(self.late, time.perf_counter() - before - 0.001)
            self.held = max(self.held, time.thread_time() - used)


async def _work(
    calls: list[Callable[[], Any]], together: Callable[..., Awaitable[None]], ticker: _Ticker
) -> None:
    left = iter(calls)

    async def some() -> None:
        for call in left:
            await call()

    await together(*[some] * min(AT_ONCE, len(calls)))
    ticker.done = True


async def _together_asyncio(*functions: Callable[[], Awaitable[None]]) -> None:
    await asyncio.gather(*[function() for function in functions])


async def _together_trio(*functions: Callable[[], Awaitable[None]]) -> None:
    import trio

    async with trio.open_nursery() as nursery:
        for function in functions:
            nursery.start_soon(function)


def _keywords(url: str) -> dict[str, Any]:
    return {
        "endpoint_url": url,
        "region_name": REGION,
        "aws_access_key_id": ACCESS_KEY,
        "aws_secret_access_key": SECRET_KEY,
    }


@asynccontextmanager
async def _asession(url: str) -> Any:
    from asession import Session

    keywords = _keywords(url)
    endpoint = keywords.pop("endpoint_url")
    async with Session(**keywords) as session:
        async with session.client("s3", endpoint_url=endpoint) as s3:
            yield s3


def _aioboto3(url: str) -> Any:
    from aioboto3 import Session  # type: ignore[import-not-found]

    return Session().client("s3", **_keywords(url))


async def _serve(client: Any, folder: Path, work: str, together: Any, sleep: Any) -> None:
    async with client as s3:
        calls = _calls(s3, folder, work)
        say({"versions": versions()})
        await _measure(_rounds(folder, work), calls, sleep, together)


def _serve_threads(url: str, folder: Path, work: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    import boto3

    calls = _calls(boto3.client("s3", **_keywords(url)), folder, work)
    say({"versions": versions()})
    for _ in _rounds(folder, work):
        with Peak() as peak, ThreadPoolExecutor(min(AT_ONCE, len(calls))) as pool:
            wall, cpu = time.perf_counter(), time.process_time()
            for _done in pool.map(lambda call: call(), calls):
                pass
            figures = _since(wall, cpu, calls)
        say({**figures, "rss": peak.above})


def main() -> None:
    """Open the peer that the first line names, and serve."""
    first = json.loads(sys.stdin.readline())
    peer, url, work = first["peer"], first["url"], first["work"]
    folder = Path(first["folder"]) / f"{peer}-{work}"
    folder.mkdir()
    _files(folder, work)
    if peer == "boto3":
        _serve_threads(url, folder, work)
    elif peer == "asession-trio":
        import trio

        trio.run(_serve, _asession(url), folder, work, _together_trio, trio.sleep)
    else:
        client = _aioboto3(url) if peer == "aioboto3" else _asession(url)
        asyncio.run(_serve(client, folder, work, _together_asyncio, asyncio.sleep))


if __name__ == "__main__":
    main()

"""How long big uploads and downloads hold up the event loop, beside raw anyio doing the same.

`python -m benchmarks.stalls` moves 256 MiB each way, over http and TLS, on asyncio and trio, while
another task wakes up every millisecond and notes how late it is. Who moves them takes turns in one
process, because what else the machine does makes every task late; the server is another process.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import platform
import re
import resource
import shlex
import ssl
import statistics
import sys
import tempfile
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.environments import ROOT
from benchmarks.peers import ACCESS_KEY, REGION, SECRET_KEY
from benchmarks.processes import Process, python
from benchmarks.results import RESULTS, as_markdown, as_text

HOST = "127.0.0.1"
MIB = 1 << 20
PIECE = 256 * 1024
WAYS = ("up", "down")
MOVERS = {"nothing": "nothing moved", "anyio": "anyio alone", "transport": "our transport alone"}
MOVERS["asession"] = "asession, S3"

Move = Callable[[str], Awaitable[None]]


class Source:
    """Yields the same piece until it is as long as it says; can be read again."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return self._size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        piece = bytes(PIECE)
        for _ in range(self._size // PIECE):
            yield piece


def crc32(size: int) -> str:
    """The checksum of so many zeros, as S3 writes it."""
    checksum = 0
    for _ in range(size // PIECE):
        checksum = zlib.crc32(bytes(PIECE), checksum)
    return base64.b64encode(checksum.to_bytes(4, "big")).decode()


async def anyio_alone(url: str, size: int, trust: ssl.SSLContext | None) -> Move:
    """Bytes through anyio's streams: what nobody on anyio can do without."""
    import anyio

    port = int(url.rpartition(":")[2])
    tls: dict[str, Any] = {"ssl_context": trust, "tls_standard_compatible": False} if trust else {}

    async def move(way: str) -> None:
        async with await anyio.connect_tcp(HOST, port, **tls) as stream:
            if way == "up":
                await stream.send(b"PUT / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % size)
                piece = bytes(PIECE)
                for _ in range(size // PIECE):
                    await stream.send(piece)
                await stream.receive()
                return
            await stream.send(b"GET / HTTP/1.1\r\n\r\n")
            left = size
            while left > 0:
                left -= len(await stream.receive(PIECE))

    return move


async def transport_alone(url: str, size: int, ca: str | None, stack: AsyncExitStack) -> Move:
    """asession's transport: unsigned requests."""
    from asession._http.bodies import body_of
    from asession._http.limits import Timeouts
    from asession._http.requests import Request, Route
    from asession._http.tls import TlsSettings
    from asession._http.transport import Transport

    scheme, port = url.partition(":")[0], int(url.rpartition(":")[2])
    route = Route(scheme, HOST, port, tls=TlsSettings(ca_bundle=ca) if ca else None)
    transport = Transport()
    stack.push_async_callback(transport.aclose)

    async def move(way: str) -> None:
        body = body_of(Source(size), size) if way == "up" else body_of(None)
        request = Request("PUT" if way == "up" else "GET", "/", [], body)
        response = await transport.send(request, route, Timeouts())
        count = 0
        while piece := await response.read(MIB):
            count += len(piece)
        assert count == (0 if way == "up" else size)

    return move


async def asession_s3(url: str, size: int, ca: str | None, stack: AsyncExitStack) -> Move:
    """asession's S3 client: hashed, signed, checksums computed and checked."""
    from asession import Session

    session = await stack.enter_async_context(
        Session(ACCESS_KEY, SECRET_KEY, region_name=REGION, verify=ca, environ={})
    )
    s3: Any = await stack.enter_async_context(session.client("s3", endpoint_url=url))

    async def move(way: str) -> None:
        if way == "up":
            await s3.put_object(Bucket="b", Key="k", Body=Source(size))
            return
        count = 0
        async with (await s3.get_object(Bucket="b", Key="k"))["Body"] as body:
            async for piece in body.iter_chunks(MIB):
                count += len(piece)
        assert count == size

    return move


async def late(work: Callable[[], Awaitable[None]]) -> dict[str, float]:
    """Do work while a task wakes up every millisecond.

    Returns:
        In seconds, how late it was at most (``stall``), and how much CPU time the event loop's
        thread used in between at most (``held``): what other processes do is not in that.
    """
    import anyio

    longest = held = 0.0

    async def tick() -> None:
        nonlocal longest, held
        while True:
            start, used = time.perf_counter(), time.thread_time()
            await anyio.sleep(0.001)
            longest = max(longest, time.perf_counter() - start - 0.001)
            held = max(held, time.thread_time() - used)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    async with anyio.create_task_group() as group:
        group.start_soon(tick)
        await anyio.sleep(0.005)
        await work()
        await anyio.sleep(0.005)
        group.cancel_scope.cancel()
    took = time.perf_counter() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"stall": longest, "held": held, "took": took, "grown_kib": grown}


async def serve_worker(given: Mapping[str, Any]) -> None:
    """Move as the lines on standard input say; ``{"mover", "way", "size"}`` each."""
    import anyio

    url, ca, size = given["url"], given["ca"], given["size"]
    trust = ssl.create_default_context(cafile=ca) if ca else None

    async def nothing(way: str) -> None:
        await anyio.sleep(0.5)

    async with AsyncExitStack() as stack:
        movers: dict[str, Move] = {
            "nothing": nothing,
            "anyio": await anyio_alone(url, size, trust),
            "transport": await transport_alone(url, size, ca, stack),
            "asession": await asession_s3(url, size, ca, stack),
        }
        print(json.dumps({"ready": True}), flush=True)
        for line in sys.stdin:
            command = json.loads(line)

            async def work(command: Any = command) -> None:
                await movers[command["mover"]](command["way"])

            print(json.dumps(await late(work)), flush=True)


def measure(mib: int, rounds: int, command: str) -> dict[str, Any]:
    """The longest stall of every round, in milliseconds, ready for JSON."""
    cells: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        urls, ca, server = _serving(home, mib)
        try:
            for loop in ("asyncio", "trio"):
                for scheme in ("http", "https"):
                    worker = Process([python(), "-m", "benchmarks.stalls", "--worker"], home)
                    given = {"loop": loop, "url": urls[scheme], "size": mib * MIB}
                    worker.tell({**given, "ca": ca if scheme == "https" else None})
                    worker.hear()
                    cells += [_cell(worker, loop, scheme, way, rounds) for way in WAYS]
                    worker.stop()
        finally:
            server.stop()
    made = {
        "command": command,
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
        "load": round(os.getloadavg()[0], 1),
    }
    return {"made": made, "mib": mib, "rounds": rounds, "cells": cells}


def _cell(worker: Process, loop: str, scheme: str, way: str, rounds: int) -> dict[str, Any]:
    stalls: dict[str, list[float]] = {mover: [] for mover in MOVERS}
    held: dict[str, list[float]] = {mover: [] for mover in MOVERS}
    took: dict[str, list[float]] = {mover: [] for mover in MOVERS}
    grown = dict.fromkeys(MOVERS, 0.0)
    for number in range(rounds + 1):
        for mover in MOVERS:
            answer = worker.ask({"mover": mover, "way": way})
            if number:  # the first round makes what is kept
                stalls[mover].append(round(answer["stall"] * 1000, 2))
                held[mover].append(round(answer["held"] * 1000, 2))
                took[mover].append(round(answer["took"], 3))
            grown[mover] = max(grown[mover], answer["grown_kib"] / 1024)
    return {
        "loop": loop,
        "scheme": scheme,
        "way": way,
        "stall_ms": stalls,
        "held_ms": held,
        "took_s": took,
        "grown_mib": {mover: round(mib, 1) for mover, mib in grown.items()},
    }


def _serving(home: Path, mib: int) -> tuple[dict[str, str], str, Process]:
    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(home / "ca.pem"))
    identity = authority.issue_cert(HOST)
    identity.private_key_and_cert_chain_pem.write_to_path(str(home / "server.pem"))
    server = Process(
        [python(), "-m", "benchmarks.sink", str(mib * MIB), str(home / "server.pem")], home
    )
    ports = server.hear()
    urls = {scheme: f"{scheme}://{HOST}:{port}" for scheme, port in ports.items()}
    return urls, str(home / "ca.pem"), server


def table(result: Mapping[str, Any]) -> list[list[str]]:
    """The longest stall and CPU time of the median round, and the memory; head first."""
    lines = [["late; held, ms", *MOVERS.values(), "asession's memory, MiB"]]
    for cell in result["cells"]:
        shown = [
            f"{statistics.median(late):.1f}; {statistics.median(held):.1f}"
            for late, held in zip(cell["stall_ms"].values(), cell["held_ms"].values(), strict=True)
        ]
        name = f"{cell['way']}, {cell['scheme']}, {cell['loop']}"
        lines.append([name, *shown, f"+{cell['grown_mib']['asession']:.0f}"])
    return lines


def page(result: Mapping[str, Any]) -> str:
    """The part of the page on benchmarks."""
    made = result["made"]
    conditions = (
        f"`{made['command']}`, {made['date']}, {made['python']}, {made['platform']}, "
        f"{result['mib']} MiB each way, {result['rounds']} rounds, load average {made['load']} "
        "when it began:"
    )
    return f"{conditions}\n\n{as_markdown(table(result))}"


def main(arguments: Sequence[str]) -> None:
    """Measure, show, and write ``stalls.json``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stalls", description=__doc__)
    parser.add_argument("--mib", type=int, default=256, help="how much is moved each way")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="less, and not for the page")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.worker:
        import anyio

        first = json.loads(sys.stdin.readline())
        anyio.run(serve_worker, first, backend=first["loop"])
        return
    mib, rounds = (32, 1) if given.quick else (given.mib, given.rounds)
    result = measure(mib, rounds, shlex.join(["python", "-m", "benchmarks.stalls", *arguments]))
    print(as_text(table(result)))
    into = ROOT / "build" / "benchmarks" if given.quick else RESULTS
    into.mkdir(parents=True, exist_ok=True)
    lists = re.compile(r"\[\s+([^][{}]*?)\s+\]")
    text = lists.sub(lambda match: f"[{' '.join(match[1].split())}]", json.dumps(result, indent=1))
    (into / "stalls.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

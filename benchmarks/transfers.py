"""Rows 11 and 12: one large file up and down, and a thousand small ones, side by side.

`python -m benchmarks.transfers [--rounds N] [--quick]` starts a fast fake of S3 and one process for
each peer, which take turns; prints a table and writes `benchmarks/results/transfers.json`.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.environments import ROOT, python
from benchmarks.processes import Process
from benchmarks.transferring import BIG, FILES, MIB, SMALL

PEERS = ("boto3", "aioboto3", "asession", "asession-trio")
WORK = {
    "up": ("row 11: 256 MiB up", BIG),
    "down": ("row 11: 256 MiB down", BIG),
    "ups": ("row 12: 1000 x 64 KiB up, 10 at once", FILES * SMALL),
    "downs": ("row 12: 1000 x 64 KiB down, 10 at once", FILES * SMALL),
}
Figures = dict[str, list[float]]


def measure(work: str, peers: tuple[str, ...], rounds: int) -> dict[str, Figures]:
    """The figures of each peer, round by round; the first round does not count."""
    found: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        server = Process([python(), "-m", "benchmarks.transfers_server"], Path(folder))
        stack.callback(server.stop)
        url = f"http://127.0.0.1:{server.hear()['http']}"
        workers = {}
        for peer in peers:
            interpreter = python(for_aioboto3=peer == "aioboto3")
            worker = Process([interpreter, "-m", "benchmarks.transferring"], Path(folder))
            stack.callback(worker.stop)
            worker.ask({"peer": peer, "url": url, "work": work, "folder": folder})
            workers[peer] = worker
        for number in range(rounds + 1):
            shift = number % len(peers)
            for peer in peers[shift:] + peers[:shift]:
                answer = workers[peer].ask({"go": 1})
                if number:
                    for name, value in answer.items():
                        if value is not None:
                            found.setdefault(peer, {}).setdefault(name, []).append(value)
    return found


def table(work: str, found: dict[str, Figures]) -> str:
    """The medians of one kind of work."""
    title, size = WORK[work]
    lines = [title, f"{'':16}{'MB/s':>8}{'CPU s':>8}{'MiB':>8}{'stall ms':>10}"]
    for peer, figures in found.items():
        middle = {name: statistics.median(values) for name, values in figures.items()}
        stall = f"{middle['stall'] * 1e3:10.1f}" if "stall" in middle else f"{'-':>10}"
        lines.append(
            f"{peer:16}{size / 1e6 / middle['wall']:8.0f}{middle['cpu']:8.2f}"
            f"{middle['memory'] / MIB:8.1f}{stall}"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="without boto3's family")
    given = parser.parse_args()
    peers = PEERS[2:] if given.quick else PEERS
    result: dict[str, Any] = {
        "made": {
            "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            "python": platform.python_version(),
            "platform": f"{platform.system()} {platform.machine()}",
        },
        "rounds": given.rounds,
        "work": {},
    }
    for work in WORK:
        found = measure(work, peers, given.rounds)
        result["work"][work] = found
        print(table(work, found), end="\n\n", flush=True)
    if not given.quick:
        path = ROOT / "benchmarks" / "results" / "transfers.json"
        path.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()

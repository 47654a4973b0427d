"""Measures a row: its peers take turns, round by round, each in a process of its own."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.peers import PEERS
from benchmarks.processes import Process, Server, serving, working
from benchmarks.rows import Row, Workload
from benchmarks.worker import warm_up

CONCURRENCY = 10


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure; a value.

    Attributes:
        divisor: By how much fewer requests make a round.
        rounds_divisor: By how much fewer rounds count.
        discarded: Rounds before them that do not.
        profiled: Whether there is a profile, too.
        schemes: The schemes that are measured.
        without: Peers that are left out.
    """

    divisor: int = 1
    rounds_divisor: int = 1
    discarded: int = 2
    profiled: bool = True
    schemes: tuple[str, ...] = ("http", "https")
    without: tuple[str, ...] = ()

    def apply(self, workload: Workload) -> Workload:
        """The workload as it is measured."""
        return replace(
            workload,
            peers=tuple(name for name in workload.peers if name not in self.without),
            requests=max(1, workload.requests // self.divisor),
            rounds=max(1, workload.rounds // self.rounds_divisor),
        )


FULL = Effort()
# Every peer costs a second or two to start, and boto3's family says nothing new about ourselves.
QUICK = Effort(
    divisor=2,
    rounds_divisor=5,
    discarded=1,
    profiled=False,
    schemes=("http",),
    without=("aioboto3", "aiobotocore-uvloop", "aiobotocore-httpx2", "asession-uvloop"),
)


def made(command: str) -> dict[str, Any]:
    """When, where and how a result is being made."""
    return {
        "command": command,
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }


def measure(row: Row, effort: Effort, command: str) -> dict[str, Any]:
    """Everything that was found out about a row, ready for JSON."""
    result: dict[str, Any] = {
        "row": row.number,
        "title": row.title,
        "made": {**made(command), "concurrency": CONCURRENCY},
        "goals": [
            {"ours": goal.ours, "theirs": goal.theirs, "must": goal.must, "aim": goal.aim}
            for goal in row.goals
        ],
        "workloads": [],
        "profiles": {},
    }
    versions: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as directory, serving(Path(directory)) as server:
        asked = [effort.apply(one) for one in row.workloads if one.scheme in effort.schemes]
        for position, workload in enumerate(asked):
            target = server.target(workload.operation, workload.scheme, CONCURRENCY)
            with working(workload.peers, target, Path(directory)) as workers:
                for name, worker in workers.items():
                    found = worker.hear()["versions"]
                    versions["aioboto3's environment" if PEERS[name].elsewhere else "here"] = found
                result["workloads"].append(_rounds(workload, workers, server, effort))
                if position == 0 and effort.profiled:
                    result["profiles"] = {
                        name: workers[name].ask(
                            {"profile": max(CONCURRENCY, workload.requests // 5)}
                        )
                        for name in row.profiled
                        if name in workers
                    }
    result["made"]["versions"] = versions
    return result


def _rounds(
    workload: Workload, workers: dict[str, Process], server: Server, effort: Effort
) -> dict[str, Any]:
    names = list(workers)
    cpu: dict[str, list[float]] = {name: [] for name in names}
    wall: dict[str, list[float]] = {name: [] for name in names}
    served = 0
    before = server.cpu()
    for number in range(effort.discarded + workload.rounds):
        # Whoever goes first changes, so that nobody always runs after the same neighbour.
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            answer = workers[name].ask({"requests": workload.requests})
            served += workload.requests + warm_up(workload.requests, CONCURRENCY)
            if number >= effort.discarded:
                cpu[name].append(round(answer["cpu"] / workload.requests * 1e6, 1))
                wall[name].append(round(answer["wall"] / workload.requests * 1e6, 1))
        _progress(workload, number + 1, effort.discarded + workload.rounds)
    return {
        "name": workload.name,
        "operation": workload.operation,
        "scheme": workload.scheme,
        "requests": workload.requests,
        "rounds": workload.rounds,
        "judged": workload.judged,
        "server_cpu_us": round((server.cpu() - before) / served * 1e6, 1),
        "cpu_us": cpu,
        "wall_us": wall,
    }


def _progress(workload: Workload, done: int, rounds: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == rounds else ""
        print(f"\r{workload.name}: round {done} of {rounds}", end=end, file=sys.stderr, flush=True)

"""What a row about requests is: the work, who does it, and the ratios that are asked for.

Rows about opening sessions and clients are `benchmarks.studies.Study`.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path

from benchmarks.studies import Study


@dataclass(frozen=True, slots=True)
class Workload:
    """One operation over one scheme, done by peers that are measured side by side; a value.

    Attributes:
        name: What the page calls it.
        operation: A name in `benchmarks.peers.OPERATIONS`.
        scheme: ``"http"`` or ``"https"``.
        peers: Names in `benchmarks.peers.PEERS`.
        requests: How many make a round.
        rounds: How many rounds count.
        judged: Whether the row's goals are about it.
    """

    name: str
    operation: str
    scheme: str
    peers: tuple[str, ...]
    requests: int = 100
    rounds: int = 16
    judged: bool = True


@dataclass(frozen=True, slots=True)
class Goal:
    """How much less CPU time than a peer we want to use; a value.

    Attributes:
        ours: A name in `benchmarks.peers.PEERS`.
        theirs: Another one.
        must: The least ratio of theirs to ours.
        aim: The ratio that is aimed at.
    """

    ours: str
    theirs: str
    must: float
    aim: float


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the benchmarks; a value.

    Attributes:
        number: Its number.
        title: Its heading.
        workloads: What is measured.
        goals: What is asked for, in every judged workload that has both peers.
        profiled: The peers whose first workload is profiled.
    """

    number: int
    title: str
    workloads: tuple[Workload, ...]
    goals: tuple[Goal, ...]
    profiled: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The stem of its files."""
        return f"row{self.number:02}"


def all_rows() -> dict[str, Row | Study]:
    """Every row, by the name of its module."""
    modules = sorted(path.stem for path in Path(__file__).parent.glob("row[0-9]*.py"))
    return {name: importlib.import_module(f"benchmarks.{name}").ROW for name in modules}

"""What a row about opening is: scenes, the peers in them, and what is asked of their figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """Something that is measured; a value.

    Attributes:
        title: What tables and plots call it.
        unit: Of the values that are kept.
        scale: What seconds or bytes are multiplied by.
    """

    title: str
    unit: str
    scale: float


FIGURES: Mapping[str, Figure] = {
    "cpu": Figure("CPU", "ms", 1e3),
    "wall": Figure("wall", "ms", 1e3),
    "rate": Figure("rate", "MB/s", 1e-6),
    "stall": Figure("longest stall", "ms", 1e3),
    "held": Figure("loop's CPU at a stretch", "ms", 1e3),
    "idle": Figure("stall at rest", "ms", 1e3),
    "collector": Figure("longest collection", "ms", 1e3),
    "rss": Figure("resident", "KiB", 1 / 1024),
    "rss-left": Figure("resident, left when closed", "KiB", 1 / 1024),
    "traced": Figure("Python's memory", "KiB", 1 / 1024),
    "traced-left": Figure("Python's, left when closed", "KiB", 1 / 1024),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """One thing that peers do side by side; a value.

    Attributes:
        name: What the page calls it.
        kind: ``"warm"`` (sessions and clients in a warm process, one after the other),
            ``"crowd"`` (the same at once, a task each), ``"first"`` (the first of a process, its
            modules being imported already), ``"imports"`` (the first and the imports),
            ``"held"`` (held open at the same time), ``"module"`` (importing alone) or
            ``"transfer"`` (S3 transfers).
        service: For example ``"s3"``; empty for ``"module"``; what `benchmarks.transferring`
            shall do for ``"transfer"``.
        peers: Names in `benchmarks.openings.OPENINGS`.
        times: How many make a round: openings, tasks, or sessions held.
        rounds: How many rounds count.
        shown: The figures that tables show; the first is plotted.
        fewer: How many make a round for peers other than ours, where that is less.
    """

    name: str
    kind: str
    service: str
    peers: tuple[str, ...]
    times: int = 1
    rounds: int = 10
    shown: tuple[str, ...] = ("cpu", "wall")
    fewer: int | None = None

    def times_of(self, peer: str) -> int:
        """How many make a round for one peer."""
        return self.times if self.fewer is None or peer.startswith("asession") else self.fewer


@dataclass(frozen=True, slots=True)
class Mark:
    """What is asked of a figure of ours; a value.

    Attributes:
        scene: The name of the scene.
        figure: A name in `FIGURES`.
        ours: Who it is asked of.
        must: The least ratio of theirs to ours; without `theirs` the most, in the figure's unit.
        aim: What is aimed at; `None` if that is said by another mark.
        theirs: Who it is compared with, if with anybody.
    """

    scene: str
    figure: str
    ours: str
    must: float | None
    aim: float | None
    theirs: str | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """One row of the benchmarks about opening; a value.

    Attributes:
        number: Its number.
        title: Its heading.
        scenes: What is measured.
        marks: What is asked for.
        profiled: The scene and the peers whose openings are profiled: name -> peers.
    """

    number: int
    title: str
    scenes: tuple[Scene, ...]
    marks: tuple[Mark, ...]
    profiled: Mapping[str, tuple[str, ...]]

    @property
    def name(self) -> str:
        """The stem of its files."""
        return f"row{self.number:02}"

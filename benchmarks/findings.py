"""What the rounds of a row about opening say: figures beside marks, and the tables made of them."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.peers import PEERS
from benchmarks.results import as_text, quartiles
from benchmarks.studies import FIGURES


@dataclass(frozen=True, slots=True)
class Finding:
    """A figure of ours beside what is asked of it; a value.

    Attributes:
        scene: The name of the scene.
        figure: A name in `FIGURES`.
        ours: Whose figure it is.
        theirs: Who it is compared with, if with anybody.
        value: The ratio of the medians, theirs to ours; without `theirs` our median.
        best: The same of the least that a round of each took, which other processes move least.
        must: The least ratio, or the most of the figure; `None` if nothing is asked.
        aim: What is aimed at, likewise.
    """

    scene: str
    figure: str
    ours: str
    theirs: str | None
    value: float
    best: float
    must: float | None
    aim: float | None

    def reaches(self, mark: float | None) -> bool:
        """Whether the value is on the right side of a mark, if there is one."""
        if mark is None:
            return False
        return self.value >= mark if self.theirs else self.value <= mark

    @property
    def verdict(self) -> str:
        """Which of the two marks it reaches."""
        if self.reaches(self.aim):
            return "aim"
        if self.must is None:
            return "not the aim"
        return "must" if self.reaches(self.must) else "missed"


def findings(result: Mapping[str, Any]) -> Iterator[Finding]:
    """Every mark whose scene and peers are there."""
    scenes = {scene["name"]: scene for scene in result["scenes"]}
    for mark in result["marks"]:
        figures = scenes[mark["scene"]]["figures"] if mark["scene"] in scenes else {}
        values = figures.get(mark["figure"], {})
        ours, theirs = values.get(mark["ours"]), values.get(mark["theirs"])
        if ours is None or (mark["theirs"] and theirs is None):
            continue
        value, best = statistics.median(ours), min(ours)
        if theirs:
            value, best = statistics.median(theirs) / value, min(theirs) / best
        named = {name: mark[name] for name in ("scene", "figure", "ours", "theirs", "must", "aim")}
        yield Finding(value=value, best=best, **named)


def label_of(peer: str, kind: str) -> str:
    """A peer with its event loop, if it has one."""
    known = PEERS[peer]
    if kind == "module":
        return known.label.partition(",")[0]
    return known.label if known.loop == "threads" else f"{known.label} ({known.loop})"


def number(value: float) -> str:
    """A figure with as many digits as say something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def findings_table(result: Mapping[str, Any]) -> list[list[str]]:
    """The marks of a row and what became of them; the first line is the head."""
    kinds = {scene["name"]: scene["kind"] for scene in result["scenes"]}
    lines = [["", "figure", "compared with", "found", "best", "must", "aim", "reached"]]
    for found in findings(result):
        kind = kinds[found.scene]
        unit = "x less" if found.theirs else FIGURES[found.figure].unit
        sign = "" if found.theirs else "at most "
        lines.append(
            [
                f"{label_of(found.ours, kind)}, {found.scene}",
                FIGURES[found.figure].title,
                label_of(found.theirs, kind) if found.theirs else "",
                f"{number(found.value)} {unit}",
                number(found.best),
                "" if found.must is None else f"{sign}{found.must:g}",
                "" if found.aim is None else f"{sign}{found.aim:g}",
                found.verdict,
            ]
        )
    return lines


def scene_summary(scene: Mapping[str, Any]) -> str:
    """How a scene was measured, in a line."""
    times = scene["times"]
    most = max(times.values())
    what = {
        "warm": f"rounds of {most} openings, figures for one",
        "crowd": f"rounds of {most} tasks at once, figures for all of them",
        "first": "fresh processes that have imported what they need",
        "imports": "fresh processes, imports included in the CPU time",
        "held": f"fresh processes, {most} held at once, figures for one",
        "module": "fresh processes",
        "transfer": "rounds, each over all bytes",
    }[scene["kind"]]
    if min(times.values()) != most:
        what += f" ({min(times.values())} of the peers')"
    return f"{scene['name']}: {scene['rounds']} {what}"


def scene_table(scene: Mapping[str, Any]) -> list[list[str]]:
    """Medians and quartiles of every peer, the dearest first; the first line is the head."""
    shown = [figure for figure in scene["shown"] if figure in scene["figures"]]
    first = scene["figures"][shown[0]]
    head = [""]
    for at, figure in enumerate(shown):
        head.append(f"{FIGURES[figure].title}, {FIGURES[figure].unit}")
        head += ["middle half", "best"] if at == 0 else []
    lines = [head + (["also loads"] if "loaded" in scene else [])]
    for peer in sorted(first, key=lambda name: -statistics.median(first[name])):
        line = [label_of(peer, scene["kind"])]
        for at, figure in enumerate(shown):
            if peer not in scene["figures"][figure]:  # threads have no event loop to hold up
                line.append("")
                continue
            low, middle, high = quartiles(scene["figures"][figure][peer])
            line.append(number(middle))
            if at == 0:
                line += [
                    f"{number(low)} to {number(high)}",
                    number(min(scene["figures"][figure][peer])),
                ]
        if "loaded" in scene:
            line.append(", ".join(scene["loaded"][peer]) or "none of these")
        lines.append(line)
    return lines


def parts_table(result: Mapping[str, Any], name: str) -> list[list[str]]:
    """The CPU time of one opening in a scene by part, one column for each profiled peer.

    Only the shares of what the profiler saw are used: the median measured without it is divided.
    """
    scene = next(scene for scene in result["scenes"] if scene["name"] == name)
    profiles = result["profiles"][name]
    columns: list[dict[str, float]] = []
    for peer, profile in profiles.items():
        middle = statistics.median(scene["figures"]["cpu"][peer])
        scale = middle / sum(profile["layers"].values())
        columns.append({part: spent * scale for part, spent in profile["layers"].items()})
    names = {part for column in columns for part in column}
    parts = {part: max(column.get(part, 0.0) for column in columns) for part in names}
    lines = [["part, ms", *(label_of(peer, scene["kind"]) for peer in profiles)]]
    lines += [
        [part, *(f"{column.get(part, 0.0):,.2f}" for column in columns)]
        for part in sorted(parts, key=lambda one: (-parts[one], one))
        if any(f"{column.get(part, 0.0):.2f}" != "0.00" for column in columns)
    ]
    lines.append(["all", *(f"{sum(column.values()):,.2f}" for column in columns)])
    lines.append(["function calls", *(f"{one['calls']:,.0f}" for one in profiles.values())])
    return lines


def show_study(result: Mapping[str, Any]) -> str:
    """Everything about a row, for a terminal."""
    made = result["made"]
    parts = [
        f"Row {result['row']}: {result['title']}",
        f"{made['command']}; {made['python']}, {made['platform']}, load {made['load']}",
    ]
    parts += [f"{scene_summary(one)}\n{as_text(scene_table(one))}" for one in result["scenes"]]
    parts.append(as_text(findings_table(result)))
    parts += [
        f"CPU time by part, {name}\n{as_text(parts_table(result, name))}"
        for name in result["profiles"]
    ]
    return "\n\n".join(parts) + "\n"

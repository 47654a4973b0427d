"""What the rounds say: medians, spreads, ratios, and the tables made of them."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers import PEERS

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times less CPU time one peer used than another; a value.

    Attributes:
        workload: The name of the workload.
        ours: The peer in whose favour it counts.
        theirs: The other one.
        value: The ratio of the medians.
        low: The first quartile of the ratios of the single rounds.
        high: The third.
        best: The ratio of the least that a round of each took, which other processes move least.
        must: The least that is asked for.
        aim: What is aimed at.
    """

    workload: str
    ours: str
    theirs: str
    value: float
    low: float
    high: float
    best: float
    must: float
    aim: float

    @property
    def verdict(self) -> str:
        """Which of the two marks it reaches."""
        if self.value >= self.aim:
            return "aim"
        return "must" if self.value >= self.must else "missed"


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The first quartile, the median, the third."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def ratios(result: Mapping[str, Any]) -> Iterator[Ratio]:
    """Every goal in every judged workload that has both peers."""
    for workload in result["workloads"]:
        cpu = workload["cpu_us"]
        for goal in result["goals"] if workload["judged"] else ():
            ours, theirs = goal["ours"], goal["theirs"]
            if ours not in cpu or theirs not in cpu:
                continue
            single = [one / other for one, other in zip(cpu[theirs], cpu[ours], strict=True)]
            low, _, high = quartiles(single)
            value = statistics.median(cpu[theirs]) / statistics.median(cpu[ours])
            best = min(cpu[theirs]) / min(cpu[ours])
            marks = goal["must"], goal["aim"]
            yield Ratio(workload["name"], ours, theirs, value, low, high, best, *marks)


def label(peer: str) -> str:
    """A peer with its event loop."""
    known = PEERS[peer]
    return f"{known.label} ({known.loop})"


def summary(workload: Mapping[str, Any]) -> str:
    """How a workload was measured, in a line."""
    return (
        f"{workload['name']}: {workload['rounds']} rounds of {workload['requests']} requests; "
        f"the server used {workload['server_cpu_us']:.0f} us of CPU for each"
    )


def workload_table(workload: Mapping[str, Any]) -> list[list[str]]:
    """CPU and wall time per request, the dearest peer first; the first line is the head."""
    lines = [["", "CPU, us", "middle half", "best", "wall, us"]]
    cpu = workload["cpu_us"]
    for name in sorted(cpu, key=lambda peer: -statistics.median(cpu[peer])):
        low, middle, high = quartiles(cpu[name])
        wall = statistics.median(workload["wall_us"][name])
        half = f"{low:,.0f} to {high:,.0f}"
        lines.append(
            [label(name), f"{middle:,.0f}", half, f"{min(cpu[name]):,.0f}", f"{wall:,.0f}"]
        )
    return lines


def ratio_table(result: Mapping[str, Any]) -> list[list[str]]:
    """The goals of a row and what became of them; the first line is the head."""
    lines = [["", "compared with", "ratio", "middle half", "best", "must", "aim", "reached"]]
    lines += [
        [
            f"{label(ratio.ours)}, {ratio.workload}",
            label(ratio.theirs),
            f"{ratio.value:.2f}",
            f"{ratio.low:.2f} to {ratio.high:.2f}",
            f"{ratio.best:.2f}",
            f"{ratio.must:g}",
            f"{ratio.aim:g}",
            ratio.verdict,
        ]
        for ratio in ratios(result)
    ]
    return lines


def profile_table(result: Mapping[str, Any]) -> list[list[str]]:
    """The CPU time of the first workload by layer, one column for each peer.

    A profiler makes calls dearer and its clock goes on while others run: only the shares of what it
    saw are used, and the median that was measured without it is divided by them.
    """
    profiles, cpu = result["profiles"], result["workloads"][0]["cpu_us"]
    columns: list[dict[str, float]] = []
    for peer, profile in profiles.items():
        scale = statistics.median(cpu[peer]) / sum(profile["layers"].values())
        columns.append({layer: spent * scale for layer, spent in profile["layers"].items()})
    names = {layer for column in columns for layer in column}
    layers = {name: max(column.get(name, 0.0) for column in columns) for name in names}
    lines = [["layer, us", *(label(peer) for peer in profiles)]]
    lines += [
        [layer, *(f"{column.get(layer, 0.0):,.0f}" for column in columns)]
        for layer in sorted(layers, key=lambda name: (-layers[name], name))
    ]
    lines.append(["all", *(f"{sum(column.values()):,.0f}" for column in columns)])
    lines.append(["function calls", *(f"{one['calls']:,.0f}" for one in profiles.values())])
    return lines


def as_text(lines: Sequence[Sequence[str]]) -> str:
    """A table for a terminal."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def as_markdown(lines: Sequence[Sequence[str]]) -> str:
    """A table for the page."""
    head, *rest = lines
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *rest])


def show(result: Mapping[str, Any]) -> str:
    """Everything about a row, for a terminal."""
    made = result["made"]
    conditions = (
        f"{made['command']}; {made['concurrency']} at once; "
        f"{made['python']}, {made['platform']}, load {made['load']}"
    )
    parts = [f"Row {result['row']}: {result['title']}", conditions]
    parts += [
        f"{summary(workload)}\n{as_text(workload_table(workload))}"
        for workload in result["workloads"]
    ]
    parts.append(as_text(ratio_table(result)))
    if result["profiles"]:
        parts.append("CPU time by layer, as cProfile saw it\n" + as_text(profile_table(result)))
    return "\n\n".join(parts) + "\n"


def write(result: Mapping[str, Any], directory: Path) -> Path:
    """Write the JSON of a row."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"row{result['row']:02}.json"
    text = json.dumps(result, indent=1)
    path.write_text(_compact(text) + "\n", "utf-8")
    return path


def _compact(text: str) -> str:
    # Lists of numbers on one line each: the files are read by people too.
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        if inside:
            lines[-1] += line.strip() if lines[-1].endswith("[") else " " + line.strip()
            inside = not line.strip().startswith("]")
            lines[-1] = lines[-1].replace(" ]", "]")
        else:
            lines.append(line)
            inside = line.endswith('": [') and line.split('"')[1] in PEERS
    return "\n".join(lines)

"""A plot of a row: CPU time per request of every peer, as bars."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.peers import PEERS
from benchmarks.results import label, quartiles

_CAPTION = "CPU time per request, microseconds (bars: medians; lines: quartiles)"
_OURS, _THEIRS, _LIMIT = "#2a78b5", "#b0b0b0", "#dcdcdc"


def plot(result: Mapping[str, Any], directory: Path) -> Path:
    """Write the plot of a row as SVG; the same result always gives the same file."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    workloads = result["workloads"]
    bars = sum(len(workload["cpu_us"]) for workload in workloads)
    # The hash makes the ids in the file repeatable; text stays text, so that the file stays small.
    with mpl.rc_context({"svg.hashsalt": "asession", "svg.fonttype": "none", "font.size": 9}):
        figure, axes = pyplot.subplots(
            len(workloads),
            1,
            squeeze=False,
            sharex=True,
            figsize=(7.2, 0.9 * len(workloads) + 0.28 * bars),
            height_ratios=[len(workload["cpu_us"]) + 1 for workload in workloads],
            layout="constrained",
        )
        for axis, workload in zip(axes.flat, workloads, strict=True):
            _bars(axis, workload)
        axes.flat[-1].set_xlabel(
            "CPU time per request, microseconds (bars: medians; lines: quartiles)"
        )
        path = directory / f"row{result['row']:02}.svg"
        directory.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None, "Creator": None})
        pyplot.close(figure)
    return path


def _bars(axis: Any, workload: Mapping[str, Any]) -> None:
    cpu = workload["cpu_us"]
    names = sorted(cpu, key=lambda peer: statistics.median(cpu[peer]))
    for position, name in enumerate(names):
        low, middle, high = quartiles(cpu[name])
        colour = _LIMIT if PEERS[name].limit else _THEIRS
        if name.startswith("asession"):
            colour = _OURS
        axis.barh(position, middle, color=colour, height=0.7)
        axis.plot([low, high], [position, position], color="#333333", linewidth=1)
        axis.annotate(
            f"{middle:,.0f}", (high, position), (4, 0), textcoords="offset points", va="center"
        )
    axis.set_yticks(range(len(names)), [label(name) for name in names])
    axis.set_title(workload["name"], loc="left", fontsize=9)
    axis.margins(x=0.12)
    axis.spines[["top", "right"]].set_visible(False)

"""Plots: of a row, bars of its first figure; of all rows, what matters most."""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.findings import label_of, number
from benchmarks.peers import PEERS
from benchmarks.results import label, quartiles
from benchmarks.studies import FIGURES

_CAPTION = "CPU time per request, microseconds"
_HOW = "(bars: medians; lines: quartiles)"
_OURS, _THEIRS, _LIMIT = "#2a78b5", "#b0b0b0", "#dcdcdc"


@dataclass(frozen=True, slots=True)
class _Panel:
    """The bars of one workload or figure of a scene; a value."""

    title: str
    values: Mapping[str, list[float]]
    label: Callable[[str], str]
    text: Callable[[float], str]


def plot(result: Mapping[str, Any], directory: Path) -> Path:
    """Write the plot of a row as SVG; the same result always gives the same file."""
    path = directory / f"row{result['row']:02}.svg"
    if "scenes" in result:
        _draw(_of_scenes(result), path, below=_HOW)
    else:
        _draw(_of_workloads(result), path, below=f"{_CAPTION} {_HOW}", sharex=True)
    return path


def overview(results: Mapping[str, Mapping[str, Any]], directory: Path) -> Path:
    """Write the README's picture: what a session costs, and how long it holds the event loop.

    Args:
        results: Results by the name of their row, ``"row01"`` and ``"row04"`` among them.
        directory: Where to write it.

    Returns:
        Its path.
    """
    one, crowd = results["row01"]["scenes"][0], results["row04"]["scenes"][0]
    named = functools.partial(label_of, kind=one["kind"])
    panels = [
        _Panel("A session and an S3 client: CPU time, ms", one["figures"]["cpu"], named, number),
        _Panel(
            "50 tasks open one each: longest stall of the event loop, ms",
            crowd["figures"]["stall"],
            named,
            number,
        ),
    ]
    path = directory / "overview.svg"
    _draw(panels, path, below=_HOW)
    return path


def _draw(panels: Sequence[_Panel], path: Path, *, below: str, sharex: bool = False) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    bars = sum(len(panel.values) for panel in panels)
    # The hash makes the ids in the file repeatable; text stays text, so that the file stays small.
    with mpl.rc_context({"svg.hashsalt": "asession", "svg.fonttype": "none", "font.size": 9}):
        figure, axes = pyplot.subplots(
            len(panels),
            1,
            squeeze=False,
            sharex=sharex,
            figsize=(7.2, 0.9 * len(panels) + 0.28 * bars),
            height_ratios=[len(panel.values) + 1 for panel in panels],
            layout="constrained",
        )
        for axis, panel in zip(axes.flat, panels, strict=True):
            _bars(axis, panel)
        axes.flat[-1].set_xlabel(below)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None, "Creator": None})
        pyplot.close(figure)


def _of_workloads(result: Mapping[str, Any]) -> list[_Panel]:
    return [
        _Panel(workload["name"], workload["cpu_us"], label, "{:,.0f}".format)
        for workload in result["workloads"]
    ]


def _of_scenes(result: Mapping[str, Any]) -> list[_Panel]:
    panels = []
    for scene in result["scenes"]:
        named = functools.partial(label_of, kind=scene["kind"])
        shown = scene["shown"][:1]
        if "stall" in scene["shown"]:
            shown = [*shown, "stall"]
        for name in shown:
            about = FIGURES[name]
            title = f"{scene['name']}: {about.title}, {about.unit}"
            panels.append(_Panel(title, scene["figures"][name], named, number))
    return panels


def _bars(axis: Any, panel: _Panel) -> None:
    cpu = panel.values
    names = sorted(cpu, key=lambda peer: statistics.median(cpu[peer]))
    for position, name in enumerate(names):
        low, middle, high = quartiles(cpu[name])
        colour = _LIMIT if PEERS[name].limit else _THEIRS
        if name.startswith("asession"):
            colour = _OURS
        axis.barh(position, middle, color=colour, height=0.7)
        axis.plot([low, high], [position, position], color="#333333", linewidth=1)
        axis.annotate(
            panel.text(middle), (high, position), (4, 0), textcoords="offset points", va="center"
        )
    axis.set_yticks(range(len(names)), [panel.label(name) for name in names])
    axis.set_title(panel.title, loc="left", fontsize=9)
    axis.margins(x=0.12)
    axis.spines[["top", "right"]].set_visible(False)

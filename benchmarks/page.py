"""Writes the generated parts of the page on benchmarks from the files of results.

`python -m benchmarks.page` puts tables, plots, commands and versions between the markers
``<!-- begin NAME -->`` and ``<!-- end NAME -->`` of ``docs/benchmarks.md``; the rest is prose.
The lines of the README's comparison that show figures are rewritten, and its picture is drawn.
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import stalls
from benchmarks.environments import ROOT
from benchmarks.findings import (
    findings_table,
    number,
    parts_table,
    scene_summary,
    scene_table,
)
from benchmarks.plots import overview
from benchmarks.results import (
    RESULTS,
    as_markdown,
    profile_table,
    ratio_table,
    summary,
    workload_table,
)

PAGE = ROOT / "docs" / "benchmarks.md"
README = ROOT / "README.md"
# What the README's tables say where there is nothing to say: a dash.
_NONE = "\N{EN DASH}"
_PART = re.compile(r"<!-- begin (\S+) -->\n.*?<!-- end \1 -->", re.DOTALL)


def rendered(page: str, results: Path) -> str:
    """The page with its generated parts made anew."""
    found = _found(results)
    parts = {
        name: _study(name, result) if "scenes" in result else _row(name, result)
        for name, result in found.items()
    }
    requests = [found[name] for name in sorted(found) if "workloads" in found[name]]
    openings = [found[name] for name in sorted(found) if "scenes" in found[name]]
    parts["ratios"] = _joined(map(ratio_table, requests))
    parts["findings"] = _joined(map(findings_table, openings))
    if (path := results / "stalls.json").exists():
        parts["stalls"] = stalls.page(json.loads(path.read_text("utf-8")))
    parts["made"] = _made(found[name] for name in sorted(found))

    def part(match: re.Match[str]) -> str:
        name = match[1]
        if name not in parts:  # a row without results
            return match[0]
        return f"<!-- begin {name} -->\n\n{parts[name]}\n\n<!-- end {name} -->"

    return _PART.sub(part, page)


def with_figures(readme: str, results: Path) -> str:
    """The README with the figures of its comparison made anew."""
    found = _found(results)
    for start, line in _readme_lines(found):
        readme = re.sub(rf"^{re.escape(start)}.*$", line, readme, flags=re.MULTILINE)
    return readme


def _found(results: Path) -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text("utf-8")) for path in results.glob("row*.json")}


def _readme_lines(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The lines that show figures: how each begins, and all of it."""
    columns = ("boto3", "aiobotocore", "aioboto3", "asession")

    def line(start: str, rest: str, cells: Mapping[str, str]) -> tuple[str, str]:
        return start, f"{start}{rest} | {' | '.join(cells.get(one, _NONE) for one in columns)} |"

    if "row01" in found:
        cpu = found["row01"]["scenes"][0]["figures"]["cpu"]
        cells = {peer: f"{number(statistics.median(cpu[peer]))} ms" for peer in cpu}
        yield line("| CPU of a new session and S3 client", " in a warm process", cells)
    if "row06" in found:
        held = found["row06"]["scenes"][0]["figures"]["traced"]
        cells = {peer: f"{statistics.median(held[peer]):,.0f} KiB" for peer in held}
        yield line("| Memory of each further session and S3 client", "", cells)
    if "row07" in found:
        cpu = found["row07"]["workloads"][0]["cpu_us"]
        cells = {peer: f"{statistics.median(cpu[peer]):.0f} us" for peer in columns if peer in cpu}
        if "boto3" in cells:
            cells["boto3"] += ", threads"
        asked = " on asyncio, 10 at once ([measured](docs/benchmarks.md))"
        yield line("| CPU of one 1 KiB GetObject", asked, cells)
    if "row08" in found:
        cpu = found["row08"]["workloads"][0]["cpu_us"]
        named = {peer.removesuffix("-trio"): peer for peer in cpu}
        cells = {one: f"{statistics.median(cpu[peer]):.0f} us" for one, peer in named.items()}
        yield line("| The same on trio", "", cells)


def _joined(tables: Iterable[list[list[str]]]) -> str:
    lines: list[list[str]] = []
    for head, *rest in tables:
        lines = lines or [head]
        lines += rest
    return as_markdown(lines) if lines else ""


def _made(results: Iterable[Mapping[str, Any]]) -> str:
    parts = []
    versions: dict[str, dict[str, str]] = {}
    for result in results:
        made = result["made"]
        parts.append(
            f"- Row {result['row']}: `{made['command']}`, {made['date']}, {made['python']}, "
            f"{made['platform']}, "
            + (f"{made['concurrency']} requests at once, " if "concurrency" in made else "")
            + f"load average {made['load']} when it began"
        )
        for place, found in made["versions"].items():
            versions.setdefault(place, {}).update(found)
    for place, found in sorted(versions.items(), reverse=True):
        listed = ", ".join(f"{name} {version}" for name, version in sorted(found.items()))
        parts.append(f"- Versions {place}: {listed}" if place == "here" else f"- {place}: {listed}")
    return "\n".join(parts)


def _row(name: str, result: Mapping[str, Any]) -> str:
    alternative = f"CPU time per request: {result['title']}"
    parts = [f"![{alternative}](../benchmarks/results/{name}.svg)"]
    for workload in result["workloads"]:
        parts += [f"{summary(workload)}:", as_markdown(workload_table(workload))]
    if result["profiles"]:
        first = result["workloads"][0]["name"]
        parts += [
            f"Where the time of one request goes, {first}:",
            as_markdown(profile_table(result)),
        ]
    return "\n\n".join(parts)


def _study(name: str, result: Mapping[str, Any]) -> str:
    alternative = f"{result['title']}: medians and quartiles"
    parts = [f"![{alternative}](../benchmarks/results/{name}.svg)"]
    for scene in result["scenes"]:
        parts += [f"{scene_summary(scene)}:", as_markdown(scene_table(scene))]
    for profiled in result["profiles"]:
        parts += [
            f"Where the CPU time goes, {profiled}:",
            as_markdown(parts_table(result, profiled)),
        ]
    return "\n\n".join(parts)


def main() -> None:
    """Rewrite the page, the figures of the README, and its picture."""
    PAGE.write_text(rendered(PAGE.read_text("utf-8"), RESULTS), "utf-8")
    README.write_text(with_figures(README.read_text("utf-8"), RESULTS), "utf-8")
    found = _found(RESULTS)
    if {"row01", "row04"} <= set(found):
        overview(found, RESULTS)


if __name__ == "__main__":
    main()

"""Writes the generated parts of the page on benchmarks from the files of results.

`python -m benchmarks.page` puts tables, plots, commands and versions between the markers
``<!-- begin NAME -->`` and ``<!-- end NAME -->`` of ``docs/benchmarks.md``; the rest is prose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.environments import ROOT
from benchmarks.results import (
    RESULTS,
    as_markdown,
    profile_table,
    ratio_table,
    summary,
    workload_table,
)

PAGE = ROOT / "docs" / "benchmarks.md"
_PART = re.compile(r"<!-- begin (\S+) -->\n.*?<!-- end \1 -->", re.DOTALL)


def rendered(page: str, results: Path) -> str:
    """The page with its generated parts made anew."""
    found = {path.stem: json.loads(path.read_text("utf-8")) for path in results.glob("row*.json")}
    parts = {name: _row(name, result) for name, result in found.items()}
    parts["ratios"] = _ratios(found[name] for name in sorted(found))
    parts["made"] = _made(found[name] for name in sorted(found))

    def part(match: re.Match[str]) -> str:
        name = match[1]
        return f"<!-- begin {name} -->\n\n{parts[name]}\n\n<!-- end {name} -->"

    return _PART.sub(part, page)


def _ratios(results: Iterable[Mapping[str, Any]]) -> str:
    lines: list[list[str]] = []
    for result in results:
        head, *rest = ratio_table(result)
        lines = lines or [head]
        lines += rest
    return as_markdown(lines)


def _made(results: Iterable[Mapping[str, Any]]) -> str:
    parts = []
    versions: dict[str, dict[str, str]] = {}
    for result in results:
        made = result["made"]
        parts.append(
            f"- Row {result['row']}: `{made['command']}`, {made['date']}, {made['python']}, "
            f"{made['platform']}, {made['concurrency']} requests at once, load average "
            f"{made['load']} when it began"
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


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(rendered(PAGE.read_text("utf-8"), RESULTS), "utf-8")


if __name__ == "__main__":
    main()

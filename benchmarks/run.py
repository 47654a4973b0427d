"""Runs rows from the command line: tables on the terminal, JSON and plots in a directory."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.environments import ROOT
from benchmarks.findings import show_study
from benchmarks.measure import FULL, QUICK, measure
from benchmarks.observe import observe
from benchmarks.peers import PEERS
from benchmarks.plots import plot
from benchmarks.results import RESULTS, show, write
from benchmarks.rows import Row
from benchmarks.studies import Study


def run(rows: Mapping[str, Row | Study], module: str, arguments: Sequence[str]) -> None:
    """Measure rows as the command line says.

    Args:
        rows: The rows to choose from, by name; one alone needs no choosing.
        module: What was run with ``python -m``.
        arguments: What followed it.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=__doc__)
    if len(rows) > 1:
        parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(rows))
    parser.add_argument("--quick", action="store_true", help="fewer, shorter rounds and peers")
    parser.add_argument("--without", action="append", default=[], choices=PEERS, metavar="PEER")
    parser.add_argument("--no-plot", action="store_true", help="do without matplotlib")
    parser.add_argument("--into", type=Path, metavar="DIRECTORY", help="where files go")
    given = parser.parse_args(arguments)
    effort = QUICK if given.quick else FULL
    # What a quick run says is not what the page should show.
    into = given.into or (ROOT / "build" / "benchmarks" if given.quick else RESULTS)
    effort = replace(effort, without=(*effort.without, *given.without))
    chosen = [
        name
        for name in rows
        if not getattr(given, "rows", None) or any(name.startswith(row) for row in given.rows)
    ]
    if not chosen:
        parser.error(f"no such row; there are {', '.join(rows)}")
    # Where the files go is nobody's business but the user's.
    shown = [word for word in arguments if word not in {"--into", str(given.into)}]
    command = shlex.join(["python", "-m", module, *shown])
    for name in chosen:
        row = rows[name]
        if isinstance(row, Study):
            result = observe(row, effort, command)
            print(show_study(result), flush=True)
        else:
            result = measure(row, effort, command)
            print(show(result), flush=True)
        write(result, into)
        if not given.no_plot:
            plot(result, into)

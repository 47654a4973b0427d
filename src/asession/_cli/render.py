"""Tables, findings and JSON on the terminal; passwords in addresses are masked."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from asession._explain.masking import without_passwords
from asession.credentials.explanation import Finding

# What sessions call their arguments -> what the command line calls them.
_SPOKEN = {
    "profile_name": "--profile",
    "region_name": "--region",
    "endpoint_url": "--endpoint-url",
}
# A value may follow at once.
_ARGUMENT = re.compile(rf"\b({'|'.join(_SPOKEN)})=(?=([\w'\"])?)")
_STYLES = {"error": "bold red", "warning": "bold yellow"}
# Where there is no terminal, nothing is cut: lines are for grep.
_WIDE = 1000


def spoken(text: str) -> str:
    """A text of the library in the words of the command line, without passwords."""
    text = _ARGUMENT.sub(lambda found: _SPOKEN[found[1]] + (" " if found[2] else ""), text)
    return without_passwords(text)


def console(stream: TextIO | None = None) -> Console:
    """Where to print: as wide as the terminal, or without limits if there is none."""
    stream = sys.stdout if stream is None else stream
    return Console(
        file=stream, width=None if stream.isatty() else _WIDE, highlight=False, soft_wrap=False
    )


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> Table:
    """A table; texts are printed as they are, never taken for markup."""
    made = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in columns:
        made.add_column(column, header_style="dim", overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    return made


def show_json(document: Mapping[str, Any]) -> None:
    """Print one JSON document."""
    ascii_only = "utf" not in (sys.stdout.encoding or "utf-8").lower()
    print(json.dumps(document, indent=2, ensure_ascii=ascii_only))


def spoken_all(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Findings for JSON, in the words of the command line."""
    return [
        {name: spoken(value) for name, value in asdict(finding).items()} for finding in findings
    ]


def show_findings(findings: Iterable[Finding], *, as_json: bool = False) -> None:
    """Print findings to the standard error, or as the only JSON document to the output."""
    if as_json:
        show_json({"findings": spoken_all(findings)})
        return
    err = console(sys.stderr)
    for finding in findings:
        line = Text(f"{finding.severity}: ", style=_STYLES[finding.severity])
        err.print(line.append(spoken(finding.cause), style="default"))
        if finding.where:
            err.print(Text(f"  where: {spoken(finding.where)}"))
        err.print(Text("  fix: ", style="bold green").append(spoken(finding.fix), style="default"))

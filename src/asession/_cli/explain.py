"""``asession explain``: prints what a session tells of itself, and what is wrong with it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio
import click
from rich.text import Text

from asession._cli.options import Given, about_session, as_json
from asession._cli.render import console, show_findings, show_json, spoken, spoken_all, table

if TYPE_CHECKING:
    from asession.credentials.explanation import Explanation

_STYLES = {"found": "green", "failed": "bold red"}


@click.command()
@about_session
@as_json
@click.option("--offline", is_flag=True, help="Ask no service whether the credentials work.")
def explain(*, given: Given, as_json: bool, offline: bool) -> int:
    """What a session is made of, and what is wrong with it.

    Shows every setting with its origin, what became of each source of credentials, and whom AWS
    takes the session for; then what is wrong, where, and what to do about it.
    """
    told = anyio.run(partial(given.session().explain, check=not offline), backend=given.backend)
    if as_json:
        next_step = spoken(told.next_step)
        show_json({**told.to_dict(), "findings": spoken_all(told.findings), "next_step": next_step})
    else:
        _show(told)
        show_findings(told.findings)
    return 0 if told.ok else 1


def _show(told: Explanation) -> None:
    out = console()
    out.print(Text(f"profile {told.profile_name}", style="bold"))
    for file in told.files:
        out.print(Text(f"  {file}", style="dim"))
    settings = [*told.settings, *told.endpoints]
    out.print()
    if settings:
        rows = [(each.name, each.value, spoken(each.where)) for each in settings]
        out.print(table("settings", ("name", "value", "from"), rows))
    else:
        out.print("settings: nobody gave any")
    out.print()
    if told.credentials:
        trail = [
            (it.source, Text(it.outcome, style=_STYLES.get(it.outcome, "dim")), _why(it.detail))
            for it in told.credentials
        ]
        out.print(table("credentials", ("source", "outcome", "why"), trail))
    else:
        out.print("credentials: no source was asked")
    out.print()
    if told.access_key is not None:
        out.print(Text(f"access key {told.access_key}"))
    if told.caller is not None:
        out.print(Text(f"AWS takes you for {told.caller.arn}", style="green"))


def _why(detail: str) -> str:
    return "" if detail in ("not asked", "has credentials") else spoken(detail)

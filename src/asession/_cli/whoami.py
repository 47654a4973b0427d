"""``asession whoami``: whom AWS takes the session for."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial

import anyio
import click

from asession._cli.options import Given, about_session, as_json
from asession._cli.render import console, show_findings, show_json, table


@click.command()
@about_session
@as_json
def whoami(*, given: Given, as_json: bool) -> int:
    """Whom AWS takes the session for: account, ARN and user id, from STS."""
    told = anyio.run(partial(given.session().explain, check=True), backend=given.backend)
    caller = told.caller
    if caller is None:
        show_findings(told.findings, as_json=as_json)
        return 1
    if as_json:
        show_json(asdict(caller))
    else:
        rows = [("account", caller.account), ("arn", caller.arn), ("user id", caller.user_id)]
        console().print(table("", ("", ""), rows))
    return 0

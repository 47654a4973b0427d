"""``asession whoami``: whom AWS takes the session for."""

from __future__ import annotations

from dataclasses import asdict

import anyio
import click

from asession._cli.endpoints import endpoint_of
from asession._cli.options import Given, about_session, as_json, impatient
from asession._cli.render import console, show_findings, show_json, table


@click.command()
@about_session
@as_json
def whoami(*, given: Given, as_json: bool) -> int:
    """Whom AWS takes the session for: account, ARN and user id, from STS."""
    from asession._cli.advice import finding_of

    session = impatient(given.session())
    try:
        caller = anyio.run(session.caller_identity, backend=given.backend)
    except Exception as error:
        if click.get_current_context().find_root().params.get("traceback"):
            raise
        endpoint, profile = anyio.run(endpoint_of, session, given, backend=given.backend)
        finding = finding_of(error, profile=profile, endpoint=endpoint)
        show_findings([finding], as_json=as_json)
        return 1
    if as_json:
        show_json(asdict(caller))
    else:
        rows = [("account", caller.account), ("arn", caller.arn), ("user id", caller.user_id)]
        console().print(table("", ("", ""), rows))
    return 0

"""``asession explain``: what a session is made of, what is wrong with it, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import anyio
import click
from rich.text import Text

from asession._cli.advice import failed, finding_of
from asession._cli.endpoints import endpoints, for_sts
from asession._cli.findings import Finding, of_clashes, of_files, of_region, of_settings
from asession._cli.options import Given, about_session, as_json, impatient
from asession._cli.render import console, show_findings, show_json, spoken, table, told

if TYPE_CHECKING:
    from asession._settings.settings import Resolution
    from asession.credentials.caller import CallerIdentity
    from asession.credentials.explanation import Explanation, Setting
    from asession.session import Session

_STYLES = {"found": "green", "failed": "bold red"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What `asession explain` prints; a value without secrets.

    Attributes:
        explanation: What the session tells.
        endpoints: The endpoints that are not AWS's own.
        caller: Whom AWS takes the session for, if it was asked and answered.
        findings: What is wrong or strange.
    """

    explanation: Explanation
    endpoints: list[Setting]
    caller: CallerIdentity | None
    findings: list[Finding]


@click.command()
@about_session
@as_json
@click.option("--offline", is_flag=True, help="Ask no service whether the credentials work.")
def explain(*, given: Given, as_json: bool, offline: bool) -> int:
    """What a session is made of, and what is wrong with it.

    Shows every setting with its origin, what became of each source of credentials, and whom AWS
    takes the session for; then what is wrong, and what to do about it.
    """
    report = anyio.run(examine, given, offline, backend=given.backend)
    if as_json:
        show_json(_document(report))
    else:
        _show(report)
        show_findings(report.findings)
    return int(any(finding.severity == "error" for finding in report.findings))


async def examine(given: Given, offline: bool) -> Report:
    """Look at the session that was described.

    Args:
        given: The description.
        offline: Whether to leave STS alone.

    Raises:
        ProfileNotFoundError: The profile asked for does not exist.
        ConfigParseError: A file cannot be parsed.
    """
    session = given.session()
    explanation = await session.explain()
    resolution = await session._connector.resolved()
    known = endpoints(resolution, given)
    caller: CallerIdentity | None = None
    findings: list[Finding] = []
    if explanation.error or explanation.method is None:
        findings.append(_no_credentials(explanation))
    elif not offline:
        at = for_sts(known)
        try:
            caller = await impatient(session).caller_identity()
        except Exception as error:
            origin = None if at is None else at.origin
            finding = finding_of(error, profile=explanation.profile_name, endpoint=origin)
            findings.append(finding)
    regions = await _regions(session)
    findings += _strange(explanation, resolution, regions, works=caller is not None)
    # An unusable setting may be what the service was not asked for.
    unique = list({finding.cause: finding for finding in findings}.values())
    unique.sort(key=lambda finding: finding.severity)
    return Report(explanation=explanation, endpoints=known, caller=caller, findings=unique)


def _no_credentials(explanation: Explanation) -> Finding:
    profile = explanation.profile_name
    if not explanation.error:
        cause = f"no credentials: no source has any for the profile {profile!r}"
        return failed(["NoCredentialsError"], cause, profile=profile)
    kind, _, message = explanation.error.partition(": ")
    # Its bases are not told, and only botocore's errors and ours end up there.
    return failed([kind, "BotoCoreError"], " ".join(message.split()), profile=profile)


def _strange(
    explanation: Explanation, resolution: Resolution, regions: list[str], *, works: bool
) -> Iterator[Finding]:
    settings = {setting.name: setting for setting in explanation.settings}
    yield from of_files(resolution.snapshot.files)
    yield from of_settings(explanation.settings)
    yield from of_clashes(explanation.method, settings.get("profile"), resolution.environ)
    yield from of_region(settings.get("region"), regions, works=works)


async def _regions(session: Session) -> list[str]:
    found: list[str] = []
    for partition in await session.get_available_partitions():
        found += await session.get_available_regions("sts", partition)
    return found


def _document(report: Report) -> dict[str, object]:
    return {
        **report.explanation.to_dict(),
        "endpoints": [asdict(endpoint) for endpoint in report.endpoints],
        "caller": None if report.caller is None else asdict(report.caller),
        "problems": told(report.findings),
    }


def _show(report: Report) -> None:
    out, it = console(), report.explanation
    out.print(Text(f"profile {it.profile_name}", style="bold"))
    for file in it.files:
        out.print(Text(f"  {file}", style="dim"))
    settings = [*it.settings, *report.endpoints]
    out.print()
    if settings:
        rows = [(each.name, each.value, spoken(each.origin)) for each in settings]
        out.print(table("settings", ("name", "value", "from"), rows))
    else:
        out.print("settings: nobody gave any")
    out.print()
    trail = [
        (each.source, Text(each.outcome, style=_STYLES.get(each.outcome, "dim")), _why(each.detail))
        for each in it.credentials
    ]
    out.print(table("credentials", ("source", "outcome", "why"), trail))
    out.print()
    if it.access_key is not None:
        out.print(Text(f"access key {it.access_key}"))
    if report.caller is not None:
        out.print(Text(f"AWS takes you for {report.caller.arn}", style="green"))


def _why(detail: str) -> str:
    return "" if detail in ("not asked", "has credentials") else spoken(detail)

"""``asession profiles``: the profiles there are, and where each gets its credentials."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import anyio
import click

from asession._cli.options import as_json, on_a_loop
from asession._cli.render import console, show_findings, show_json, spoken_all, table
from asession.credentials.explanation import Finding

if TYPE_CHECKING:
    from asession._explain.places import Places
    from asession._profiles.snapshot import ProfileSnapshot

_VARIABLES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One profile; a value without secrets.

    Attributes:
        name: Its name.
        current: Whether it is in force where none is given.
        region: Its region, or `None`.
        source: The kind of its source of credentials.
        files: Where it is defined.
    """

    name: str
    current: bool
    region: str | None
    source: str
    files: list[str]


@click.command()
@as_json
@on_a_loop
def profiles(*, as_json: bool, backend: str) -> int:
    """The profiles there are: name, region, kind of credentials, files.

    The one in force where none is given has an asterisk.
    """
    environ = dict(os.environ)
    snapshot, findings = anyio.run(_read, environ, backend=backend)
    rows = rows_of(snapshot, environ)
    if not rows and not findings:
        searched = "; ".join(snapshot.searched)
        step = "make one with `aws configure` or `aws configure sso`"
        findings.append(Finding("warning", f"no profiles. Searched: {searched}", step))
    if as_json:
        document = {"profiles": [asdict(row) for row in rows], "findings": spoken_all(findings)}
        show_json(document)
    else:
        if rows:
            cells = [
                ("*" if it.current else "", it.name, it.region or "", it.source, _files(it))
                for it in rows
            ]
            console().print(table("", ("", "profile", "region", "credentials", "from"), cells))
        show_findings(findings)
    return int(any(finding.severity == "error" for finding in findings))


async def _read(environ: Mapping[str, str]) -> tuple[ProfileSnapshot, list[Finding]]:
    """The files, and what is wrong with them."""
    from asession._explain.mistakes import of_files, of_sections
    from asession._explain.places import Places
    from asession._profiles.load import load_profiles

    snapshot = await load_profiles(environ)
    places = await Places.of(snapshot)
    findings = [
        *of_files(snapshot),
        *_of_choice(snapshot, environ),
        *_of_roles(snapshot, places),
        *of_sections(snapshot, places),
    ]
    return snapshot, findings


def _of_choice(snapshot: ProfileSnapshot, environ: Mapping[str, str]) -> Iterator[Finding]:
    """A variable that names a profile that does not exist."""
    variable = next((name for name in _VARIABLES if name in environ), None)
    if variable is not None and environ[variable] not in snapshot.profiles:
        cause = f"{variable} names the profile {environ[variable]!r}, which does not exist"
        fix = f"set {variable} to one of those that exist, or unset it"
        yield Finding("warning", cause, fix, variable)


def _of_roles(snapshot: ProfileSnapshot, places: Places) -> Iterator[Finding]:
    """Roles over profiles that do not exist."""
    for name, values in snapshot.profiles.items():
        above = _text(values, "source_profile")
        if "role_arn" in values and above is not None and above not in snapshot.profiles:
            cause = f"the source_profile {above!r} of the profile {name!r} does not exist"
            fix = "name a profile that exists and has credentials"
            yield Finding("warning", cause, fix, places.of_key(name, "source_profile"))


def rows_of(snapshot: ProfileSnapshot, environ: Mapping[str, str]) -> list[Row]:
    """A row for each profile, in the order of the files."""
    chosen = next((environ[name] for name in _VARIABLES if name in environ), "default")
    paths = {file.kind: file.path for file in snapshot.files}
    places = {"config": snapshot.config["profiles"], "credentials": snapshot.credentials}
    return [
        Row(
            name=name,
            current=name == chosen,
            region=_text(values, "region"),
            source=source_of(values, snapshot.credentials.get(name, {})),
            files=[paths[kind] for kind in paths if name in places[kind]],
        )
        for name, values in snapshot.profiles.items()
    ]


def source_of(values: Mapping[str, Any], in_credentials: Mapping[str, Any]) -> str:
    """The kind of the first source that a profile configures, in botocore's order."""
    role = "role_arn" in values
    if role and "web_identity_token_file" not in values:
        above = _text(values, "source_profile") or _text(values, "credential_source")
        return f"role over {above}" if above else "role over nothing: it needs source_profile"
    if "web_identity_token_file" in values:
        return "role with web identity" if role else "web identity without role_arn"
    kinds = {
        "sso": "sso_session" in values or "sso_start_url" in values,
        "keys": "aws_access_key_id" in in_credentials,
        "login": "login_session" in values,
        "credential_process": "credential_process" in values,
        # Keys of the config file are asked for later than those of the credentials file.
        "keys in the config file": "aws_access_key_id" in values,
    }
    return next((kind for kind, there in kinds.items() if there), "none of its own")


def _text(values: Mapping[str, Any], key: str) -> str | None:
    value = values.get(key)
    return value if isinstance(value, str) else None


def _files(row: Row) -> str:
    return ", ".join(row.files)

"""What a session is made of and what is wrong with it, for people and programs; plain values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from asession.credentials.caller import CallerIdentity
from asession.credentials.trail import Attempt

_MARKS = {"found": "+", "failed": "!"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting in force; a value.

    Attributes:
        name: Its name, for example ``"region"``.
        value: Its value as text, passwords masked.
        origin: Who gave it: an argument, an environment variable, a file and its section, or
            ``"default"``.
        line: The line of the file, from 1, or `None`.
    """

    name: str
    value: str
    origin: str
    line: int | None = None

    @property
    def where(self) -> str:
        """The origin with the line, as people read it, such as ``"path, line 3 [profile dev]"``."""
        path, bracket, title = self.origin.partition(" [")
        return self.origin if self.line is None else f"{path}, line {self.line}{bracket}{title}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or strange, in a set-up; a value without secrets.

    Attributes:
        severity: ``"error"`` if it keeps the session from working, else ``"warning"``.
        cause: What is wrong.
        fix: What to do about it.
        where: What to mend, if that is known: a file with line and section, an environment
            variable or an argument; else an empty string.
    """

    severity: Literal["error", "warning"]
    cause: str
    fix: str
    where: str = ""

    def __str__(self) -> str:
        lines = [f"{self.severity}: {self.cause}"]
        if self.where:
            lines.append(f"  where: {self.where}")
        return "\n".join([*lines, f"  fix: {self.fix}"])


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Explanation:
    """What a session is made of at one moment, and what is wrong; a value without secrets.

    `str` gives all of it as a text of many lines, `repr` one line, `to_dict` plain values.

    Attributes:
        profile_name: The profile in force.
        files: The files looked at, each with its fate.
        settings: Every setting that somebody gave.
        defaults: The settings that nobody gave.
        endpoints: The endpoints that are not AWS's own: ``endpoint_url`` for all services,
            ``endpoint_url.s3`` for one.
        credentials: Every source of credentials in order, and what became of it.
        method: The source that the session signs with, or `None`.
        access_key: Its access key id, masked, if one is known yet.
        caller: Whom AWS takes the session for, if it was asked and answered.
        findings: What is wrong or strange, errors first, each with its cause and what to do.
    """

    profile_name: str
    files: Sequence[str] = ()
    settings: Sequence[Setting] = ()
    defaults: Sequence[Setting] = ()
    endpoints: Sequence[Setting] = ()
    credentials: Sequence[Attempt] = ()
    method: str | None = None
    access_key: str | None = None
    caller: CallerIdentity | None = None
    findings: Sequence[Finding] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was found that keeps the session from working."""
        return all(finding.severity != "error" for finding in self.findings)

    @property
    def error(self) -> str:
        """The cause of the first error, or an empty string."""
        return next((it.cause for it in self.findings if it.severity == "error"), "")

    @property
    def next_step(self) -> str:
        """What to do first, which is the fix of the first finding, or an empty string."""
        return next((finding.fix for finding in self.findings), "")

    def to_dict(self) -> dict[str, Any]:
        """The same as plain dictionaries, lists and texts, for JSON, with `ok` and `next_step`."""
        return {"ok": self.ok, **asdict(self), "next_step": self.next_step}

    def __repr__(self) -> str:
        errors = sum(finding.severity == "error" for finding in self.findings)
        told = f"{errors} errors, {len(self.findings) - errors} warnings"
        first = f", first: {self.findings[0].cause!r}" if self.findings else ""
        return (
            f"<Explanation of the profile {self.profile_name!r}: credentials from "
            f"{self.method or 'nowhere'}, {told}{first}>"
        )

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"profile: {self.profile_name}"
        yield from (f"file: {file}" for file in self.files)
        yield from ("", "settings:")
        settings = [*self.settings, *self.endpoints]
        yield from (f"  {it.name} = {it.value}  (from {it.where})" for it in settings)
        yield from ("", "credentials:")
        yield from (f"  {_MARKS.get(it.outcome, '-')} {it}" for it in self.credentials)
        if self.access_key is not None:
            yield f"  access key: {self.access_key}"
        if self.caller is not None:
            yield f"  AWS takes you for: {self.caller.arn}"
        for finding in self.findings:
            yield ""
            yield str(finding)

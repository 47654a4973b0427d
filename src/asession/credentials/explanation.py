"""What a session is made of, for people: settings with origins, sources with their fate."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from asession.credentials.trail import Attempt

if TYPE_CHECKING:
    from asession._settings.settings import Resolution

_USERINFO = re.compile(r"(\w+://)[^/@\s]*@")
# The settings whose values may hold passwords, in the addresses of proxies for example.
_OPAQUE = frozenset({"proxies_config.proxy_client_cert", "plugins"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting in force; a value.

    Attributes:
        name: Its name, for example ``"region"``.
        value: Its value as text, passwords masked.
        origin: Who gave it: an argument, an environment variable, a file and its section, or
            ``"default"``.
    """

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a session is made of at one moment; a value without secrets.

    Attributes:
        profile_name: The profile in force.
        files: The files looked at, each with its fate.
        settings: Every setting that somebody gave.
        defaults: The settings that nobody gave.
        credentials: Every source of credentials in order, and what became of it.
        method: The source that the session signs with, or `None`.
        access_key: Its access key id, masked, if one is known yet.
        error: What went wrong, or an empty string.
        next_step: What to do if there are no credentials, or an empty string.
    """

    profile_name: str
    files: Sequence[str]
    settings: Sequence[Setting]
    defaults: Sequence[Setting]
    credentials: Sequence[Attempt]
    method: str | None = None
    access_key: str | None = None
    error: str = ""
    next_step: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The same as plain dictionaries, lists and texts, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"profile: {self.profile_name}"]
        lines += [f"file: {file}" for file in self.files]
        lines += ["", "settings:"]
        lines += [f"  {it.name} = {it.value}  (from {it.origin})" for it in self.settings]
        lines += ["", "credentials:"]
        marks = {"found": "+", "failed": "!"}
        lines += [f"  {marks.get(it.outcome, '-')} {it}" for it in self.credentials]
        if self.access_key is not None:
            lines.append(f"  access key: {self.access_key}")
        if self.error:
            lines += ["", f"error: {self.error}"]
        if self.next_step:
            lines += ["", f"next: {self.next_step}"]
        return "\n".join(lines)


def settings_of(resolution: Resolution) -> tuple[list[Setting], list[Setting]]:
    """The settings that somebody gave, and the others."""
    given: list[Setting] = []
    defaults: list[Setting] = []
    for name in sorted(resolution.settings):
        try:
            resolved = resolution.settings[name]
        except ValueError as error:  # a broken value hurts only who uses it
            given.append(Setting(name, "unusable", str(error)))
            continue
        origin = resolved.origin
        setting = Setting(name, _shown(name, resolved.value), str(origin))
        (defaults if origin.kind == "default" else given).append(setting)
    return given, defaults


def _shown(name: str, value: object) -> str:
    return "***" if name in _OPAQUE else without_passwords(str(value))


def without_passwords(text: str) -> str:
    """A text, the users and passwords in its addresses masked."""
    return _USERINFO.sub(r"\1***@", text)


def masked(access_key: str) -> str:
    """Enough of an access key id to recognise it."""
    return f"{access_key[:4]}***{access_key[-4:]}" if len(access_key) > 12 else "***"

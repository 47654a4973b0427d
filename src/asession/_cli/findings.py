"""What is wrong, or strange, in a set-up: each finding with its cause and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from asession._profiles.snapshot import FileState
    from asession.credentials.explanation import Setting

# Of two names for one thing, the one that is read first, and the other.
_PAIRS = (("AWS_DEFAULT_PROFILE", "AWS_PROFILE"), ("AWS_DEFAULT_REGION", "AWS_REGION"))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or strange; a value without secrets.

    Attributes:
        severity: ``"error"`` if it stops the session from working, else ``"warning"``.
        cause: What is wrong.
        fix: What to do about it.
    """

    severity: Literal["error", "warning"]
    cause: str
    fix: str


def of_files(files: Sequence[FileState]) -> Iterator[Finding]:
    """Files that are there and cannot be read."""
    for file in files:
        if file.status == "unreadable":
            yield Finding(
                "error",
                f"cannot read the {file.kind} file {file.path}: {file.detail}; it counts as empty",
                f"make it readable for you (`chmod u+r {file.path}`), or name another with "
                + _variable(file),
            )
        elif file.status == "directory":
            yield Finding(
                "error",
                f"the {file.kind} file {file.path} is a directory; it counts as empty",
                f"put a file there, or name another with {_variable(file)}",
            )


def _variable(file: FileState) -> str:
    return "AWS_CONFIG_FILE" if file.kind == "config" else "AWS_SHARED_CREDENTIALS_FILE"


def of_settings(settings: Sequence[Setting]) -> Iterator[Finding]:
    """Settings whose value cannot be used."""
    for setting in settings:
        if setting.value == "unusable":
            yield Finding("error", setting.origin, f"mend or remove that {setting.name!r}")


def of_clashes(
    method: str | None, profile: Setting | None, environ: Mapping[str, str]
) -> Iterator[Finding]:
    """Settings that keep each other from having an effect.

    Args:
        method: The source of credentials in use.
        profile: The profile, if somebody chose one.
        environ: The environment variables.
    """
    if method == "env" and profile is not None:
        yield Finding(
            "warning",
            f"the keys of AWS_ACCESS_KEY_ID are used, not those of the profile {profile.value!r} "
            f"(from {profile.origin}): keys in the environment go before a profile named there",
            "unset AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or give "
            f"--profile {profile.value} (in code profile_name={profile.value!r}), which goes first",
        )
    for first, second in _PAIRS:
        if first in environ and second in environ and environ[first] != environ[second]:
            yield Finding(
                "warning",
                f"{first} is {environ[first]!r} and {second} is {environ[second]!r}: "
                f"{first} goes first",
                f"unset one of them, or set both to the same (AWS CLI and SDKs read {second})",
            )


def of_region(region: Setting | None, known: Sequence[str], *, works: bool) -> Iterator[Finding]:
    """A region that does not exist as far as anybody knows.

    Args:
        region: The region in force, if there is one.
        known: The regions of all partitions.
        works: Whether a service answered there.
    """
    if region is None or not known or region.value in known:
        return
    close = difflib.get_close_matches(region.value, known, n=2, cutoff=0.7)
    meant = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
    yield Finding(
        "warning" if works else "error",
        f"there is no region {region.value!r} (from {region.origin}) as far as botocore knows"
        + meant,
        f"mend {region.origin}, or give --region; if the region is new, upgrade botocore",
    )

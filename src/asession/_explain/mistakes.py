"""Slips in profile files and variables that no parser refuses: names, prefixes, quotes, blanks."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from asession._explain.places import Places
from asession._explain.situation import Situation
from asession._profiles.snapshot import ProfileSnapshot
from asession.credentials.explanation import Finding

Severity = Literal["error", "warning"]

# The keys that decide who somebody is, and where.
_IDENTITY = (
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_account_id",
    "credential_process",
    "credential_source",
    "duration_seconds",
    "endpoint_url",
    "external_id",
    "login_session",
    "mfa_serial",
    "region",
    "role_arn",
    "role_session_name",
    "source_profile",
    "sso_account_id",
    "sso_region",
    "sso_registration_scopes",
    "sso_role_name",
    "sso_session",
    "sso_start_url",
    "web_identity_token_file",
)
# Keys of the CLI and of other SDKs that look like one of the above.
_FINE = frozenset({"aws_security_token", "regions", "output", "services", "login_region"})
_ALIASES = {"aws_region": "region", "aws_default_region": "region", "default_region": "region"}
_CLOSE = 0.79
# What the AWS CLI keeps in the config file beside profiles.
_OTHER_SECTIONS = frozenset({"plugins", "preview", "profiles", "sso_sessions", "services"})
_PLAIN = frozenset(_IDENTITY) - {"credential_process"}
_VARIABLES = {
    "AWS_ACCESS_KEY_ID": "aws_access_key_id",
    "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key",
    "AWS_SESSION_TOKEN": "aws_session_token",
    "AWS_DEFAULT_REGION": "region",
    "AWS_REGION": "region",
    "AWS_PROFILE": "profile",
    "AWS_DEFAULT_PROFILE": "profile",
    "AWS_ENDPOINT_URL": "endpoint_url",
}
_ZONE = re.compile(r"([a-z]{2,}(?:-[a-z]+)+-\d+)[a-z]")
_SECRET = re.compile(r"[A-Za-z0-9/+]{40}")
_COMMENT = re.compile(r"\s[#;]")


def of_files(snapshot: ProfileSnapshot) -> Iterator[Finding]:
    """Files that are there and cannot be read."""
    for file in snapshot.files:
        variable = "AWS_CONFIG_FILE" if file.kind == "config" else "AWS_SHARED_CREDENTIALS_FILE"
        if file.status == "unreadable":
            yield Finding(
                "error",
                f"cannot read the {file.kind} file {file.path}: {file.detail}; it counts as empty",
                f"make it readable for you (`chmod u+r {file.path}`), or name another with "
                + variable,
                file.path,
            )
        elif file.status == "directory":
            yield Finding(
                "error",
                f"the {file.kind} file {file.path} is a directory; it counts as empty",
                f"put a file there, or name another with {variable}",
                file.path,
            )


def of_sections(snapshot: ProfileSnapshot, places: Places) -> Iterator[Finding]:
    """Sections that look like profiles under a heading that the file does not take for one."""
    for title, section in snapshot.config.items():
        if title in _OTHER_SECTIONS or not _is_profile(section):
            continue
        yield Finding(
            "warning",
            f"the section [{title}] of the config file is no profile, and counts for nothing",
            f"call it [profile {title}]: only [default] goes without the word in this file",
            places.of_title("config", title),
        )
    for title in snapshot.credentials:
        name = title.removeprefix("profile ").strip()
        if title.startswith("profile ") and name not in snapshot.credentials:
            yield Finding(
                "warning",
                f"the section [{title}] of the credentials file is a profile of just that name",
                f"call it [{name}]: the word `profile` is for the config file alone",
                places.of_title("credentials", title),
            )


def of_keys(at: Situation, *, works: bool) -> Iterator[Finding]:
    """Keys of the profiles in use whose name or value cannot be meant.

    Args:
        at: What is known of the session.
        works: Whether there are credentials all the same.
    """
    severity: Severity = "warning" if works else "error"
    for profile in at.chain():
        values = at.profile(profile)
        for key, value in values.items():
            where = at.places.of_key(profile, key)
            meant = _meant(key, values)
            if meant is not None:
                yield Finding(
                    severity,
                    f"the key {key!r} of the profile {profile!r} means nothing to AWS SDKs; did "
                    f"you mean {meant!r}?",
                    f"call it {meant}",
                    where,
                )
            elif isinstance(value, str) and key in _PLAIN:
                yield from _of_value(f"{key!r} of the profile {profile!r}", key, value, where)
        yield from _of_pair(profile, severity, at)


def of_environment(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Variables whose value cannot be meant."""
    for variable, key in _VARIABLES.items():
        value = environ.get(variable, "")
        if value != value.strip():
            yield Finding(
                "error",
                f"{variable} begins or ends with white space, which becomes part of its value",
                f"set {variable} again without blanks and line ends",
                variable,
            )
        else:
            yield from _of_value(variable, key, value, variable)


def zone_of(region: str) -> str | None:
    """The region of an availability zone, `None` if it is the name of none."""
    zone = _ZONE.fullmatch(region)
    return None if zone is None else zone[1]


def _of_value(what: str, key: str, value: str, where: str) -> Iterator[Finding]:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        yield Finding(
            "error",
            f"{what} is in quotes, which are part of its value here",
            "remove the quotes",
            where,
        )
    elif key != "profile" and _COMMENT.search(value):
        yield Finding(
            "error",
            f"{what} goes on with what looks like a comment, which is part of its value here",
            "put the comment on a line of its own",
            where,
        )
    elif key == "aws_access_key_id" and _SECRET.fullmatch(value):
        yield Finding(
            "error",
            f"{what} looks like a secret access key: it has 40 characters",
            "exchange the values of the two keys if they are mixed up",
            where,
        )


def _of_pair(profile: str, severity: Severity, at: Situation) -> Iterator[Finding]:
    values = at.profile(profile)
    key = values.get("aws_access_key_id")
    has_token = "aws_session_token" in values or "aws_security_token" in values
    if isinstance(key, str) and key.startswith("ASIA") and not has_token:
        yield Finding(
            severity,
            f"the keys of the profile {profile!r} are temporary (they begin with ASIA), and there "
            "is no aws_session_token with them",
            "add the aws_session_token that was given out with them",
            at.places.of_key(profile, "aws_access_key_id"),
        )


def _is_profile(section: Mapping[str, Any]) -> bool:
    return any(key in _IDENTITY for key in section)


def _meant(key: str, values: Mapping[str, Any]) -> str | None:
    """The key that is meant by one that nobody knows, unless it is there as well."""
    if key in _IDENTITY or key in _FINE:
        return None
    plain = re.sub(r"[\s-]+", "_", key)
    close = difflib.get_close_matches(plain, _IDENTITY, n=1, cutoff=_CLOSE)
    meant = _ALIASES.get(plain, close[0] if close else None)
    return None if meant is None or meant in values else meant

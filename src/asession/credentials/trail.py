"""Where credentials were looked for, and why a source has none: botocore's sources in its order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from asession._settings.advice import advice_about

SOURCES = (
    "env",
    "assume-role",
    "assume-role-with-web-identity",
    "sso",
    "shared-credentials-file",
    "login",
    "custom-process",
    "config-file",
    "ec2-credentials-file",
    "boto-config",
    "container-role",
    "iam-role",
)
"""The usual sources in the order in which they are asked, by botocore's names."""

DEFERRED = frozenset({"assume-role", "assume-role-with-web-identity", "sso", "login"})
"""The sources that are first asked when something is to be signed."""

SHARED = DEFERRED | {"custom-process", "container-role", "iam-role"}
"""The sources that cost a call: what they give is shared by the process."""

STABLE = frozenset({"container-role", "iam-role"})
"""The sources that give what a machine has anyway: better ended keys than none."""

Outcome = Literal["skipped", "empty", "found", "failed", "not asked"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one source; a value.

    Attributes:
        source: Its name, for example ``"sso"``.
        outcome: Whether it was skipped because it is not configured, had nothing, had credentials,
            failed, or was not asked because another had them.
        detail: Why, in a few words, without secrets.
    """

    source: str
    outcome: Outcome
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.source}: {self.detail or self.outcome}"


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides whether a source is configured; a value.

    Attributes:
        environ: The environment variables.
        profile_name: The profile in force.
        is_explicit: Whether that profile was given as an argument, which then goes before keys in
            the environment.
        profile: The profile's keys, those of both files.
        in_credentials: Its keys in the credentials file alone.
        in_config: Its keys in the config file alone.
        files: Where profiles were looked for, one phrase each.
    """

    environ: Mapping[str, str]
    profile_name: str
    is_explicit: bool
    profile: Mapping[str, Any]
    in_credentials: Mapping[str, Any]
    in_config: Mapping[str, Any]
    files: Sequence[str]

    def why_not(self, source: str) -> str | None:
        """Why a source is not configured, or `None` if it is, or may be."""
        check = _CHECKS.get(source)
        return None if check is None else check(self)

    def next_step(self) -> str:
        """What somebody without credentials can do."""
        return advice_about("NoCredentialsError", self.profile_name)


def _environment(it: Situation) -> str | None:
    if it.is_explicit:
        return f"not asked, because profile_name={it.profile_name!r} was given"
    return None if it.environ.get("AWS_ACCESS_KEY_ID") else "AWS_ACCESS_KEY_ID is not set"


def _role(it: Situation) -> str | None:
    if "role_arn" not in it.profile:
        return f"the profile {it.profile_name!r} has no role_arn"
    if "web_identity_token_file" in it.profile:
        return f"the profile {it.profile_name!r} has a web_identity_token_file"
    return None


def _web_identity(it: Situation) -> str | None:
    if "web_identity_token_file" in it.profile:
        return None
    if not it.is_explicit and "AWS_WEB_IDENTITY_TOKEN_FILE" in it.environ:
        return None
    variable = "" if it.is_explicit else "AWS_WEB_IDENTITY_TOKEN_FILE is not set and "
    return f"{variable}the profile {it.profile_name!r} has no web_identity_token_file"


def _sso(it: Situation) -> str | None:
    if any(key.startswith("sso_") for key in it.profile):
        return None
    return f"the profile {it.profile_name!r} has no sso_session and no sso_start_url"


def _credentials_file(it: Situation) -> str | None:
    if "aws_access_key_id" in it.in_credentials:
        return None
    where = it.files[-1] if it.files else "there"
    return f"no aws_access_key_id for the profile {it.profile_name!r} in {where}"


def _login(it: Situation) -> str | None:
    return _key(it, "login_session")


def _process(it: Situation) -> str | None:
    return _key(it, "credential_process")


def _config_file(it: Situation) -> str | None:
    if "aws_access_key_id" in it.in_config:
        return None
    where = it.files[0] if it.files else "there"
    return f"no aws_access_key_id for the profile {it.profile_name!r} in {where}"


def _ec2_file(it: Situation) -> str | None:
    return None if "AWS_CREDENTIAL_FILE" in it.environ else "AWS_CREDENTIAL_FILE is not set"


def _container(it: Situation) -> str | None:
    names = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if any(name in it.environ for name in names):
        return None
    return f"neither {names[0]} nor {names[1]} is set: this is no container of ECS or EKS"


def _instance(it: Situation) -> str | None:
    if it.environ.get("AWS_EC2_METADATA_DISABLED", "false").lower() == "true":
        return "AWS_EC2_METADATA_DISABLED is true"
    return None


def _key(it: Situation, key: str) -> str | None:
    return None if key in it.profile else f"the profile {it.profile_name!r} has no {key}"


_CHECKS: Mapping[str, Callable[[Situation], str | None]] = {
    "env": _environment,
    "assume-role": _role,
    "assume-role-with-web-identity": _web_identity,
    "sso": _sso,
    "shared-credentials-file": _credentials_file,
    "login": _login,
    "custom-process": _process,
    "config-file": _config_file,
    "ec2-credentials-file": _ec2_file,
    "container-role": _container,
    "iam-role": _instance,
}

EMPTY = {
    "boto-config": "no keys in /etc/boto.cfg, ~/.boto or the file that BOTO_CONFIG names",
    "ec2-credentials-file": "no keys in the file that AWS_CREDENTIAL_FILE names",
    "iam-role": "the instance metadata service does not answer, or has no role: this may be no EC2",
}
"""What it means if a source that may be configured has nothing."""

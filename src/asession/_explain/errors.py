"""An error of a set-up as a finding: its cause, where it comes from, and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from asession._explain.situation import KEYS_OF_SOURCES, Situation
from asession._settings.advice import NETWORK, UNREACHABLE, advice_for, filled
from asession.credentials.explanation import Finding
from asession.credentials.trail import SOURCES
from asession.exceptions import (
    AsessionError,
    ClientError,
    ConfigParseError,
    InvalidSettingError,
    NoCredentialsError,
    ProfileNotFoundError,
)

_CONNECTING = frozenset(
    {"ConnectionError", "HTTPClientError", "EndpointConnectionError", "ResponseParserError"}
)
_UPSTREAM = "BotoCoreError"
_UPSTREAM_SOURCES = frozenset({*SOURCES, "", "explicit", "botocore_session"})
# AWS takes signatures of the last quarter of an hour.
_SKEW_SECONDS = 5 * 60
_PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
_QUOTED = re.compile(r"[\"'\[]([^\"'\[\],]+)[\"'\],]")
_WORD = re.compile(r"\w+")
_CONTAINER = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
_FILES = ("BOTO_CONFIG", "AWS_CREDENTIAL_FILE")
_METADATA = ("AWS_EC2_METADATA_SERVICE_ENDPOINT",)
_UNKNOWN_STEP = "mend what the message names; `asession explain` shows where settings come from"
_REPORT = (
    "run `asession --debug explain` to see where in the code it comes from, and report it if it "
    "is not yours"
)


def finding_of(error: BaseException, situation: Situation | None = None) -> Finding:
    """An error as a finding.

    Args:
        error: What was raised; it is one of a set-up, or unexpected.
        situation: What is known of the session.
    """
    at = Situation() if situation is None else situation
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, ClientError):
        return _refusal(error, at)
    names = {kind.__name__ for kind in type(error).__mro__}
    cause, where = _cause(error), _where(error, at)
    fix = advice_for(error, at.profile_name)
    if isinstance(error, ProfileNotFoundError):
        fix = _mistaken_section(error.profile, at)[1] or fix
    if names & _CONNECTING and not names & {"SSLError", "ProxyConnectionError"}:
        endpoint = at.endpoint_at(str(getattr(error, "kwargs", {}).get("endpoint_url", "")))
        if endpoint is not None:
            where = at.where_endpoint(endpoint)
            fix = filled(UNREACHABLE, at.profile_name, where)
        elif fix is None:
            fix = NETWORK
    elif "Invalid endpoint" in cause:
        endpoint = at.endpoint_at("")
        where = where if endpoint is None else at.where_endpoint(endpoint)
        fix = None if fix is None else fix.replace("endpoint_url= or AWS_ENDPOINT_URL", where)
    if fix is None:
        fix = _UNKNOWN_STEP
        if not isinstance(error, AsessionError) and _UPSTREAM not in names:
            cause, fix = _unexpected(f"{type(error).__name__}: {cause}", at.source)
    return Finding("error", cause, fix, where)


def _unexpected(cause: str, source: str) -> tuple[str, str]:
    if source in _UPSTREAM_SOURCES:
        return f"unexpected: {cause}", _REPORT
    step = f"mend {source}, which was given with credentials=, or what it asks"
    return f"the source of credentials {source} raised {cause}", step


def _cause(error: BaseException) -> str:
    if isinstance(error, NoCredentialsError) and error.reason:
        return f"no credentials: {error.reason}"
    text = " ".join(str(error).split()) or type(error).__name__
    if "custom-process" in text and text.endswith(":"):
        text += " the command failed and wrote nothing to its standard error"
    return text


def _refusal(error: ClientError, at: Situation) -> Finding:
    # What follows the first paragraph quotes the request.
    cause = " ".join(str(error).split("\n\n")[0].split())
    fix = advice_for(error, at.profile_name) or "see what the service says"
    code = str(error.response.get("Error", {}).get("Code", ""))
    skew = _skew(error)
    where = _where(error, at)
    if abs(skew) >= _SKEW_SECONDS and "AccessDenied" not in code:
        fast = "fast" if skew > 0 else "slow"
        cause += f" (the clock of this machine is {abs(skew) / 60:.0f} minutes {fast}, by AWS's)"
        fix, where = "set the clock of this machine (on Linux with NTP: `timedatectl`)", ""
    return Finding("error", cause, fix, where)


def _skew(error: ClientError) -> float:
    """By how many seconds this machine's clock is ahead of the service's, by its answer."""
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        there = parsedate_to_datetime(str(headers.get("date", "")))
    except ValueError:  # no such header, or no date
        return 0.0
    if there.tzinfo is None:
        return 0.0
    return (datetime.now(UTC) - there).total_seconds()


def _where(error: BaseException, at: Situation) -> str:
    if isinstance(error, ConfigParseError):
        return error.path if error.line is None else f"{error.path}, line {error.line}"
    if isinstance(error, InvalidSettingError):
        return at.places.where(error.origin, error.name.rpartition(".")[2])
    if isinstance(error, ProfileNotFoundError):
        return _mistaken_section(error.profile, at)[0] or error.origin
    if isinstance(error, ClientError):
        return _of_operation(error.operation_name, at)
    found = _BY_NAME.get(type(error).__name__)
    return next(filter(None, _mentioned(str(error), at)), "") if found is None else found(error, at)


def _of_operation(operation: str, at: Situation) -> str:
    if operation.startswith("AssumeRole"):
        return at.where("role_arn")
    if operation == "GetRoleCredentials":
        return at.where("sso_role_name", "sso_account_id")
    return at.where_source()


def _mistaken_section(profile: str, at: Situation) -> tuple[str, str]:
    """Where a section stands that may be meant, and what to call it."""
    if profile in at.snapshot.config:
        return at.places.of_title("config", profile), f"call it [profile {profile}]"
    prefixed = f"profile {profile}"
    if prefixed in at.snapshot.credentials:
        return at.places.of_title("credentials", prefixed), f"call it [{profile}]"
    return "", ""


def _file(error: BaseException, at: Situation) -> str:
    path = str(getattr(error, "kwargs", {}).get("path", ""))
    return next((name for name in _FILES if at.environ.get(name) == path), "")


def _proxy(_error: BaseException, at: Situation) -> str:
    return ", ".join(name for name in _PROXY_VARIABLES if at.environ.get(name))


def _region(_error: BaseException, at: Situation) -> str:
    return at.where_set("region")


def _profile(_error: BaseException, at: Situation) -> str:
    return at.places.of_profile(at.profile_name)


_BY_NAME: Mapping[str, Callable[[BaseException, Situation], str]] = {
    "ConfigNotFound": _file,
    "InvalidRegionError": _region,
    "NoRegionError": _profile,
    "ProxyConnectionError": _proxy,
}


def _mentioned(message: str, at: Situation) -> Iterator[str]:
    """Where the things stand that a message is about."""
    # Upstream says it in words.
    message = message.replace("source profile", "source_profile")
    message = message.replace("credential source", "credential_source")
    quoted = _QUOTED.findall(message)
    if "Infinite loop" in message:
        yield "; ".join(at.places.of_key(name, "source_profile") for name in at.chain())
    if "missing required" in message:  # what is missing is missing in the section of the login
        session = at.profile(at.profile_name).get("sso_session")
        yield at.places.of_section("sso_sessions", str(session))
    names = [at.profile_name, *(it for it in quoted if it in at.chain())]
    for profile in reversed(names):
        keys = [word for word in _WORD.findall(message) if word in at.profile(profile)]
        yield from (at.places.of_key(profile, key) for key in keys)
    for source, keys_of_source in KEYS_OF_SOURCES.items():
        if source in message.lower():
            yield at.where(*keys_of_source)
    for session in quoted:
        yield at.places.of_section("sso_sessions", session)
    if "host" in message or "container" in message:
        yield from (name for name in _CONTAINER if name in at.environ)
    if "Instance Metadata" in message:
        yield from (name for name in _METADATA if name in at.environ)

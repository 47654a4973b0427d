"""Source keys: what tells whether two sessions would get the same credentials from a source."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from types import MethodType
from typing import Any
from weakref import ref

from asession._runtime.forks import ProcessLock

SourceKey = tuple[str, bytes]
"""The name of a source and a digest of every input that reaches its request."""

# Secrets go into the digests. A key of this process alone keeps them from being guessed at.
_PROCESS_KEY = os.urandom(32)


def digest(*inputs: object) -> bytes:
    """A digest of values; equal only if the values are.

    Text, bytes, numbers, truth values, `None`, paths, mappings (in any order), sequences and sets
    count by their content. Anything else counts by its identity for as long as it lives, so that
    it is never taken for another object that came after it.

    Args:
        inputs: The values; secrets may be among them.

    Returns:
        32 bytes that mean nothing outside this process.
    """
    hashed = blake2b(key=_PROCESS_KEY, digest_size=32)
    for part in _parts(inputs):
        hashed.update(b"%d:" % len(part))
        hashed.update(part)
    return hashed.digest()


def _parts(value: object) -> Iterable[bytes]:
    if value is None or isinstance(value, bool | int | float):
        yield b"#" + repr(value).encode()
    elif isinstance(value, str):
        yield b"s" + value.encode("utf-8", "surrogatepass")
    elif isinstance(value, bytes):
        yield b"b" + value
    elif isinstance(value, os.PathLike):
        yield from _parts(os.fspath(value))
    elif isinstance(value, Mapping):
        yield b"{%d" % len(value)
        for key, inner in sorted(value.items(), key=lambda item: repr(item[0])):
            yield from _parts(key)
            yield from _parts(inner)
    elif isinstance(value, list | tuple):
        yield b"[%d" % len(value)
        for inner in value:
            yield from _parts(inner)
    elif isinstance(value, set | frozenset):
        yield from _parts(sorted(value, key=repr))
    elif isinstance(value, MethodType):  # another object at each access
        yield b"m"
        yield from _parts(value.__func__)
        yield from _parts(value.__self__)
    else:
        yield b"o" + _identities.of(value)


class _Identities:
    """Names for living objects; an object's name is never given to another.

    Lives as long as the process; keeps no object alive.
    """

    def __init__(self) -> None:
        self._lock = ProcessLock()
        self._names: dict[int, tuple[ref[Any], bytes]] = {}

    def of(self, thing: object) -> bytes:
        """The name of an object; another one each time if it cannot be followed to its end."""
        with self._lock:
            known = self._names.get(id(thing))
            if known is not None and known[0]() is thing:
                return known[1]
            name = os.urandom(16)
            try:
                # The callback takes no lock: the collector may run it anywhere.
                self._names[id(thing)] = (ref(thing, self._forgetter(id(thing), name)), name)
            except TypeError:
                pass
            return name

    def _forgetter(self, place: int, name: bytes) -> Any:
        names = self._names

        def forget(_reference: object) -> None:
            known = names.get(place)
            if known is not None and known[1] == name:
                names.pop(place, None)

        return forget


_identities = _Identities()

# What of a profile says who one is. It reaches only the requests of the source that is configured
# by it; all other keys of the profile in force may reach every request (endpoints, regions, TLS).
_OF_SOURCES = frozenset(
    {
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
        "aws_account_id",
        "credential_process",
        "credential_source",
        "duration_seconds",
        "external_id",
        "login_session",
        "mfa_serial",
        "role_arn",
        "role_session_name",
        "source_profile",
        "web_identity_token_file",
    }
)
_WITHOUT_EFFECT = frozenset({"region", "output", "cli_pager", "cli_auto_prompt"})
_METADATA_VARIABLES = ("AWS_EC2_METADATA_", "AWS_METADATA_SERVICE_", "AWS_CONTAINER_")


_SERVICES = frozenset({"sts", "sso", "sso-oidc", "signin", "*"})


def may_concern_sources(event_name: str) -> bool:
    """Whether a handler of an event may see the request of a source of credentials.

    Args:
        event_name: botocore's, for example ``"before-sign.s3.PutObject"``.
    """
    _, _, rest = event_name.partition(".")
    service = rest.partition(".")[0].lower()
    return not service or service in _SERVICES or event_name.startswith("*")


def network_inputs(values: Mapping[str, Any], services: Mapping[str, Any]) -> dict[str, Any]:
    """What of the profile in force may reach the request of any source.

    Args:
        values: The keys of the profile in force.
        services: The ``services`` sections of the config file.
    """
    kept = {
        key: value
        for key, value in values.items()
        if key not in _OF_SOURCES and key not in _WITHOUT_EFFECT and not key.startswith("sso_")
    }
    named = values.get("services")
    return {**kept, "services ": services.get(named) if isinstance(named, str) else None}


def profile_inputs(
    name: str, profiles: Mapping[str, Mapping[str, Any]], sso_sessions: Mapping[str, Any]
) -> dict[str, Any]:
    """What a profile and the profiles it builds on say about who one is.

    Args:
        name: The profile.
        profiles: All profiles.
        sso_sessions: The ``sso-session`` sections.
    """
    found: dict[str, Any] = {}
    following: Any = name
    while isinstance(following, str) and following not in found:
        values = profiles.get(following, {})
        sso = values.get("sso_session")
        found[following] = {
            "keys": {key: value for key, value in values.items() if key not in _WITHOUT_EFFECT},
            "sso-session": sso_sessions.get(sso) if isinstance(sso, str) else None,
        }
        following = values.get("source_profile")
    return found


def metadata_inputs(environ: Mapping[str, str]) -> dict[str, str]:
    """What of the environment reaches the metadata services."""
    return {
        name: value
        for name, value in environ.items()
        if name.startswith(_METADATA_VARIABLES) or name.upper().endswith("_PROXY")
    }

"""Which profile is in force: the argument, the environment, or `default`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asession._profiles.snapshot import ProfileSnapshot
from asession._settings.resolved import DEFAULT, Origin
from asession.exceptions import ProfileNotFoundError

# botocore's order.
PROFILE_VARIABLES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")


@dataclass(frozen=True, slots=True)
class Profile:
    """The profile in force, for as long as the snapshot it was read from.

    Attributes:
        name: Its name, or `None` when nobody asked for one.
        origin: Who asked for it.
        values: Its keys; empty when nobody asked for one and there is no `default`.
        missing: Whether a profile was asked for by the environment, does not exist, and does not
            matter because explicit keys were given.
    """

    name: str | None
    origin: Origin
    values: Mapping[str, Any]
    missing: bool = False

    @property
    def section(self) -> str:
        """The name of the profile that is read, `default` when nobody asked for one."""
        return "default" if self.name is None else self.name


def select_profile(
    snapshot: ProfileSnapshot,
    environ: Mapping[str, str],
    profile_name: str | None,
    *,
    has_keys: bool,
) -> Profile:
    """Find the profile in force.

    Args:
        snapshot: The profiles that exist.
        environ: The environment variables.
        profile_name: The profile given as an argument; it must exist.
        has_keys: Whether explicit keys were given: then the environment may name a profile that
            does not exist.

    Raises:
        ProfileNotFoundError: The profile asked for does not exist.
    """
    name, origin = asked_for(environ, profile_name)
    if name is None:
        return Profile(None, DEFAULT, snapshot.profiles.get("default", {}))
    values = snapshot.profiles.get(name)
    if values is not None:
        return Profile(name, origin, values)
    if has_keys and origin.kind == "environment":
        return Profile(name, origin, {}, missing=True)
    raise ProfileNotFoundError(
        profile=name,
        origin=str(origin),
        searched=snapshot.searched,
        available=snapshot.available_profiles,
        hint=snapshot.hint_for(name),
    )


def asked_for(environ: Mapping[str, str], argument: str | None) -> tuple[str | None, Origin]:
    """The profile that somebody asked for, `None` if nobody did, and who."""
    if argument is not None:
        return argument, Origin("argument", "profile_name=")
    for variable in PROFILE_VARIABLES:
        if variable in environ:
            return environ[variable], Origin("environment", variable)
    return None, DEFAULT

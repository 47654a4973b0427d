"""From a session's arguments to its settings: the environment, the files, the profile in force."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from asession._aws.variables import VARIABLES
from asession._options import SessionOptions
from asession._profiles.load import load_profiles
from asession._profiles.snapshot import ProfileSnapshot
from asession._settings.profile import select_profile
from asession._settings.settings import Argument, Resolution, Settings


@dataclass(frozen=True, slots=True)
class Facts:
    """What a resolved session tells about itself.

    Attributes:
        profile_name: The profile in force, ``"default"`` if nobody chose one.
        region_name: The region, or `None`.
        available_profiles: The names of all profiles.
    """

    profile_name: str
    region_name: str | None
    available_profiles: tuple[str, ...]


async def resolve(options: SessionOptions, previous: Resolution | None) -> Resolution:
    """Read the environment and the files, and settle every variable.

    The environment is copied here and read nowhere else.

    Args:
        options: The session's arguments.
        previous: An earlier resolution of the same session, returned again if nothing changed.

    Raises:
        ProfileNotFoundError: The profile asked for does not exist.
        ConfigParseError: A file cannot be parsed.
    """
    environ = dict(os.environ) if options.environ is None else dict(options.environ)
    if options.profiles is None:
        snapshot = await load_profiles(
            environ,
            config_file=_path(options.config_file),
            credentials_file=_path(options.credentials_file),
        )
    elif previous is not None:
        snapshot = previous.snapshot
    else:
        snapshot = ProfileSnapshot.from_mapping(options.profiles)
    if previous is not None and previous.snapshot is snapshot and previous.environ == environ:
        return previous
    profile = select_profile(snapshot, environ, options.profile_name, has_keys=options.has_keys)
    settings = Settings(
        VARIABLES,
        arguments=_arguments(options),
        environ=environ,
        profile=profile,
        snapshot=snapshot,
    )
    return Resolution(environ, snapshot, profile, settings)


def facts(resolution: Resolution) -> Facts:
    """What the session tells after that resolution."""
    return Facts(
        profile_name=resolution.profile.section,
        region_name=resolution.settings["region"].value,
        available_profiles=resolution.snapshot.available_profiles,
    )


def _arguments(options: SessionOptions) -> dict[str, Argument]:
    return {
        "profile": Argument("profile_name=", options.profile_name),
        "region": Argument("region_name=", options.region_name),
        "ca_bundle": Argument("verify=", options.verify),
        "config_file": Argument("config_file=", _path(options.config_file)),
        "credentials_file": Argument("credentials_file=", _path(options.credentials_file)),
    }


def _path(path: Any) -> str | None:
    return None if path is None else os.fspath(path)

"""From a session's arguments to its settings: the environment, the files, the profile in force."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

from asession._aws.variables import VARIABLES
from asession._options import SessionOptions
from asession._profiles.load import load_profiles
from asession._profiles.paths import FilePaths, locate
from asession._profiles.snapshot import FileKind, FileState, ProfileSnapshot
from asession._runtime.threads import in_thread
from asession._settings.advice import annotate
from asession._settings.profile import Profile, asked_for, select_profile
from asession._settings.settings import Argument, Resolution, Settings
from asession.exceptions import ConfigParseError, ProfileNotFoundError


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
        ProfileNotFoundError: The profile asked for does not exist; a note says what to do.
        ConfigParseError: A file cannot be parsed; a note says what to do.
    """
    environ = _environ(options)
    try:
        return await _resolve(options, environ, previous)
    except (ProfileNotFoundError, ConfigParseError) as error:
        annotate(error, "")
        raise


async def _resolve(
    options: SessionOptions, environ: dict[str, str], previous: Resolution | None
) -> Resolution:
    if options.profiles is None:
        snapshot = await _load(options, environ)
    elif previous is not None:
        snapshot = previous.snapshot
    else:
        snapshot = ProfileSnapshot.from_mapping(options.profiles)
    if previous is not None and previous.snapshot is snapshot and previous.environ == environ:
        return previous
    profile = select_profile(snapshot, environ, options.profile_name, has_keys=options.has_keys)
    return _resolution(options, environ, profile, snapshot)


async def salvage(options: SessionOptions) -> Resolution:
    """What is known all the same of a session that cannot be resolved: for explanations.

    A file that cannot be parsed counts as empty, and so does a profile that does not exist.

    Args:
        options: The session's arguments.
    """
    environ = _environ(options)
    if options.profiles is not None:
        snapshot = ProfileSnapshot.from_mapping(options.profiles)
    else:
        snapshot = await _load_parts(options, environ)
    name, origin = asked_for(environ, options.profile_name)
    values = snapshot.profiles.get("default" if name is None else name)
    profile = Profile(name, origin, values or {}, missing=name is not None and values is None)
    return _resolution(options, environ, profile, snapshot)


async def _load_parts(options: SessionOptions, environ: dict[str, str]) -> ProfileSnapshot:
    """The files that can be parsed."""
    try:
        return await _load(options, environ)
    except ConfigParseError as error:
        broken = error
    paths = await in_thread(_locate, options, environ)
    is_config = paths.config == broken.path
    kind: FileKind = "config" if is_config else "credentials"
    state = FileState(broken.path, kind, "broken", f"line {broken.line}" if broken.line else "")
    try:
        # An empty path names no file.
        snapshot = await load_profiles(
            environ,
            config_file="" if is_config else paths.config,
            credentials_file=paths.credentials if is_config else "",
        )
    except ConfigParseError as error:
        both = (state, FileState(error.path, "credentials", "broken", f"line {error.line}"))
        return ProfileSnapshot.from_files(None, None, both)
    return replace(snapshot, files=tuple(state if it.kind == kind else it for it in snapshot.files))


def _environ(options: SessionOptions) -> dict[str, str]:
    return dict(os.environ) if options.environ is None else dict(options.environ)


async def _load(options: SessionOptions, environ: dict[str, str]) -> ProfileSnapshot:
    return await load_profiles(
        environ,
        config_file=_path(options.config_file),
        credentials_file=_path(options.credentials_file),
    )


def _locate(options: SessionOptions, environ: dict[str, str]) -> FilePaths:
    return locate(
        environ,
        config_file=_path(options.config_file),
        credentials_file=_path(options.credentials_file),
    )


def _resolution(
    options: SessionOptions, environ: dict[str, str], profile: Profile, snapshot: ProfileSnapshot
) -> Resolution:
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

"""The content of both profile files as one immutable value that knows where each key came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from asession._profiles.parse import Section, heading, profile_map

FrozenSection = Mapping[str, str | Mapping[str, str]]
FileKind = Literal["config", "credentials"]
FileStatus = Literal["read", "missing", "directory", "unreadable", "broken"]

_MAPPING = "profiles="


@dataclass(frozen=True, slots=True)
class FileState:
    """What became of one file; a value.

    Attributes:
        path: The path as opened.
        kind: Which of the two files.
        status: ``"read"``, or why nothing came from it.
        detail: More about the status, or an empty string.
    """

    path: str
    kind: FileKind
    status: FileStatus
    detail: str = ""

    def describe(self) -> str:
        """The file and its status in a few words, for messages."""
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.path or repr(self.path)} ({self.status}{detail})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ProfileSnapshot:
    """Both files at one moment; deeply immutable, shared by everybody who read the same files.

    Made by `from_files` and `from_mapping` only. Two snapshots are equal only if they are the same
    object: as long as both files stay unchanged, loading returns the same object again.

    Attributes:
        config: The config file alone: ``profiles``, ``sso_sessions``, ``services`` (always there)
            and every other section.
        credentials: The sections of the credentials file alone.
        profiles: The profiles of both, keys of the credentials file over keys of the config file.
        files: What became of each file, the config file first; empty for a mapping.
    """

    config: Mapping[str, Mapping[str, Any]]
    credentials: Mapping[str, FrozenSection]
    profiles: Mapping[str, FrozenSection]
    files: tuple[FileState, ...]
    # Profile name -> its place, for the profiles of the config file or of the mapping.
    _places: Mapping[str, str]
    # botocore's full configuration has no tables but `profiles` if there is no config file.
    _has_config: bool

    @classmethod
    def from_files(
        cls,
        config: Mapping[str, Section] | None,
        credentials: Mapping[str, Section] | None,
        files: tuple[FileState, ...],
    ) -> ProfileSnapshot:
        """Merge both files.

        Args:
            config: The sections of the config file, `None` if there is no such file.
            credentials: The sections of the credentials file, `None` if there is no such file.
            files: What became of each file.
        """
        path = _path_of(files, "config")
        places: dict[str, str] = {}
        for title in config or {}:
            table, name = heading(title)
            if table == "profiles" and name is not None:
                places[name] = f"{path} [{title}]"
        return cls._merged(
            profile_map(config or {}), credentials or {}, files, places, config is not None
        )

    @classmethod
    def from_mapping(cls, profiles: Mapping[str, Mapping[str, object]]) -> ProfileSnapshot:
        """Take profiles from a mapping instead of files.

        Args:
            profiles: Profile name to keys, nested sections as mappings. The names
                ``sso-session X`` and ``services X`` mean what they mean in the config file.

        Raises:
            TypeError: A value is neither text, a number, a truth value nor a mapping of these; it
                names the profile and the key, not the value.
            ValueError: A name is not usable, or a key is there twice, in upper and lower case.
        """
        config: dict[str, Any] = {"profiles": {}, "sso_sessions": {}, "services": {}}
        for title, section in profiles.items():
            if not isinstance(title, str):
                raise TypeError(f"{_MAPPING}: a profile name is {type(title).__name__}, not str")
            table, name = "profiles", title
            if title.startswith(("sso-session ", "services ")):
                kind, single = heading(title)
                if kind is None or single is None:
                    wrong = "needs one name after the first word; quote it if it has spaces"
                    raise ValueError(f"{_MAPPING}: {title!r} {wrong}")
                table, name = kind, single
            config[table][name] = _section_from(title, section)
        places = {name: f"{_MAPPING} [{name}]" for name in config["profiles"]}
        return cls._merged(config, {}, (), places, True)

    @classmethod
    def _merged(
        cls,
        config: dict[str, Any],
        credentials: Mapping[str, Section],
        files: tuple[FileState, ...],
        places: dict[str, str],
        has_config: bool,
    ) -> ProfileSnapshot:
        profiles: dict[str, Section] = dict(config["profiles"])
        for name, section in credentials.items():
            # Not deep: a nested section of the credentials file replaces that of the config file.
            profiles[name] = {**profiles.get(name, {}), **section}
        return cls(
            config=_frozen(config),
            credentials=_frozen(credentials),
            profiles=_frozen(profiles),
            files=files,
            _places=MappingProxyType(places),
            _has_config=has_config,
        )

    @property
    def available_profiles(self) -> tuple[str, ...]:
        """The names of all profiles: those of the config file, then the others, in file order."""
        return tuple(self.profiles)

    @property
    def config_path(self) -> str:
        """The config file, or what stands in its place, for messages."""
        return _path_of(self.files, "config")

    @property
    def searched(self) -> tuple[str, ...]:
        """Where profiles were looked for, one phrase each, for messages."""
        return tuple(file.describe() for file in self.files) or (_MAPPING,)

    def origin_of(self, profile: str, key: str | tuple[str, str]) -> str | None:
        """The file and the section that gave a value.

        Args:
            profile: The name of the profile.
            key: The key, or nested section and key.

        Returns:
            For example ``"/home/x/.aws/config [profile dev]"`` or ``"profiles= [dev]"``; `None` if
            the profile has no such key.
        """
        outer = key if isinstance(key, str) else key[0]
        if outer not in self.profiles.get(profile, {}):
            return None
        if not isinstance(key, str):
            nested = self.profiles[profile][outer]
            if isinstance(nested, str) or key[1] not in nested:
                return None
        if outer in self.credentials.get(profile, {}):
            return f"{_path_of(self.files, 'credentials')} [{profile}]"
        return self._places[profile]

    def hint_for(self, profile: str) -> str:
        """What may be wrong with the files if a profile does not exist, or an empty string."""
        prefixed = f"profile {profile}"
        if profile in self.config and profile not in ("profiles", "sso_sessions", "services"):
            path = _path_of(self.files, "config")
            return f"{path} has a section [{profile}], which in this file must be [{prefixed}]"
        if prefixed in self.credentials:
            path = _path_of(self.files, "credentials")
            return f"{path} has a section [{prefixed}], which in this file must be [{profile}]"
        if prefixed in self.profiles and not self.files:
            return f"{_MAPPING} has the name {prefixed!r}, which must be {profile!r} there"
        return ""

    def full_config(self) -> dict[str, Any]:
        """A private, mutable copy of everything, in the shape of botocore's `full_config`."""
        config = self.config_only() if self._has_config else {}
        config["profiles"] = _thawed(self.profiles)
        return config

    def config_only(self) -> dict[str, Any]:
        """A private, mutable copy of `config`, in the shape of botocore's `load_config`."""
        copy: dict[str, Any] = _thawed(self.config)
        return copy

    def credentials_only(self) -> dict[str, Any]:
        """A private, mutable copy of `credentials`, as botocore's `raw_config_parse` has it."""
        copy: dict[str, Any] = _thawed(self.credentials)
        return copy

    def __repr__(self) -> str:
        return f"<ProfileSnapshot of {len(self.profiles)} profiles from {'; '.join(self.searched)}>"


def _path_of(files: tuple[FileState, ...], kind: FileKind) -> str:
    return next((file.path for file in files if file.kind == kind), _MAPPING)


def _section_from(title: str, section: object) -> Section:
    if not isinstance(section, Mapping):
        raise TypeError(f"{_MAPPING}: {title!r} is {type(section).__name__}, not a mapping of keys")
    result: Section = {}
    for key, value in section.items():
        where = f"{_MAPPING}: in {title!r} the key {key!r}"
        # As in the files: keys are lower case whatever the user writes, nested keys are not.
        lower = _key(key, where).lower()
        if lower in result:
            raise ValueError(f"{where} is there twice, in upper and lower case")
        if isinstance(value, Mapping):
            result[lower] = {
                _key(inner, f"{where} > {inner!r}"): _text(scalar, f"{where} > {inner!r}")
                for inner, scalar in value.items()
            }
        else:
            result[lower] = _text(value, where)
    return result


def _key(key: object, where: str) -> str:
    if isinstance(key, str):
        return key
    raise TypeError(f"{where} is {type(key).__name__}, not str")


def _text(value: object, where: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise TypeError(f"{where} has a value of type {type(value).__name__}, not str, number or bool")


def _frozen(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return MappingProxyType({key: _frozen(inner) for key, inner in value.items()})


def _thawed(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {key: _thawed(inner) for key, inner in value.items()}


EMPTY = ProfileSnapshot.from_mapping({})

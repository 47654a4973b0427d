"""Every configuration variable, resolved by precedence: argument, environment, file, default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from asession._profiles.snapshot import ProfileSnapshot
from asession._settings.profile import Profile
from asession._settings.resolved import DEFAULT, Origin, Resolved
from asession._settings.variables import Key, Variable
from asession.exceptions import InvalidSettingError


@dataclass(frozen=True, slots=True)
class Argument:
    """A value given to the session itself, which goes before all others.

    Attributes:
        label: How the user wrote it, for example ``"region_name="``.
        value: The value.
    """

    label: str
    value: Any


class Settings(Mapping[str, Resolved]):
    """The values in force, by logical name; immutable, for as long as anyone keeps it.

    Values are converted when they are first read, so that a broken one hurts only who uses it.
    """

    __slots__ = ("_arguments", "_environ", "_profile", "_resolved", "_snapshot", "_variables")

    def __init__(
        self,
        variables: Mapping[str, Variable],
        *,
        arguments: Mapping[str, Argument],
        environ: Mapping[str, str],
        profile: Profile,
        snapshot: ProfileSnapshot,
    ) -> None:
        self._variables = variables
        self._arguments = arguments
        self._environ = environ
        self._profile = profile
        self._snapshot = snapshot
        self._resolved: dict[str, Resolved] = {}

    def __getitem__(self, name: str) -> Resolved:
        """The value of a variable and its origin.

        Raises:
            KeyError: There is no such variable.
            InvalidSettingError: Its value cannot be converted.
        """
        resolved = self._resolved.get(name)
        if resolved is None:
            resolved = self._resolved[name] = self._resolve(self._variables[name])
        return resolved

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)

    def _resolve(self, variable: Variable) -> Resolved:
        found = self._find(variable)
        if variable.convert is None or found.value is None:
            return found
        try:
            return Resolved(variable.convert(found.value), found.origin)
        except (TypeError, ValueError):
            raise InvalidSettingError(
                name=variable.name,
                value=found.value,
                origin=str(found.origin),
                expected=f"a value for {getattr(variable.convert, '__name__', 'it')}()",
            ) from None

    def _find(self, variable: Variable) -> Resolved:
        argument = self._arguments.get(variable.name)
        if argument is not None and argument.value is not None:
            return Resolved(argument.value, Origin("argument", argument.label))
        for name in variable.environ:
            if name in self._environ:
                return Resolved(self._environ[name], Origin("environment", name))
        for key in variable.keys:
            value = self._in_profile(key)
            if value is not None:
                where = self._snapshot.origin_of(self._profile.section, key)
                return Resolved(value, Origin("file", where or self._profile.section))
        return Resolved(variable.default, DEFAULT)

    def _in_profile(self, key: Key) -> Any:
        if isinstance(key, str):
            return self._profile.values.get(key)
        section, name = key
        values = self._profile.values.get(section)
        return values.get(name) if isinstance(values, Mapping) else None


@dataclass(frozen=True, slots=True, eq=False)
class Resolution:
    """What one resolve found out; immutable, shared by all event loops of a session.

    Attributes:
        environ: The environment variables as they were.
        snapshot: The profiles as they were.
        profile: The profile in force.
        settings: The variables in force.
    """

    environ: Mapping[str, str]
    snapshot: ProfileSnapshot
    profile: Profile
    settings: Settings

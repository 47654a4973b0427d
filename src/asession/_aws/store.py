"""botocore's store of configuration variables, answering from a session's settings."""

from __future__ import annotations

from typing import Any

from botocore.configprovider import (
    BaseProvider,
    ChainProvider,
    ConfigValueStore,
    ConstantProvider,
    SectionConfigProvider,
)

from asession._aws.variables import SECTIONS, VARIABLES
from asession._settings.settings import Settings


class SettingProvider(BaseProvider):
    """Answers botocore from our settings, unless only a default is in force."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings = settings
        self._name = name

    def provide(self) -> Any:
        """The value, or `None`."""
        resolved = self._settings[self._name]
        return None if resolved.origin.kind == "default" else resolved.value

    def __deepcopy__(self, memo: Any) -> SettingProvider:
        return self

    def __repr__(self) -> str:
        return f"SettingProvider({self._name!r})"


class SettingsStore(ConfigValueStore):
    """The variables of a session, and of each of its clients a copy that upstream adds to.

    A variable is looked up in the settings; botocore's chain of providers is built for one only
    when upstream wants to change it. Lives as long as its session or client.

    Args:
        settings: The session's settings.
        session: The session, whose `set_config_variable` goes before them.
    """

    def __init__(self, settings: Settings, session: Any) -> None:
        super().__init__()
        self._settings = settings
        self._session = session
        # The sections in force, which do not change: the copies share them.
        self._sections: dict[str, Any] = {}

    def get_config_variable(self, logical_name: str) -> Any:
        """The value in force, or `None`."""
        if logical_name in self._overrides or logical_name in self._mapping:
            return super().get_config_variable(logical_name)
        own = self._session._session_instance_vars.get(logical_name)
        if own is not None:
            return own
        if logical_name in SECTIONS:
            return self._section(logical_name)
        return self._settings[logical_name].value if logical_name in VARIABLES else None

    def get_config_provider(self, logical_name: str) -> Any:
        """What finds the value, to be built upon."""
        known = logical_name in self._mapping or logical_name in self._overrides
        if not known and (logical_name in VARIABLES or logical_name in SECTIONS):
            self._mapping[logical_name] = self._provider(logical_name)
        return super().get_config_provider(logical_name)

    def _section(self, name: str) -> dict[str, Any] | None:
        if name not in self._sections:
            self._sections[name] = self._provider(name).provide()
        section = self._sections[name]
        return None if section is None else dict(section)  # upstream adds to it

    def _provider(self, name: str) -> BaseProvider:
        if name in SECTIONS:
            chains = {key: self._provider(f"{name}.{key}") for key in SECTIONS[name]}
            return SectionConfigProvider(name, self._session, chains)
        variable = VARIABLES[name]
        providers: list[BaseProvider] = [SettingProvider(self._settings, name)]
        if variable.default is not None:
            convert = variable.convert or (lambda value: value)
            # Last and constant, so that `defaults_mode` can put its own default in its place.
            providers.append(ConstantProvider(convert(variable.default)))
        return ChainProvider(providers)

    def __copy__(self) -> SettingsStore:
        copied = SettingsStore(self._settings, self._session)
        copied._sections = self._sections
        copied._mapping.update(self._mapping)
        copied._overrides.update(self._overrides)
        return copied

"""User agents that are put together once per configuration and set of features."""

from __future__ import annotations

from typing import Any

from botocore.context import get_context
from botocore.useragent import UserAgentString

_LIMIT = 256  # strings kept; one is about 200 bytes
_ABSENT = object()


class UserAgent(UserAgentString):
    """botocore's user agent, which each request asks for twice, remembered.

    A string is looked up by every value it is made of, so that changing one of them later counts as
    it does in botocore. The session has one and each client a copy, which lives as long as the
    client; the copies share what was put together. Nothing needs closing.
    """

    _built: dict[Any, str] | None = None

    def remember(self) -> dict[Any, str]:
        """What was put together by this one and, from now on, by its copies."""
        if self._built is None:
            self._built = {}
        return self._built

    def to_string(self) -> str:
        """The ``User-Agent`` header of a request made now."""
        built = self.remember()
        key = self._ingredients()
        text = built.get(key)
        if text is None:
            if len(built) >= _LIMIT:
                built.clear()
            text = built[key] = super().to_string()
        return text

    def rebuild_and_replace_user_agent_handler(
        self, operation_name: str, request: Any, **_: Any
    ) -> None:
        """Handler of ``request-created``, the last: by now all features in use are known."""
        present = request.headers.get("User-Agent")
        if present:
            text = self.to_string()
            if present != text:
                request.headers.replace_header("User-Agent", text)

    def _ingredients(self) -> tuple[Any, ...]:
        context = get_context()
        used = set() if context is None else context.features
        # As upstream joins them, and as a tuple: their order is that of this very set.
        features = (self._client_features or set()).union(used)
        return (
            *features,
            None,
            self._session_user_agent_name,
            self._session_user_agent_version,
            self._session_user_agent_extra,
            self._execution_env,
            self._platform_name,
            self._platform_version,
            self._platform_machine,
            self._python_version,
            self._python_implementation,
            self._crt_version,
            *self._ingredients_of_config(),
        )

    def _ingredients_of_config(self) -> tuple[Any, ...]:
        config = self._client_config
        if not config:
            return ()
        supplied = getattr(config, "_supplied_user_agent", _ABSENT)
        retries = config.retries
        return (
            config.user_agent if supplied is _ABSENT else supplied,
            config.user_agent_extra,
            config.user_agent_appid,
            bool(config.endpoint_discovery_enabled),
            retries.get("mode") if retries else _ABSENT,
        )

"""A session's aiobotocore session on one event loop: our files, settings and environment in it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cache
from typing import Any

from aiobotocore import __version__ as aiobotocore_version
from aiobotocore.config import AioConfig
from botocore import __version__ as botocore_version
from botocore.exceptions import BotoCoreError

from asession._aws.catalogue import Catalogue
from asession._aws.chain import Identify, Resolver, token_resolver
from asession._aws.environ import RegionProvider, SmartDefaults, follow
from asession._aws.handlers import builtin_events
from asession._aws.http_session import HttpSession
from asession._aws.making import ClientMaker, check_connector_args
from asession._aws.parsing import ParserFactory
from asession._aws.service import Service
from asession._aws.store import SettingsStore
from asession._aws.useragent import UserAgent
from asession._http.transport import Transport
from asession._once import Once
from asession._options import SessionOptions
from asession._profiles.snapshot import ProfileSnapshot
from asession._settings.advice import annotate
from asession._settings.profile import Profile
from asession._settings.settings import Resolution, Settings
from asession._version import __version__


class AwsSession(ClientMaker):
    """aiobotocore's session over a resolution: it opens no file and reads no `os.environ`.

    Lives as long as the live state of a `Session` on one event loop; nothing needs closing but the
    clients it makes.
    """

    def __init__(
        self,
        options: SessionOptions,
        resolution: Resolution,
        catalogue: Catalogue,
        transport: Transport,
        identify: Identify,
        private: dict[Any, Service],
    ) -> None:
        # Before upstream's constructor, which calls the `_register_...` methods below.
        self.options = options
        self.environ: Mapping[str, str] = resolution.environ
        self.snapshot: ProfileSnapshot = resolution.snapshot
        self.settings: Settings = resolution.settings
        self.profile_in_force: Profile = resolution.profile
        self.catalogue = catalogue
        self._transport = transport
        self._identify = identify
        self._private = private
        super().__init__(event_hooks=copy.copy(builtin_events()), include_builtin_handlers=False)
        self._config = resolution.snapshot.full_config()
        self._scoped = self._config["profiles"].get(resolution.profile.section, {})
        self._credentials: Any = None
        self.has_credentials: bool = True
        self._identity = Once(lambda: self._identify(self))
        self.set_default_client_config(self._default_config())
        if options.has_keys:
            self.set_credentials(
                options.aws_access_key_id,
                options.aws_secret_access_key,
                options.aws_session_token,
                options.aws_account_id,
            )

    def dissolve(self) -> None:
        """End its life: it makes no client any more, and needs no collector to be freed.

        Its components hold it as it holds them.
        """
        self.__dict__.clear()

    @property
    def is_dissolved(self) -> bool:
        """Whether its life has ended."""
        return not self.__dict__

    # -- what upstream's constructor asks for -------------------------------------------------

    def _set_user_agent_for_session(self) -> None:
        self.user_agent_name: str = "asession"
        self.user_agent_version: str = __version__
        self.user_agent_extra: str = (
            f"aiobotocore/{aiobotocore_version} botocore/{botocore_version}"
        )

    def _register_event_emitter(self) -> None:
        # Without upstream's layer for old names of events, which the emitter knows itself.
        self._events = self._original_handler
        follow(self.environ, self._events, given=self.options.environ is not None)
        self._own_handlers = self._events.handlers
        super()._register_event_emitter()

    def _register_data_loader(self) -> None:
        self._components.register_component("data_loader", self.catalogue.loader)

    def _register_endpoint_resolver(self) -> None:
        self._internal_components.lazy_register_component(
            "endpoint_resolver", lambda: self.catalogue.endpoint_resolver
        )

    def _register_response_parser_factory(self) -> None:
        self._components.register_component("response_parser_factory", ParserFactory())

    def _register_config_store(self) -> None:
        self._components.register_component("config_store", SettingsStore(self.settings, self))

    def _register_user_agent_creator(self) -> None:
        creator = copy.copy(_plain_user_agent())
        creator._execution_env = self.environ.get("AWS_EXECUTION_ENV")
        self._components.register_component("user_agent_creator", creator)

    def _register_smart_defaults_factory(self) -> None:
        self._internal_components.lazy_register_component(
            "smart_defaults_factory",
            lambda: SmartDefaults(
                self._get_internal_component("default_config_resolver"),
                RegionProvider(session=self, environ=self.environ),
                self.environ,
            ),
        )

    # -- configuration ------------------------------------------------------------------------

    def _default_config(self) -> AioConfig:
        config = self.options.config
        given = getattr(config, "_user_provided_options", {})
        if issubclass(given.get("http_session_cls", HttpSession), HttpSession):
            check_connector_args(config)
        return _plain_config() if config is None else _plain_config().merge(config)

    def get_scoped_config(self) -> Any:
        return self._scoped

    def user_agent(self) -> str:
        return f"{self.user_agent_name}/{self.user_agent_version} {self.user_agent_extra}"

    async def _create_client(self, *args: Any, **kwargs: Any) -> Any:
        profile = self.profile_in_force.section
        try:
            return await super()._create_client(*args, **kwargs)
        except BotoCoreError as error:
            annotate(error, profile)
            raise

    # -- identity -----------------------------------------------------------------------------

    def _create_credential_resolver(self) -> Any:
        return Resolver(self)

    def _create_token_resolver(self) -> Any:
        return token_resolver(self)

    async def get_credentials(self) -> Any:
        """What clients sign with, which says why if there is nothing to sign with."""
        if self._credentials is not None:  # explicit keys: no source is looked at
            return self._credentials
        credentials = await self._identity.get()
        self.has_credentials = await credentials.select()
        return credentials

    async def identity(self) -> Any:
        """The credentials with their sources, none of which is asked; `None` for explicit keys."""
        return None if self._credentials is not None else await self._identity.get()


@cache
def _plain_user_agent() -> UserAgent:
    """What all user agents begin with; copies share the strings that were put together."""
    creator: UserAgent = UserAgent.from_environment()
    creator.remember()
    return creator


@cache
def _plain_config() -> AioConfig:
    """The default configuration of sessions that were given none.

    With proxies, though none: where there are not any, upstream looks for them in `os.environ`.
    """
    return AioConfig(http_session_cls=HttpSession, proxies={})

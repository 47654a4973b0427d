"""A session's aiobotocore session on one event loop: our files, settings and environment in it."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from aiobotocore import __version__ as aiobotocore_version
from aiobotocore import retryhandler
from aiobotocore.config import AioConfig
from aiobotocore.context import with_current_context
from aiobotocore.credentials import AioCredentials
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from botocore import UNSIGNED, translate
from botocore import __version__ as botocore_version
from botocore.configprovider import ConfiguredEndpointProvider
from botocore.context import get_context
from botocore.exceptions import PartialCredentialsError
from botocore.hooks import first_non_none_response
from botocore.plugin import (
    PluginContext,
    get_plugin_context,
    reset_plugin_context,
    set_plugin_context,
)
from botocore.useragent import register_feature_id

from asession._aws.catalogue import Catalogue
from asession._aws.chain import Identify, Resolver, token_resolver
from asession._aws.creation import ClientCreator
from asession._aws.environ import RegionProvider, SmartDefaults, follow
from asession._aws.handlers import builtin_events
from asession._aws.http_session import HttpSession, tls_settings
from asession._aws.parsing import ParserFactory
from asession._aws.proxies import environ_proxies
from asession._aws.service import Service
from asession._aws.store import SettingsStore
from asession._aws.useragent import UserAgent
from asession._http.tls import ssl_context
from asession._http.transport import Transport
from asession._once import Once
from asession._options import SessionOptions
from asession._profiles.snapshot import ProfileSnapshot
from asession._runtime.loops import current_backend
from asession._runtime.turns import turn
from asession._settings.profile import Profile
from asession._settings.settings import Resolution, Settings
from asession._version import __version__

_logger = logging.getLogger("asession.session")


class AwsSession(AioSession):
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
        # The services that its handlers may change: by what they were made from, and by whom.
        self._private = private
        super().__init__(event_hooks=copy.copy(builtin_events()), include_builtin_handlers=False)
        self._config = resolution.snapshot.full_config()
        self._scoped = self._config["profiles"].get(resolution.profile.section, {})
        self._credentials: Any = None
        self.has_credentials = True
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

    # -- what upstream's constructor asks for -------------------------------------------------

    def _set_user_agent_for_session(self) -> None:
        self.user_agent_name = "asession"
        self.user_agent_version = __version__
        self.user_agent_extra = f"aiobotocore/{aiobotocore_version} botocore/{botocore_version}"

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
        return _plain_config() if config is None else _plain_config().merge(config)

    def get_scoped_config(self) -> Any:
        return self._scoped

    def user_agent(self) -> str:
        return f"{self.user_agent_name}/{self.user_agent_version} {self.user_agent_extra}"

    def _add_configured_endpoint_provider(self, client_name: str, config_store: Any) -> None:
        config_store.set_config_provider(
            "endpoint_url",
            ConfiguredEndpointProvider(
                full_config=self.full_config,
                scoped_config=self._scoped,
                client_name=client_name,
                environ=self.environ,
            ),
        )

    def _register_client_plugins(self, client: Any) -> None:
        context = get_plugin_context()
        if context is not None and context.plugins == "DISABLED":
            return
        plugins = self.environ.get("BOTOCORE_EXPERIMENTAL__PLUGINS") or "DISABLED"
        token = set_plugin_context(PluginContext(plugins=plugins))
        try:
            super()._register_client_plugins(client)
        finally:
            reset_plugin_context(token)

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

    # -- clients ------------------------------------------------------------------------------

    @with_current_context()  # type: ignore[untyped-decorator]
    async def _create_client(
        self,
        service_name: str,
        region_name: str | None = None,
        api_version: str | None = None,
        use_ssl: bool = True,
        verify: bool | str | None = None,
        endpoint_url: str | None = None,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        config: Any = None,
        aws_account_id: str | None = None,
    ) -> Any:
        # Clients that upstream makes for itself (STS, SSO, sign-in) pass here too.
        self._check_backend(config)
        default = self.get_default_client_config()
        merged = default if config is None else default.merge(config)
        region_name = self._resolve_region_name(region_name, merged)
        service = await self.service(service_name, api_version)
        credentials = None
        if merged.signature_version is not UNSIGNED:
            credentials = self._given(
                aws_access_key_id, aws_secret_access_key, aws_session_token, aws_account_id
            )
            if credentials is None:
                credentials = await self.get_credentials()
        if getattr(credentials, "method", None) == "explicit":
            register_feature_id("CREDENTIALS_CODE")
        store = await self._store_of(service_name, merged, region_name)
        creator = ClientCreator(
            service,
            loader=self.catalogue.loader,
            endpoint_resolver=self.catalogue.endpoint_resolver,
            user_agent=self.user_agent(),
            event_emitter=self._events,
            retry_handler_factory=retryhandler,
            retry_config_translator=translate,
            response_parser_factory=self.get_component("response_parser_factory"),
            config_store=store,
            user_agent_creator=self._user_agent_creator(),
            auth_token_resolver=self.get_auth_token,
        )
        await turn()
        client = await creator.create_client(
            service_name=service_name,
            region_name=region_name,
            is_secure=use_ssl,
            endpoint_url=self.options.endpoint_url if endpoint_url is None else endpoint_url,
            verify=self._verify() if verify is None else verify,
            credentials=credentials,
            scoped_config=self._scoped,
            client_config=merged,
            api_version=api_version,
            auth_token=self.get_auth_token(),
        )
        monitor = self._get_internal_component("monitor")
        if monitor is not None:
            monitor.register(client.meta.events)
        self._register_client_plugins(client)
        self._connect(client, config)
        return client

    def _given(
        self, key: str | None, secret: str | None, token: str | None, account_id: str | None
    ) -> AioCredentials | None:
        """The credentials given for one client, if any were."""
        missing = self._missing_cred_vars(key, secret)
        if missing:
            raise PartialCredentialsError(provider="explicit", cred_var=missing)
        if key is not None:
            return AioCredentials(key, secret, token, account_id=account_id)
        ignored = self._get_ignored_credentials(token, account_id)
        if ignored:
            _logger.debug("ignored without an access key and its secret: %s", ignored)
        return None

    async def _store_of(
        self, service_name: str, config: AioConfig, region_name: str | None
    ) -> SettingsStore:
        """The configuration variables of one client."""
        store: SettingsStore = copy.copy(self.get_component("config_store"))
        mode = self._resolve_defaults_mode(config, store)
        if mode != "legacy":
            factory = self._get_internal_component("smart_defaults_factory")
            await factory.merge_smart_defaults(store, mode, region_name)
        self._add_configured_endpoint_provider(service_name, store)
        return store

    def _user_agent_creator(self) -> UserAgent:
        creator: UserAgent = self.get_component("user_agent_creator")
        creator.set_session_config(
            session_user_agent_name=self.user_agent_name,
            session_user_agent_version=self.user_agent_version,
            session_user_agent_extra=self.user_agent_extra,
        )
        creator.set_client_features(get_context().features)
        return creator

    def _verify(self) -> Any:
        bundle = self.get_config_variable("ca_bundle")
        return self.environ.get("REQUESTS_CA_BUNDLE", True) if bundle is None else bundle

    def _check_backend(self, config: Any) -> None:
        chosen = getattr(config, "http_session_cls", None) or AIOHTTPSession
        explicit = "http_session_cls" in getattr(config, "_user_provided_options", {})
        if not explicit:
            chosen = self.get_default_client_config().http_session_cls
        if current_backend() == "trio" and issubclass(chosen, AIOHTTPSession):
            raise ValueError(
                "config=: AIOHTTPSession runs on asyncio alone; leave http_session_cls out, or "
                "choose one that runs on trio"
            )

    def _connect(self, client: Any, config: Any) -> None:
        """Give a new client its way out: our transport, and the session's own proxies."""
        http_session = client._endpoint.http_session
        if isinstance(http_session, HttpSession):
            http_session.attach(self._transport)
        if all(given is None or given.proxies is None for given in (config, self.options.config)):
            client.meta.config.proxies = None
            # A class of the user's own may keep its proxies elsewhere.
            proxy_config = getattr(http_session, "_proxy_config", None)
            if proxy_config is not None:
                proxy_config._proxies = environ_proxies(client.meta.endpoint_url, self.environ)

    # -- models -------------------------------------------------------------------------------

    async def service(self, service_name: str, api_version: str | None = None) -> Service:
        """What a client of the service is made from: shared, unless handlers may change it.

        Raises:
            botocore.exceptions.UnknownServiceError: There is no such service.
        """
        answers = await self._events.emit("choose-service-name", service_name=service_name)
        service_name = first_non_none_response(answers, default=service_name)
        if api_version is None:
            api_version = (self.get_config_variable("api_versions") or {}).get(service_name)
        shared = await self.catalogue.service(service_name, api_version)
        if self._events.handlers == self._own_handlers:
            return shared
        loaded = self._events.handlers_of(f"service-data-loaded.{service_name}")
        key = (shared, *loaded)
        private = self._private.get(key)
        if private is None:
            data = await self.get_service_data(service_name, api_version) if loaded else None
            private = self._private.setdefault(key, shared.private(data))
        return private

    async def warm_up(self, services: Iterable[str]) -> None:
        """Make what clients of these services are made from, and their TLS context."""
        await ssl_context(tls_settings(self._verify()))
        for service_name in services:
            service = await self.service(service_name)
            await service.client_class(self._events)

    async def get_service_data(self, service_name: str, api_version: str | None = None) -> Any:
        """A service's model: a private copy, because handlers may change it."""
        data = await self.catalogue.private_service_model(service_name, api_version)
        await self._events.emit(
            f"service-data-loaded.{service_name}",
            service_data=data,
            service_name=service_name,
            session=self,
        )
        return data


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

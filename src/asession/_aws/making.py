"""The making of clients: from a session's settings, a shared service and given arguments."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from aiobotocore import retryhandler
from aiobotocore.config import AioConfig
from aiobotocore.context import with_current_context
from aiobotocore.credentials import AioCredentials
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from botocore import UNSIGNED, translate
from botocore.configprovider import ConfiguredEndpointProvider
from botocore.context import get_context
from botocore.exceptions import ParamValidationError, PartialCredentialsError
from botocore.hooks import first_non_none_response
from botocore.plugin import (
    PluginContext,
    get_plugin_context,
    reset_plugin_context,
    set_plugin_context,
)
from botocore.useragent import register_feature_id

from asession._aws.attempts import Endpoint
from asession._aws.catalogue import Catalogue
from asession._aws.creation import ClientCreator
from asession._aws.emitter import EventEmitter
from asession._aws.http_session import HttpSession, tls_settings
from asession._aws.proxies import environ_proxies
from asession._aws.service import Service
from asession._aws.store import SettingsStore
from asession._aws.trie import HandlerTrie
from asession._aws.useragent import UserAgent
from asession._http.tls import ssl_context
from asession._http.transport import Transport
from asession._logging import log
from asession._options import SessionOptions
from asession._runtime.loops import current_backend
from asession._runtime.turns import turn
from asession.observe.reporting import Reporter

_logger = logging.getLogger("asession.session")


def check_connector_args(config: Any) -> None:
    """Refuse options of aiohttp's connector where asession's transport is in use.

    Upstream speaks of Httpx for some of them and passes others on to a transport that would not
    look at them.

    Args:
        config: A client configuration, or `None`.

    Raises:
        botocore.exceptions.ParamValidationError: It has some.
    """
    for name in sorted(_OF_AIOHTTP & (getattr(config, "connector_args", None) or {}).keys()):
        instead = (
            "give verify= (a CA bundle) or Config(client_cert=...)"
            if name == "ssl_context"
            else "leave it out"
        )
        raise ParamValidationError(
            report=f"connector_args[{name!r}] is an option of aiohttp's connector, which asession "
            f"does not use: {instead}, or have aiohttp, on asyncio, with "
            "AioConfig(http_session_cls=aiobotocore.httpsession.AIOHTTPSession, ...)"
        )


_OF_AIOHTTP = {
    "force_close",
    "resolver",
    "socket_factory",
    "ssl_context",
    "ttl_dns_cache",
    "use_dns_cache",
}


class ClientMaker(AioSession):
    """The part of `AwsSession` that makes clients, and what they are made from.

    Lives as long as the session; whoever asks for a client closes it.
    """

    options: SessionOptions
    environ: Mapping[str, str]
    catalogue: Catalogue
    _events: EventEmitter
    # Those that it began with, which change no model.
    _own_handlers: HandlerTrie
    # The services that its handlers may change: by what they were made from, and by whom.
    _private: dict[Any, Service]
    _scoped: Any
    _transport: Transport

    @property
    def reporter(self) -> Reporter:
        """Where the session's parts report what happens."""
        return self._transport.reporter

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
            log(
                _logger,
                logging.DEBUG,
                "client.arguments_ignored",
                "ignored without an access key and its secret: %(ignored)s",
                ignored=", ".join(ignored),
            )
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
        """Refuse what the HTTP class that will be in use cannot do.

        Raises:
            ValueError: It does not run on this event loop.
            botocore.exceptions.ParamValidationError: It has no such options.
        """
        chosen = getattr(config, "http_session_cls", None) or AIOHTTPSession
        explicit = "http_session_cls" in getattr(config, "_user_provided_options", {})
        if not explicit:
            chosen = self.get_default_client_config().http_session_cls
        if current_backend() == "trio" and issubclass(chosen, AIOHTTPSession):
            raise ValueError(
                "config=: AIOHTTPSession runs on asyncio alone; leave http_session_cls out, or "
                "choose one that runs on trio"
            )
        if issubclass(chosen, HttpSession):
            check_connector_args(config)

    def _connect(self, client: Any, config: Any) -> None:
        """Give a new client its way out: our transport, and the session's own proxies."""
        http_session = client._endpoint.http_session
        if isinstance(http_session, HttpSession):
            http_session.attach(self._transport)
        if isinstance(client._endpoint, Endpoint):
            client._endpoint.report_to(self.reporter, client.meta.region_name)
        if all(given is None or given.proxies is None for given in (config, self.options.config)):
            client.meta.config.proxies = None
            # A class of the user's own may keep its proxies elsewhere.
            proxy_config = getattr(http_session, "_proxy_config", None)
            if proxy_config is not None:
                proxy_config._proxies = environ_proxies(client.meta.endpoint_url, self.environ)

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

"""A session's aiobotocore session on one event loop: our files, settings and environment in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiobotocore import __version__ as aiobotocore_version
from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from botocore import __version__ as botocore_version
from botocore.configprovider import (
    BaseProvider,
    ChainProvider,
    ConfiguredEndpointProvider,
    ConfigValueStore,
    ConstantProvider,
    InstanceVarProvider,
    SectionConfigProvider,
)
from botocore.handlers import add_recursion_detection_header
from botocore.plugin import (
    PluginContext,
    get_plugin_context,
    reset_plugin_context,
    set_plugin_context,
)
from botocore.tokens import ScopedEnvTokenProvider, TokenProviderChain

from asession._aws import uploads
from asession._aws.catalogue import Catalogue
from asession._aws.chain import CustomChain, default_chain, sso_token_cache
from asession._aws.creation import mix_in_parts
from asession._aws.emitter import EventEmitter
from asession._aws.environ import RegionProvider, SmartDefaults, trace_header
from asession._aws.http_session import HttpSession
from asession._aws.parsing import ParserFactory
from asession._aws.providers import Ask, SSOTokenProvider, role_cache
from asession._aws.proxies import environ_proxies
from asession._aws.useragent import UserAgent
from asession._aws.variables import SECTIONS, VARIABLES
from asession._http.transport import Transport
from asession._once import Once
from asession._options import SessionOptions
from asession._profiles.snapshot import ProfileSnapshot
from asession._runtime.loops import current_backend
from asession._settings.profile import Profile
from asession._settings.settings import Resolution, Settings
from asession._version import __version__


class SettingProvider(BaseProvider):
    """Answers botocore from our settings, unless only a default is in force."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings = settings
        self._name = name

    def provide(self) -> Any:
        resolved = self._settings[self._name]
        return None if resolved.origin.kind == "default" else resolved.value

    def __deepcopy__(self, memo: Any) -> SettingProvider:
        return self

    def __repr__(self) -> str:
        return f"SettingProvider({self._name!r})"


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
        ask: Ask,
    ) -> None:
        # Before upstream's constructor, which calls the `_register_...` methods below.
        self.options = options
        self.environ: Mapping[str, str] = resolution.environ
        self.snapshot: ProfileSnapshot = resolution.snapshot
        self.settings: Settings = resolution.settings
        self.profile_in_force: Profile = resolution.profile
        self.catalogue = catalogue
        self._transport = transport
        self._ask = ask
        super().__init__(event_hooks=EventEmitter())
        self.register("creating-client-class", mix_in_parts, unique_id="asession-parts")
        self._config = resolution.snapshot.full_config()
        self._scoped = self._config["profiles"].get(resolution.profile.section, {})
        self._credentials: Any = None
        self._loading = Once(self._load_credentials)
        self.set_default_client_config(self._default_config())
        if options.has_keys:
            self.set_credentials(
                options.aws_access_key_id,
                options.aws_secret_access_key,
                options.aws_session_token,
                options.aws_account_id,
            )

    # -- what upstream's constructor asks for -------------------------------------------------

    def _set_user_agent_for_session(self) -> None:
        self.user_agent_name = "asession"
        self.user_agent_version = __version__
        self.user_agent_extra = f"aiobotocore/{aiobotocore_version} botocore/{botocore_version}"

    def _register_builtin_handlers(self, events: Any) -> None:
        super()._register_builtin_handlers(events)
        events.unregister("before-call", add_recursion_detection_header)
        events.register("before-call", trace_header(self.environ))
        uploads.register(events)

    def _register_data_loader(self) -> None:
        self._components.register_component("data_loader", self.catalogue.loader)

    def _register_endpoint_resolver(self) -> None:
        self._internal_components.lazy_register_component(
            "endpoint_resolver", lambda: self.catalogue.endpoint_resolver
        )

    def _register_response_parser_factory(self) -> None:
        self._components.register_component("response_parser_factory", ParserFactory())

    def _register_config_store(self) -> None:
        mapping = {name: self._chain(name) for name in VARIABLES if "." not in name}
        for section, names in SECTIONS.items():
            chains = {name: self._chain(f"{section}.{name}") for name in names}
            mapping[section] = SectionConfigProvider(section, self, chains)
        self._components.register_component("config_store", ConfigValueStore(mapping=mapping))

    def _chain(self, name: str) -> ChainProvider:
        variable = VARIABLES[name]
        providers: list[BaseProvider] = [
            InstanceVarProvider(name, self),
            SettingProvider(self.settings, name),
        ]
        if variable.default is not None:
            convert = variable.convert or (lambda value: value)
            # Last and constant, so that `defaults_mode` can put its own default in its place.
            providers.append(ConstantProvider(convert(variable.default)))
        return ChainProvider(providers)

    def _register_user_agent_creator(self) -> None:
        creator = UserAgent.from_environment()
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
        config = AioConfig(http_session_cls=HttpSession)
        if self.options.config is not None:
            config = config.merge(self.options.config)
        return config

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
        if self.options.credentials is not None:
            return CustomChain(self.options.credentials)
        cache = role_cache(self.options.credential_cache, self.environ)
        return default_chain(self, ask=self._ask, cache=cache)

    def _create_token_resolver(self) -> Any:
        return TokenProviderChain(
            providers=[
                ScopedEnvTokenProvider(self, environ=self.environ),
                SSOTokenProvider(
                    self,
                    cache=sso_token_cache(self.environ),
                    profile_name=self.profile_in_force.section,
                ),
            ]
        )

    async def _load_credentials(self) -> Any:
        return await self._components.get_component("credential_provider").load_credentials()

    async def get_credentials(self) -> Any:
        """The credentials, loaded once however many ask; `None` if no source has any."""
        if self._credentials is None:
            self._credentials = await self._loading.get()
            if self._credentials is None:  # not remembered: the next call looks again
                self._loading = Once(self._load_credentials)
        return self._credentials

    # -- clients ------------------------------------------------------------------------------

    async def _create_client(self, service_name: str, *args: Any, **kwargs: Any) -> Any:
        # Clients that upstream makes for itself (STS, SSO, sign-in) pass here too.
        options = self.options
        named = dict(zip(("region_name", "api_version", "use_ssl", "verify"), args, strict=False))
        kwargs = {**named, **kwargs}
        if kwargs.get("endpoint_url") is None:
            kwargs["endpoint_url"] = options.endpoint_url
        if kwargs.get("verify") is None:
            kwargs["verify"] = self._verify()
        version = kwargs.get("api_version")
        if version is None:
            version = (self.get_config_variable("api_versions") or {}).get(service_name)
        self._check_backend(kwargs.get("config"))
        await self.catalogue.warm_up(service_name, version)
        client = await super()._create_client(service_name, **kwargs)
        self._use_own_proxies(client, kwargs.get("config"))
        http_session = client._endpoint.http_session
        if isinstance(http_session, HttpSession):
            http_session.attach(self._transport)
        return client

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

    def _use_own_proxies(self, client: Any, config: Any) -> None:
        for given in (config, self.get_default_client_config()):
            if given is not None and given.proxies is not None:
                return
        proxies = environ_proxies(client.meta.endpoint_url, self.environ)
        # A class of the user's own may keep its proxies elsewhere.
        proxy_config = getattr(client._endpoint.http_session, "_proxy_config", None)
        if proxy_config is not None:
            proxy_config._proxies = proxies

    # -- models -------------------------------------------------------------------------------

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

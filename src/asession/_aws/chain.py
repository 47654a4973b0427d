"""aiobotocore's credential providers, one for each source; others decide who asks them when."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from aiobotocore.credentials import (
    AioCanonicalNameCredentialSourcer,
    AioConfigProvider,
    AioProfileProviderBuilder,
    AioSharedCredentialProvider,
    AnyioEnvProvider,
    AnyioInstanceMetadataProvider,
    _get_client_creator,
)
from aiobotocore.utils import AnyioContainerMetadataFetcher, AnyioInstanceMetadataFetcher
from botocore.credentials import _DEFAULT_ADVISORY_REFRESH_TIMEOUT
from botocore.tokens import ScopedEnvTokenProvider, TokenProviderChain, _sso_json_dumps
from botocore.utils import resolve_imds_endpoint_mode

from asession._aws.caches import FileCache
from asession._aws.exchanges import Prepared, prepared
from asession._aws.http_session import MetadataSession
from asession._aws.local_providers import (
    BotoFileProvider,
    ContainerProvider,
    EC2FileProvider,
    ProcessProvider,
)
from asession._aws.providers import (
    Ask,
    LoginProvider,
    RoleProvider,
    SSOProvider,
    SSOTokenProvider,
    WebIdentityProvider,
    cache_directory,
)
from asession._aws.proxies import environ_proxies
from asession._profiles.paths import expand
from asession._profiles.snapshot import ProfileSnapshot

if TYPE_CHECKING:
    from asession._aws.session import AwsSession

Identify = Callable[["AwsSession"], Awaitable[Any]]
"""Makes the credentials of a session: `select` looks for a source, clients sign with the rest."""

Prepare = Callable[[], Awaitable[Prepared | None]]
Offer = Callable[[str, str, Prepare], Awaitable[Any]]
"""Takes a source's name, its profile and how to prepare it; returns credentials for it, or `None`.

They are objects with an awaitable `get_frozen_credentials`, shared with whoever asks the same.
"""

_OFFERED = frozenset(
    {
        "assume-role",
        "assume-role-with-web-identity",
        "sso",
        "login",
        "custom-process",
        "container-role",
        "iam-role",
    }
)
# What these hold when they are loaded may be old: it comes from a file.
_OLD = frozenset({"login"})


class Providers:
    """The providers of one session, made when they are asked for.

    Lives as long as the session's credentials; nothing needs closing.

    Args:
        session: The session they belong to.
        snapshot: The profile files as they are now.
        ask: Called with the serial of an MFA device, returns a code.
        cache: Where credentials of roles are kept.
        offer: Takes the sources of roles.
    """

    def __init__(
        self,
        session: AwsSession,
        *,
        snapshot: ProfileSnapshot,
        ask: Ask,
        cache: Any,
        offer: Offer,
    ) -> None:
        self._session = session
        self._snapshot = snapshot
        self._ask = ask
        self._cache = cache
        self._offer = offer
        full = session.full_config if snapshot is session.snapshot else snapshot.full_config()
        self._full_config: dict[str, Any] = full
        self.region_name: str | None = session._last_client_region_used

    async def prepare(self, source: str) -> Prepared | None:
        """Ask a source of the profile in force; `None` if it has nothing.

        Args:
            source: botocore's name of it.

        Raises:
            botocore.exceptions.BotoCoreError: It is configured in a wrong way, or fails.
        """
        profile = self._session.profile_in_force
        provider = self._provider(source, profile.section, profile.origin.kind == "argument")
        return await _ask(provider)

    def _provider(self, source: str, profile: str, explicit: bool) -> Any:
        environ = self._session.environ
        if source == "assume-role":
            return self._role(profile, ())
        if source == "env":
            return AnyioEnvProvider(environ=environ)
        if source == "container-role":
            return self._container()
        if source == "iam-role":
            return self._instance()
        if source == "ec2-credentials-file":
            return EC2FileProvider(environ=environ)
        if source == "boto-config":
            boto = BotoFileProvider(environ=environ)
            boto.DEFAULT_CONFIG_FILENAMES = ["/etc/boto.cfg", expand("~/.boto", environ)]
            return boto
        builder = self._builder()
        every = builder.own_providers(profile, disable_env_vars=explicit)
        return next(provider for provider in every if source == provider.METHOD)

    def _builder(self) -> _ProfileProviders:
        environ = self._session.environ
        return _ProfileProviders(
            self._session,
            full_config=self._full_config,
            snapshot=self._snapshot,
            offered=self.offered,
            cache=self._cache,
            region_name=self.region_name,
            sso_token_cache=sso_token_cache(environ),
            login_token_cache=FileCache(_login_directory(environ)),
        )

    def offered(self, provider: Any, profile: str) -> Any:
        """A provider whose credentials are shared, in place of one that asks for itself."""
        return _Offered(provider, profile, self._offer) if provider.METHOD in _OFFERED else provider

    def _role(self, profile: str, seen: tuple[str, ...]) -> RoleProvider:
        environ = self._session.environ
        sources = [AnyioEnvProvider(environ=environ), self._container(), self._instance()]
        return RoleProvider(
            ask=self._ask,
            nested=self._nested_role,
            seen=seen,
            load_config=lambda: self._full_config,
            client_creator=_get_client_creator(self._session, self.region_name),
            cache=self._cache,
            profile_name=profile,
            credential_sourcer=AioCanonicalNameCredentialSourcer(
                [self.offered(source, "") for source in sources]
            ),
            profile_provider_builder=self._builder(),
        )

    async def _nested_role(self, profile: str, seen: tuple[str, ...]) -> Any:
        async def prepare() -> Prepared | None:
            return await _ask(self._role(profile, seen))

        return await self._offer("assume-role", profile, prepare)

    def _container(self) -> ContainerProvider:
        return ContainerProvider(
            environ=self._session.environ,
            fetcher=AnyioContainerMetadataFetcher(
                session=MetadataSession(timeout=AnyioContainerMetadataFetcher.TIMEOUT_SECONDS)
            ),
        )

    def _instance(self) -> AnyioInstanceMetadataProvider:
        return AnyioInstanceMetadataProvider(iam_role_fetcher=_metadata_fetcher(self._session))


async def _ask(provider: Any) -> Prepared | None:
    return prepared(await provider.load(), deferred=provider.METHOD in _OLD)


class _Offered:
    """A provider, as a source of roles, whose credentials are shared.

    Lives for one load of a role; nothing needs closing.
    """

    def __init__(self, provider: Any, profile: str, offer: Offer) -> None:
        self.METHOD: str = provider.METHOD
        self.CANONICAL_NAME: str | None = provider.CANONICAL_NAME
        self._provider = provider
        self._profile = profile
        self._offer = offer

    async def load(self) -> Any:
        """The shared credentials, or `None`."""
        return await self._offer(self.METHOD, self._profile, lambda: _ask(self._provider))


class _ProfileProviders(AioProfileProviderBuilder):
    """Builds the sources that a profile configures, for it and for its source profiles."""

    _session: AwsSession

    def __init__(
        self,
        session: AwsSession,
        *,
        full_config: dict[str, Any],
        snapshot: ProfileSnapshot,
        offered: Callable[[Any, str], Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(session, **kwargs)
        self._full_config = full_config
        self._snapshot = snapshot
        self._offered = offered

    def providers(self, profile_name: str, disable_env_vars: bool = False) -> list[Any]:
        own = self.own_providers(profile_name, disable_env_vars)
        return [self._offered(provider, profile_name) for provider in own]

    def own_providers(self, profile_name: str, disable_env_vars: bool) -> list[Any]:
        """The providers of a profile that ask for themselves."""
        return super().providers(profile_name, disable_env_vars)  # type: ignore[no-any-return]

    def _config(self) -> Any:
        return self._full_config

    def _create_web_identity_provider(self, profile_name: str, disable_env_vars: bool) -> Any:
        return WebIdentityProvider(
            environ=self._session.environ,
            load_config=self._config,
            client_creator=_get_client_creator(self._session, self._region_name),
            cache=self._cache,
            profile_name=profile_name,
            disable_env_vars=disable_env_vars,
        )

    def _create_sso_provider(self, profile_name: str) -> Any:
        return SSOProvider(
            load_config=self._config,
            client_creator=self._session.create_client,
            profile_name=profile_name,
            cache=self._cache,
            token_cache=self._sso_token_cache,
            token_provider=SSOTokenProvider(
                self._session, cache=self._sso_token_cache, profile_name=profile_name
            ),
        )

    def _create_shared_credential_provider(self, profile_name: str) -> Any:
        snapshot = self._snapshot
        return AioSharedCredentialProvider(
            profile_name=profile_name,
            creds_filename=self._session.get_config_variable("credentials_file"),
            ini_parser=lambda _path: snapshot.credentials_only(),
        )

    def _create_login_provider(self, profile_name: str) -> Any:
        return LoginProvider(
            load_config=self._config,
            client_creator=self._session.create_client,
            profile_name=profile_name,
            token_cache=self._login_token_cache,
        )

    def _create_process_provider(self, profile_name: str) -> Any:
        return ProcessProvider(
            environ=self._session.environ, profile_name=profile_name, load_config=self._config
        )

    def _create_config_provider(self, profile_name: str) -> Any:
        snapshot = self._snapshot
        return AioConfigProvider(
            profile_name=profile_name,
            config_filename=self._session.get_config_variable("config_file"),
            config_parser=lambda _path: snapshot.config_only(),
        )


def token_resolver(session: AwsSession) -> TokenProviderChain:
    """The sources of bearer tokens: the environment, then an SSO session."""
    environ = session.environ
    return TokenProviderChain(
        providers=[
            ScopedEnvTokenProvider(session, environ=environ),
            SSOTokenProvider(
                session,
                cache=sso_token_cache(environ),
                profile_name=session.profile_in_force.section,
            ),
        ]
    )


class Resolver:
    """The session's component that upstream and plugins ask for credentials."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    async def load_credentials(self) -> Any:
        """The session's credentials."""
        return await self._session.get_credentials()


def sso_token_cache(environ: Mapping[str, str]) -> FileCache:
    """The tokens that `aws sso login` keeps."""
    return FileCache(cache_directory(environ, "sso", "cache"), dumps=_sso_json_dumps)


def _login_directory(environ: Mapping[str, str]) -> str:
    directory = environ.get("AWS_LOGIN_CACHE_DIRECTORY")
    return expand(directory, environ) if directory else cache_directory(environ, "login", "cache")


def _metadata_fetcher(session: AwsSession) -> AnyioInstanceMetadataFetcher:
    timeout = session.get_config_variable("metadata_service_timeout")
    http_session = MetadataSession(timeout=timeout)
    fetcher = AnyioInstanceMetadataFetcher(
        timeout=timeout,
        num_attempts=session.get_config_variable("metadata_service_num_attempts"),
        user_agent=session.user_agent(),
        env=session.environ,
        session=http_session,
        config={
            "ec2_metadata_service_endpoint": session.get_config_variable(
                "ec2_metadata_service_endpoint"
            ),
            "ec2_metadata_service_endpoint_mode": resolve_imds_endpoint_mode(session),
            "ec2_credential_refresh_window": _DEFAULT_ADVISORY_REFRESH_TIMEOUT,
            "ec2_metadata_v1_disabled": session.get_config_variable("ec2_metadata_v1_disabled"),
        },
    )
    proxies = environ_proxies(fetcher.get_base_url(), session.environ)
    http_session._proxy_config._proxies = proxies
    return fetcher

"""The chain of credential sources: botocore's order, written down once."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiobotocore.credentials import (
    AioCanonicalNameCredentialSourcer,
    AioConfigProvider,
    AioCredentialResolver,
    AioCredentials,
    AioProfileProviderBuilder,
    AioSharedCredentialProvider,
    AnyioEnvProvider,
    AnyioInstanceMetadataProvider,
    AnyioRefreshableCredentials,
    _get_client_creator,
)
from aiobotocore.utils import AnyioContainerMetadataFetcher, AnyioInstanceMetadataFetcher
from botocore.credentials import _DEFAULT_ADVISORY_REFRESH_TIMEOUT
from botocore.exceptions import CredentialRetrievalError
from botocore.tokens import _sso_json_dumps
from botocore.utils import resolve_imds_endpoint_mode

from asession._aws.caches import FileCache
from asession._aws.http_session import MetadataSession
from asession._aws.providers import (
    Ask,
    BotoFileProvider,
    ContainerProvider,
    EC2FileProvider,
    LoginProvider,
    ProcessProvider,
    RoleProvider,
    SSOProvider,
    SSOTokenProvider,
    WebIdentityProvider,
    cache_directory,
)
from asession._aws.proxies import environ_proxies
from asession._profiles.paths import expand

if TYPE_CHECKING:
    from asession._aws.session import AwsSession


class _ProfileProviders(AioProfileProviderBuilder):
    """Builds the sources that a profile configures, for it and for its source profiles."""

    _session: AwsSession

    def _config(self) -> Any:
        return self._session.full_config

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
        snapshot = self._session.snapshot
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
        snapshot = self._session.snapshot
        return AioConfigProvider(
            profile_name=profile_name,
            config_filename=self._session.get_config_variable("config_file"),
            config_parser=lambda _path: snapshot.config_only(),
        )


def default_chain(session: AwsSession, *, ask: Ask, cache: Any) -> AioCredentialResolver:
    """All sources in botocore's order.

    Args:
        session: The session they belong to.
        ask: Called with the serial of an MFA device, returns a code.
        cache: Where credentials of roles are kept.
    """
    environ = session.environ
    profile = session.profile_in_force
    region = session._last_client_region_used
    env = AnyioEnvProvider(environ=environ)
    container = ContainerProvider(
        environ=environ,
        fetcher=AnyioContainerMetadataFetcher(
            session=MetadataSession(timeout=AnyioContainerMetadataFetcher.TIMEOUT_SECONDS)
        ),
    )
    instance = AnyioInstanceMetadataProvider(iam_role_fetcher=_metadata_fetcher(session))
    builder = _ProfileProviders(
        session,
        cache=cache,
        region_name=region,
        sso_token_cache=sso_token_cache(environ),
        login_token_cache=FileCache(_login_directory(environ)),
    )
    role = RoleProvider(
        ask=ask,
        load_config=lambda: session.full_config,
        client_creator=_get_client_creator(session, region),
        cache=cache,
        profile_name=profile.section,
        credential_sourcer=AioCanonicalNameCredentialSourcer([env, container, instance]),
        profile_provider_builder=builder,
    )
    # A profile given as an argument goes before keys in the environment; AWS_PROFILE does not.
    explicit = profile.origin.kind == "argument"
    boto = BotoFileProvider(environ=environ)
    boto.DEFAULT_CONFIG_FILENAMES = ["/etc/boto.cfg", expand("~/.boto", environ)]
    return AioCredentialResolver(
        providers=[
            *([] if explicit else [env]),
            role,
            *builder.providers(profile_name=profile.section, disable_env_vars=explicit),
            EC2FileProvider(environ=environ),
            boto,
            container,
            instance,
        ]
    )


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


class CustomChain:
    """The sources a user gave as `credentials=`, instead of all others."""

    def __init__(self, given: Any) -> None:
        self._sources = given if isinstance(given, list | tuple) else [given]

    async def load_credentials(self) -> Any:
        """The first credentials that a source has, or `None`."""
        for source in self._sources:
            found = await _ask(source)
            if found is not None:
                return _bridge(found, source)
        return None


async def _ask(source: Any) -> Any:
    if _is_value(source):
        return source
    load = getattr(source, "load", source)
    found = load()
    if inspect.isawaitable(found):
        found = await found
    if found is not None and not _is_value(found):
        raise CredentialRetrievalError(
            provider=_name(source),
            error_msg=f"it returned {type(found).__name__}, not asession.Credentials or None",
        )
    return found


def _is_value(source: Any) -> bool:
    return hasattr(source, "access_key") and hasattr(source, "secret_key")


def _name(source: Any) -> str:
    return getattr(source, "__name__", None) or type(source).__name__


def _bridge(found: Any, source: Any) -> Any:
    account_id = getattr(found, "account_id", None)
    expires_at: datetime | None = getattr(found, "expires_at", None)
    if expires_at is None or _is_value(source):
        return AioCredentials(
            found.access_key,
            found.secret_key,
            found.token,
            method=getattr(found, "method", None) or "custom",
            account_id=account_id,
        )

    async def refresh() -> dict[str, Any]:
        again = await _ask(source)
        if again is None:
            raise CredentialRetrievalError(
                provider=_name(source), error_msg="it has no credentials any more"
            )
        return {
            "access_key": again.access_key,
            "secret_key": again.secret_key,
            "token": again.token,
            "expiry_time": (again.expires_at or datetime.max.replace(tzinfo=UTC)).isoformat(),
            "account_id": again.account_id,
        }

    return AnyioRefreshableCredentials(
        found.access_key,
        found.secret_key,
        found.token,
        expires_at,
        refresh,
        method=getattr(found, "method", None) or "custom",
        account_id=account_id,
    )

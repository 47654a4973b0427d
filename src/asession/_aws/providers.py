"""aiobotocore's credential providers, fed with files read beforehand and the session's environment.

The exchanges (STS, SSO, sign-in, metadata, process) are upstream's; those that stay on this machine
are in `local_providers`. What differs: nothing here opens a file on the event loop's thread or
reads `os.environ`, an MFA code is awaited, and one family of classes, the anyio one, serves both
event loops.
"""

from __future__ import annotations

import _strptime  # type: ignore[import-not-found]  # noqa: F401 - now, not on the event loop
import os
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any

from aiobotocore.credentials import (
    AnyioAssumeRoleProvider,
    AnyioAssumeRoleWithWebIdentityProvider,
    AnyioLoginProvider,
    AnyioSSOProvider,
)
from aiobotocore.tokens import AnyioSSOTokenProvider
from botocore.exceptions import ClientError, CredentialRetrievalError

from asession._aws.caches import FileCache, NoCache, with_caches
from asession._aws.exchanges import is_interruption
from asession._aws.rejection import is_refusal
from asession._once import Flights
from asession._profiles.paths import expand
from asession._runtime.files import read_file

Ask = Callable[[str], Awaitable[str]]
Nested = Callable[[str, tuple[str, ...]], Awaitable[Any]]

# The tokens that are being refreshed on each event loop.
_tokens: Flights[Any] = Flights("asession_sso_tokens")

_code: ContextVar[str | None] = ContextVar("asession_mfa_code", default=None)


class _CodeWanted(Exception):  # noqa: N818 - a signal, not an error
    """Upstream asked for an MFA code in the middle of a sync call."""


class RoleProvider(AnyioAssumeRoleProvider):
    """`role_arn` with `source_profile` or `credential_source`.

    Lives for one load, for it remembers the profiles that it has seen on its way.

    Example:
        [profile app]
        role_arn = arn:aws:iam::123456789012:role/app
        source_profile = dev

    Args:
        ask: Called with the serial of an MFA device, returns a code.
        nested: Gives the credentials of a role that is the source of this one.
        seen: The profiles on the way to this one.
        kwargs: Arguments of upstream's class.
    """

    def __init__(
        self, *, ask: Ask, nested: Nested, seen: tuple[str, ...] = (), **kwargs: Any
    ) -> None:
        super().__init__(prompter=_take_code, **kwargs)
        self._ask = ask
        self._nested = nested
        self._seen = seen

    def _get_role_config(self, profile_name: str) -> Any:
        self._visited_profiles[:0] = self._seen
        return super()._get_role_config(profile_name)

    async def _load_creds_via_assume_role(self, profile_name: str) -> Any:
        if profile_name != self._profile_name:
            seen = [name for name in self._visited_profiles if name != profile_name]
            return await self._nested(profile_name, tuple(seen))
        credentials = await super()._load_creds_via_assume_role(profile_name)
        refresh = credentials._refresh_using
        serial = self._loaded_config["profiles"][profile_name].get("mfa_serial")
        if serial is not None:
            # Upstream's wrapper refuses a second code; ours asks again.
            refresh = self._with_code(refresh.__self__._refresh, serial)
        else:
            refresh = _with_other_keys(refresh, refresh.__self__._source_credentials)
        credentials._refresh_using = with_caches(refresh, self.cache)
        return credentials

    def _with_code(self, refresh: Callable[[], Awaitable[Any]], serial: str) -> Any:
        async def refreshed() -> Any:
            try:
                return await refresh()  # a cached role needs no code
            except _CodeWanted:
                code = await self._ask(serial)
            token = _code.set(code)
            try:
                return await refresh()
            finally:
                _code.reset(token)

        return refreshed


def _with_other_keys(refresh: Callable[[], Awaitable[Any]], source: Any) -> Any:
    """`refresh`, once more if STS refuses the source's keys and the source has others."""

    async def refreshed() -> Any:
        try:
            return await refresh()
        except ClientError as error:
            if not is_refusal(error) or not hasattr(source, "replace"):
                raise
            if not await source.replace(await source.get_frozen_credentials()):
                raise
        return await refresh()

    return refreshed


def _take_code(_prompt: str) -> str:
    code = _code.get()
    if code is None:
        raise _CodeWanted
    return code


class _TokenFile:
    """A web identity token read before upstream, which asks for it in a sync call, needs it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._token: str | None = None

    async def read(self) -> None:
        try:
            self._token = (await read_file(self._path)).decode()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise CredentialRetrievalError(
                provider="assume-role-with-web-identity",
                error_msg=f"cannot read the token file {self._path}: {reason}",
            ) from None

    def __call__(self) -> str:
        assert self._token is not None
        return self._token


class WebIdentityProvider(AnyioAssumeRoleWithWebIdentityProvider):
    """`web_identity_token_file` with `role_arn`, in a profile or the environment.

    Example:
        [profile app]
        role_arn = arn:aws:iam::123456789012:role/app
        web_identity_token_file = /var/run/token
    """

    def __init__(self, *, environ: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(token_loader_cls=self._open_token, **kwargs)
        self._environ = environ
        self._token_file: _TokenFile | None = None

    def _open_token(self, path: str) -> _TokenFile:
        self._token_file = _TokenFile(expand(path, self._environ))
        return self._token_file

    def _get_env_config(self, key: str) -> str | None:
        if self._disable_env_vars:
            return None
        return self._environ.get(self._CONFIG_TO_ENV_VAR.get(key, ""))

    async def load(self) -> Any:
        credentials = await super().load()
        if credentials is not None:
            assert self._token_file is not None
            inner, token_file = credentials._refresh_using, self._token_file

            async def refresh() -> Any:
                await token_file.read()
                return await inner()

            credentials._refresh_using = with_caches(refresh, self.cache)
        return credentials


class SSOTokenProvider(AnyioSSOTokenProvider):
    """The bearer token of an `sso-session`, refreshed.

    A refresh token is good for one exchange: clients and sessions over the same file join in one,
    and who comes later reads what it wrote.
    """

    async def _refresher(self) -> Any:
        sso = self._sso_config
        named = [sso[name] for name in ("session_name", "sso_start_url", "sso_region")]
        key = (self._cache.directory, *named)
        refresh = with_caches(super()._refresher, self._cache)
        return await _tokens.join(key, refresh, is_interruption)


class SSOProvider(AnyioSSOProvider):
    """`sso_account_id` and `sso_role_name`, with `sso_session` or the legacy keys.

    Example:
        [profile dev]
        sso_session = corp
        sso_account_id = 123456789012
        sso_role_name = developer
    """

    async def load(self) -> Any:
        credentials = await super().load()
        if credentials is not None:
            credentials._refresh_using = with_caches(
                credentials._refresh_using, self.cache, self._token_cache
            )
        return credentials


class LoginProvider(AnyioLoginProvider):
    """`login_session`, as `aws login` writes it; needs the `awscrt` package."""

    async def load(self) -> Any:
        credentials = await with_caches(super().load, self._token_cache)()
        if credentials is not None:
            credentials._refresh_using = with_caches(credentials._refresh_using, self._token_cache)
        return credentials


def cache_directory(environ: Mapping[str, str], *parts: str) -> str:
    """A directory of `~/.aws`."""
    return expand(os.path.join("~", ".aws", *parts), environ)


def role_cache(
    choice: str | os.PathLike[str], environ: Mapping[str, str], scope: str
) -> FileCache | NoCache:
    """The cache of role credentials that `credential_cache=` names.

    Args:
        choice: ``"memory"``, ``"cli"`` or a directory.
        environ: The environment variables.
        scope: What tells the sources of roles apart, where not only the AWS CLI's own files count.
    """
    if choice == "memory":
        return NoCache()  # the process keeps the values, by everything that they depend on
    if choice == "cli":
        return FileCache(cache_directory(environ, "cli", "cache"), scope=scope)
    return FileCache(expand(os.fspath(choice), environ), scope=scope)

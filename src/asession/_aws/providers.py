"""aiobotocore's credential providers, fed with files read beforehand and the session's environment.

The exchanges (STS, SSO, sign-in, metadata, process) are upstream's. What differs: nothing here
opens a file on the event loop's thread or reads `os.environ`, an MFA code is awaited, and one
family of classes, the anyio one, serves both event loops.
"""

from __future__ import annotations

import _strptime  # type: ignore[import-not-found]  # noqa: F401 - as open_process below
import json
import os
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any

from aiobotocore.credentials import (
    AioBotoProvider,
    AioOriginalEC2Provider,
    AnyioAssumeRoleProvider,
    AnyioAssumeRoleWithWebIdentityProvider,
    AnyioContainerProvider,
    AnyioLoginProvider,
    AnyioProcessProvider,
    AnyioSSOProvider,
)
from aiobotocore.tokens import AnyioSSOTokenProvider
from anyio import (
    create_task_group,
    fail_after,
    open_process,  # now: at its first use anyio would import it on the event loop
)
from botocore.configloader import raw_config_parse
from botocore.exceptions import ClientError, ConfigNotFound, CredentialRetrievalError
from botocore.utils import parse_key_val_file

from asession._aws.caches import FileCache, NoCache, with_caches
from asession._aws.exchanges import is_interruption
from asession._aws.rejection import is_refusal
from asession._once import Flights
from asession._profiles.paths import expand
from asession._runtime.files import read_file
from asession._runtime.threads import in_thread

Ask = Callable[[str], Awaitable[str]]
Nested = Callable[[str, tuple[str, ...]], Awaitable[Any]]

# As long as the AWS SDK for Go gives a program; one that asks its user for something needs it.
_PROCESS_SECONDS = 60.0

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


class ProcessProvider(AnyioProcessProvider):
    """`credential_process`: a program that prints credentials as JSON; run without a shell."""

    def __init__(self, *, environ: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(popen=self._run, **kwargs)
        self._environ = environ

    async def _retrieve_credentials_using(self, credential_process: str) -> Any:
        try:
            return await super()._retrieve_credentials_using(credential_process)
        except (json.JSONDecodeError, UnicodeDecodeError):
            # JSON's own error carries the whole output, which may be secret.
            raise CredentialRetrievalError(
                provider=self.METHOD, error_msg="what it prints is no JSON"
            ) from None

    async def _run(self, program: str, *args: str, **_: Any) -> _Finished:
        try:
            with fail_after(_PROCESS_SECONDS):
                return await self._finish([program, *args])
        except TimeoutError:
            raise CredentialRetrievalError(
                provider=self.METHOD,
                error_msg=f"{program!r} does not end within {_PROCESS_SECONDS:.0f} s",
            ) from None
        except OSError as error:
            # The arguments stay out of the message: they may be secret.
            raise CredentialRetrievalError(
                provider=self.METHOD, error_msg=f"cannot run {program!r}: {error.strerror}"
            ) from None

    async def _finish(self, command: list[str]) -> _Finished:
        # asyncio loses track of a program whose start is cancelled.
        with fail_after(_PROCESS_SECONDS, shield=True):
            process = await open_process(command, env=dict(self._environ), stdin=subprocess.DEVNULL)
        printed: list[list[bytes]] = [[], []]

        async def read(stream: Any, into: list[bytes]) -> None:
            async for piece in stream:
                into.append(piece)  # noqa: PERF401 - no comprehension keeps the list of another

        async with process, create_task_group() as group:
            group.start_soon(read, process.stdout, printed[0])
            group.start_soon(read, process.stderr, printed[1])
            code = await process.wait()
        return _Finished(code, b"".join(printed[0]), b"".join(printed[1]))


class _Finished:
    """A finished process, with the part of asyncio's interface that upstream uses."""

    def __init__(self, returncode: int, stdout: bytes, stderr: bytes) -> None:
        self.returncode = returncode
        self._output = stdout, stderr

    async def communicate(self) -> tuple[bytes, bytes]:
        return self._output


class ContainerProvider(AnyioContainerProvider):
    """`AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or `_FULL_URI`: ECS tasks, EKS pod identity."""

    _token: str | None = None

    def _create_fetcher(self, full_uri: str, *args: Any, **kwargs: Any) -> Any:
        fetch = super()._create_fetcher(full_uri, *args, **kwargs)

        async def fetched() -> Any:
            path = self._environ.get(self.ENV_VAR_AUTH_TOKEN_FILE)
            if path is not None:
                try:
                    self._token = (await read_file(path)).decode()
                except (OSError, UnicodeDecodeError) as error:
                    reason = getattr(error, "strerror", None) or type(error).__name__
                    raise CredentialRetrievalError(
                        provider=self.METHOD,
                        error_msg=f"cannot read the token file {path}: {reason}",
                    ) from None
            return await fetch()

        return fetched

    def _build_headers(self) -> dict[str, str] | None:
        token = self._token
        if token is None:
            token = self._environ.get(self.ENV_VAR_AUTH_TOKEN)
        if token is None:
            return None
        self._validate_auth_token(token)
        return {"Authorization": token}


class EC2FileProvider(AioOriginalEC2Provider):
    """`AWS_CREDENTIAL_FILE`, as the first EC2 tools had it."""

    async def load(self) -> Any:
        path = self._environ.get(self.CRED_FILE_ENV)
        if path is not None:
            parsed = await in_thread(parse_key_val_file, expand(path, self._environ))
            self._parser = lambda _path: parsed
        return await super().load()


class BotoFileProvider(AioBotoProvider):
    """`/etc/boto.cfg` and `~/.boto`, or the file named by `BOTO_CONFIG`."""

    async def load(self) -> Any:
        named = self._environ.get(self.BOTO_CONFIG_ENV)
        names = self.DEFAULT_CONFIG_FILENAMES if named is None else [named]
        parsed = await in_thread(self._parse, names)

        def lookup(name: str) -> Any:
            if name not in parsed:
                raise ConfigNotFound(path=name)
            return parsed[name]

        self._ini_parser = lookup
        return await super().load()

    def _parse(self, names: list[str]) -> dict[str, Any]:
        parsed = {}
        for name in names:
            try:
                parsed[name] = raw_config_parse(expand(name, self._environ))
            except ConfigNotFound:
                continue
        return parsed


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

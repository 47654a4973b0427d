"""Sources of this machine: a program, a container's address, the files of the first tools.

What differs from upstream is told in `providers`.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Mapping
from typing import Any

from aiobotocore.credentials import (
    AioBotoProvider,
    AioOriginalEC2Provider,
    AnyioContainerProvider,
    AnyioProcessProvider,
)
from anyio import (
    create_task_group,
    fail_after,
    open_process,  # now: at its first use anyio would import it on the event loop
)
from botocore.configloader import raw_config_parse
from botocore.exceptions import ConfigNotFound, CredentialRetrievalError
from botocore.utils import parse_key_val_file

from asession._profiles.paths import expand
from asession._runtime.files import read_file
from asession._runtime.threads import in_thread

# As long as the AWS SDK for Go gives a program; one that asks its user for something needs it.
_PROCESS_SECONDS = 60.0


class ProcessProvider(AnyioProcessProvider):
    """`credential_process`: a program that prints credentials as JSON; run without a shell."""

    def __init__(self, *, environ: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(popen=self._run, **kwargs)
        self._environ = environ

    async def _retrieve_credentials_using(self, credential_process: str) -> Any:
        try:
            words = shlex.split(credential_process)
        except ValueError:
            words = []
        if not words:
            raise CredentialRetrievalError(
                provider=self.METHOD,
                error_msg="the command is empty, or a quotation mark in it is not closed",
            )
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

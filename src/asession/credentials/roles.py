"""A request to STS for temporary credentials, and what makes it: a value."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from asession.credentials.mfa import MFAPrompt
from asession.credentials.values import FrozenCredentials
from asession.exceptions import CredentialRetrievalError

if TYPE_CHECKING:
    from asession._aws.exchanges import Loaded, Prepared
    from asession._aws.session import AwsSession
    from asession.credentials.inputs import Inputs


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A file with a token or assertion, read before each request. A value."""

    path: str


Token = str | TokenFile | Callable[[], Awaitable[str]]
"""A token or assertion: its text, a file that has it, or an async function."""


class Signer(Protocol):
    """A session whose keys sign a request for others."""

    async def get_frozen_credentials(self) -> FrozenCredentials:
        """The keys to sign with."""
        ...

    async def _source_key(self) -> bytes:
        """A digest of everything that decides who it is."""
        ...

    async def _replace_keys(self, refused: FrozenCredentials) -> bool:
        """Get other keys in place of refused ones; returns whether there are any."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RoleRequest:
    """What to ask STS for, and who asks; immutable, for as long as anyone keeps it.

    Attributes:
        operation: The method of the STS client, for example ``"assume_role"``.
        parameters: Its parameters, but for those below.
        signer: The session whose keys sign the request; `None` for an unsigned one.
        region_name: The region of the request, instead of the session's.
        mfa: Asks for the code of the device in `parameters`, instead of the session's `mfa`.
        token: Where the token or assertion of an unsigned request comes from.
        token_parameter: The name of its parameter.
    """

    operation: str
    parameters: Mapping[str, Any] = field(repr=False)
    signer: Signer | None = field(default=None, repr=False)
    region_name: str | None = None
    mfa: MFAPrompt | None = field(default=None, repr=False)
    token: Token | None = field(default=None, repr=False)
    token_parameter: str = ""

    @property
    def name(self) -> str:
        """The name of the source, in botocore's style."""
        return self.operation.replace("_", "-")

    async def key(self, inputs: Inputs, session: object) -> bytes:
        """A digest of everything that reaches the request.

        Args:
            inputs: What reaches the requests of the session that asks.
            session: What stands for that session, where a function's result counts.
        """
        from asession.credentials.keys import digest  # hashlib, which sessions import late

        token: object = self.token
        if isinstance(token, TokenFile):
            token = ("file", token.path)
        elif not isinstance(token, str | None):
            token = session
        who = None if self.signer is None else await self.signer._source_key()
        return digest(
            (self.operation, self.parameters, self.region_name or inputs.region_name),
            (self.mfa, token, who, inputs.network()),
        )

    async def prepare(self, aws: AwsSession, ask: MFAPrompt, region: str | None) -> Prepared:
        """How to make the request.

        Args:
            aws: The way to AWS of the session that asks.
            ask: Called with the serial of an MFA device, returns a code.
            region: The region of that session's requests.
        """
        from asession._aws.exchanges import Prepared
        from asession._aws.rejection import is_refusal

        async def fetch(_refused: str | None) -> Loaded:
            try:
                return await self._fetch(aws, ask, region)
            except Exception as error:
                if self.signer is None or not is_refusal(error):
                    raise
                keys = await self.signer.get_frozen_credentials()
                if not await self.signer._replace_keys(keys):
                    raise
            return await self._fetch(aws, ask, region)

        return Prepared(fetch=fetch)

    async def _fetch(self, aws: AwsSession, ask: MFAPrompt, region: str | None) -> Loaded:
        from asession._aws.exchanges import call_sts

        parameters = dict(self.parameters)
        if "RoleArn" in parameters and self.operation != "assume_role_with_saml":
            parameters.setdefault("RoleSessionName", f"asession-{time.time():.0f}")
        if self.token is not None:
            parameters[self.token_parameter] = await self._token()
        keys = None if self.signer is None else await self.signer.get_frozen_credentials()
        if "SerialNumber" in parameters:
            parameters["TokenCode"] = await (self.mfa or ask)(parameters["SerialNumber"])
        return await call_sts(
            aws,
            self.operation,
            parameters,
            method=self.name,
            keys=keys,
            region_name=self.region_name or region,
        )

    async def _token(self) -> str:
        token = self.token
        if isinstance(token, str):
            return token
        if isinstance(token, TokenFile):
            from asession._runtime.files import read_file  # aiofiles, which sessions import late

            try:
                return (await read_file(token.path)).decode().strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or type(error).__name__
                raise CredentialRetrievalError(
                    provider=self.name,
                    error_msg=f"cannot read the token file {token.path}: {reason}",
                ) from None
        assert token is not None
        return await token()


def parameters_of(
    *,
    duration: int | timedelta | None = None,
    policy: str | Mapping[str, Any] | None = None,
    policy_arns: Sequence[str | Mapping[str, str]] | None = None,
    tags: Sequence[Mapping[str, str]] | Mapping[str, str] | None = None,
    **others: Any,
) -> dict[str, Any]:
    """The parameters of a request for temporary credentials, in the shapes that STS wants.

    Args:
        duration: How long the credentials live, in seconds or as a time.
        policy: A session policy, as text or as a mapping.
        policy_arns: Managed policies, by their ARNs.
        tags: Session tags, as a mapping or in the shape of STS.
        others: Parameters that need no change; those that are `None` are left out.
    """
    if isinstance(duration, timedelta):
        duration = int(duration.total_seconds())
    if policy is not None and not isinstance(policy, str):
        import json

        policy = json.dumps(policy, separators=(",", ":"))
    arns = None
    if policy_arns is not None:
        arns = [{"arn": arn} if isinstance(arn, str) else dict(arn) for arn in policy_arns]
    if isinstance(tags, Mapping):
        tags = [{"Key": key, "Value": value} for key, value in tags.items()]
    shaped = {"DurationSeconds": duration, "Policy": policy, "PolicyArns": arns, "Tags": tags}
    return {key: value for key, value in {**others, **shaped}.items() if value is not None}

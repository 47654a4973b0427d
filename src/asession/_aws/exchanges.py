"""What upstream's providers and STS give, as plain values; which of their errors last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiobotocore._helpers import resolve_awaitable
from aiobotocore.config import AioConfig
from botocore import UNSIGNED
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    MetadataRetrievalError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.utils import ArnParser, parse_timestamp

from asession._aws.caches import refused_key
from asession._http.errors import TransportClosed

if TYPE_CHECKING:
    from asession._aws.session import AwsSession

_THROTTLED = frozenset({"Throttling", "ThrottlingException", "TooManyRequestsException"})
# Errors that may be over at the next try. Others (a missing token, a broken profile) are not.
_PASSING = (BotoConnectionError, HTTPClientError, MetadataRetrievalError, CredentialRetrievalError)


@dataclass(frozen=True, slots=True, repr=False)
class Loaded:
    """Keys as a source gave them; immutable, holds secrets.

    Attributes:
        access_key: The access key id.
        secret_key: The secret access key.
        token: The session token, or `None`.
        account_id: The account, where known.
        expires_at: When they end, with a time zone, or `None`.
        method: botocore's name of the source.
    """

    access_key: str
    secret_key: str
    token: str | None
    account_id: str | None
    expires_at: datetime | None
    method: str


Fetch = Callable[[str | None], Awaitable[Loaded]]
"""Asks a source for keys other than those with the access key given."""


@dataclass(frozen=True, slots=True, repr=False)
class Prepared:
    """A source that is configured: what it gave, or how to ask it. One of both is there.

    Attributes:
        now: What it gave already.
        fetch: Asks it.
    """

    now: Loaded | None = None
    fetch: Fetch | None = None


def prepared(credentials: Any, *, deferred: bool) -> Prepared | None:
    """What one of aiobotocore's credentials objects has or would get.

    Args:
        credentials: What a provider has loaded.
        deferred: Whether the keys that it holds may be old, so that it is asked for others.
    """
    if credentials is None:
        return None
    refresh = getattr(credentials, "_refresh_using", None)
    method = credentials.method
    if refresh is None:
        return Prepared(
            Loaded(
                credentials.access_key,
                credentials.secret_key,
                credentials.token,
                credentials.account_id,
                None,
                method,
            )
        )
    frozen = credentials._frozen_credentials
    if frozen is not None and not deferred:
        return Prepared(
            Loaded(
                frozen.access_key,
                frozen.secret_key,
                frozen.token,
                frozen.account_id,
                credentials._expiry_time,
                method,
            )
        )

    async def fetch(refused: str | None) -> Loaded:
        token = refused_key.set(refused)
        try:
            return _from_metadata(await resolve_awaitable(refresh()), method)
        finally:
            refused_key.reset(token)

    return Prepared(fetch=fetch)


def _from_metadata(data: Mapping[str, Any] | None, method: str) -> Loaded:
    names = ("access_key", "secret_key", "token", "expiry_time")
    missing = [name for name in names if name not in (data or {})]
    if missing:
        raise CredentialRetrievalError(
            provider=method, error_msg=f"its answer has no {', '.join(missing)}"
        )
    assert data is not None
    end = data["expiry_time"]
    return Loaded(
        data["access_key"],
        data["secret_key"],
        data["token"],
        data.get("account_id"),
        parse_timestamp(end) if isinstance(end, str) else end,
        method,
    )


def is_terminal(error: Exception) -> bool:
    """Whether trying again at once would fail in the same way."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = error.response.get("Error", {}).get("Code")
        # A code of an MFA device is typed anew each time.
        retyped = "MultiFactorAuthentication" in str(error)
        return 400 <= status < 500 and code not in _THROTTLED and not retyped
    return isinstance(error, BotoCoreError) and not isinstance(error, _PASSING)


def is_interruption(error: BaseException) -> bool:
    """Whether a request failed because the session that made it was closed meanwhile.

    It says nothing about the source, nor about other sessions that wait for its answer.
    """
    seen: BaseException | None = error
    while seen is not None:
        given = seen.kwargs.get("error") if isinstance(seen, BotoCoreError) else None
        if isinstance(seen, TransportClosed) or isinstance(given, TransportClosed):
            return True
        seen = seen.__cause__
    return False


async def call_sts(
    session: AwsSession,
    operation: str,
    parameters: Mapping[str, Any],
    *,
    method: str,
    keys: Any = None,
    region_name: str | None = None,
) -> Loaded:
    """Ask STS for temporary keys.

    Args:
        session: Whose endpoint, TLS and proxy settings are used.
        operation: The method of the client, for example ``"assume_role"``.
        parameters: Its parameters.
        method: The name of the source.
        keys: The keys that sign the request; without them it is not signed.
        region_name: The region of the endpoint, instead of the session's.

    Raises:
        ClientError: STS refuses.
    """
    if keys is None:
        given: dict[str, Any] = {"config": AioConfig(signature_version=UNSIGNED)}
    else:
        given = {
            "aws_access_key_id": keys.access_key,
            "aws_secret_access_key": keys.secret_key,
            "aws_session_token": keys.token,
        }
    async with session.create_client("sts", region_name=region_name, **given) as sts:
        answer = await getattr(sts, operation)(**parameters)
    issued = answer["Credentials"]
    return Loaded(
        issued["AccessKeyId"],
        issued["SecretAccessKey"],
        issued["SessionToken"],
        _account_of(answer) or getattr(keys, "account_id", None),
        issued["Expiration"],
        method,
    )


def _account_of(answer: Mapping[str, Any]) -> str | None:
    for user in ("AssumedRoleUser", "FederatedUser"):
        arn = answer.get(user, {}).get("Arn")
        if arn is not None and ArnParser.is_arn(arn):
            return str(ArnParser().parse_arn(arn)["account"])
    return None

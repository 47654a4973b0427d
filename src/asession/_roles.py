"""Sessions with temporary credentials that STS gives for a session's keys or for a token."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from asession.credentials.mfa import MFAPrompt
from asession.credentials.roles import RoleRequest, Token, TokenFile, parameters_of

if TYPE_CHECKING:
    from asession._options import SessionOptions

# What belongs to the parent's own identity: the child has another.
_OWN = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_account_id")


class Assuming:
    """The part of a session that makes sessions with other credentials.

    Each method makes a new, un-entered session at once, without I/O. STS is asked when the new
    session first signs something, and again before the credentials end. The new session has the
    parent's files, settings and a copy of its handlers; it can be pickled if the parent can, and
    may itself be a parent. Sessions that would ask for the same share one answer.
    """

    _options: SessionOptions

    if TYPE_CHECKING:

        def replace(self, **changes: Any) -> Self: ...

    def assume_role(
        self,
        RoleArn: str,
        *,
        RoleSessionName: str | None = None,
        DurationSeconds: int | timedelta | None = None,
        Policy: str | Mapping[str, Any] | None = None,
        PolicyArns: Sequence[str | Mapping[str, str]] | None = None,
        Tags: Sequence[Mapping[str, str]] | Mapping[str, str] | None = None,
        TransitiveTagKeys: Sequence[str] | None = None,
        ExternalId: str | None = None,
        SerialNumber: str | None = None,
        SourceIdentity: str | None = None,
        mfa: MFAPrompt | None = None,
        region_name: str | None = None,
    ) -> Self:
        """A session with a role's credentials, which this session's keys ask for.

        Args:
            RoleArn: The role.
            RoleSessionName: The name in AWS's records; without it, one is made at each request.
            DurationSeconds: How long the credentials live, in seconds or as a time.
            Policy: A session policy, as JSON or as a mapping.
            PolicyArns: Managed session policies, by ARN.
            Tags: Session tags, as a mapping or in the shape of STS.
            TransitiveTagKeys: The tags that pass on to roles assumed by the new session.
            ExternalId: What the role's trust policy asks for.
            SerialNumber: The MFA device of the caller; its code is asked for at each request.
            SourceIdentity: Who is behind this, for AWS's records.
            mfa: Asks for the code, instead of the session's `mfa`.
            region_name: The region of the new session and of the request.

        Example:
            audit = session.assume_role("arn:aws:iam::123456789012:role/audit")
            async with audit.client("s3") as s3: ...
        """
        parameters = parameters_of(
            RoleArn=RoleArn,
            RoleSessionName=RoleSessionName,
            duration=DurationSeconds,
            policy=Policy,
            policy_arns=PolicyArns,
            tags=Tags,
            TransitiveTagKeys=None if TransitiveTagKeys is None else list(TransitiveTagKeys),
            ExternalId=ExternalId,
            SerialNumber=SerialNumber,
            SourceIdentity=SourceIdentity,
        )
        return self._child("assume_role", parameters, mfa=mfa, region_name=region_name)

    def assume_role_with_web_identity(
        self,
        RoleArn: str,
        WebIdentityToken: str | Callable[[], Awaitable[str]] | None = None,
        *,
        web_identity_token_file: str | os.PathLike[str] | None = None,
        RoleSessionName: str | None = None,
        ProviderId: str | None = None,
        DurationSeconds: int | timedelta | None = None,
        Policy: str | Mapping[str, Any] | None = None,
        PolicyArns: Sequence[str | Mapping[str, str]] | None = None,
        region_name: str | None = None,
    ) -> Self:
        """A session with a role's credentials for the token of an identity provider.

        Args:
            RoleArn: The role.
            WebIdentityToken: The token, or an async function that is asked before each request.
            web_identity_token_file: A file with the token, read before each request.
            RoleSessionName: See `assume_role`.
            ProviderId: The domain of an OAuth 2.0 provider.
            DurationSeconds: See `assume_role`.
            Policy: See `assume_role`.
            PolicyArns: See `assume_role`.
            region_name: See `assume_role`.

        Raises:
            ValueError: Neither a token nor a file is given, or both are.
        """
        if (WebIdentityToken is None) == (web_identity_token_file is None):
            raise ValueError("give either WebIdentityToken= or web_identity_token_file=")
        token: Token = (
            TokenFile(os.fspath(web_identity_token_file))
            if web_identity_token_file is not None
            else _given(WebIdentityToken)
        )
        parameters = parameters_of(
            RoleArn=RoleArn,
            RoleSessionName=RoleSessionName,
            ProviderId=ProviderId,
            duration=DurationSeconds,
            policy=Policy,
            policy_arns=PolicyArns,
        )
        return self._child(
            "assume_role_with_web_identity",
            parameters,
            token=token,
            token_parameter="WebIdentityToken",  # noqa: S106 - a name
            region_name=region_name,
        )

    def assume_role_with_saml(
        self,
        RoleArn: str,
        PrincipalArn: str,
        SAMLAssertion: str | Callable[[], Awaitable[str]],
        *,
        DurationSeconds: int | timedelta | None = None,
        Policy: str | Mapping[str, Any] | None = None,
        PolicyArns: Sequence[str | Mapping[str, str]] | None = None,
        region_name: str | None = None,
    ) -> Self:
        """A session with a role's credentials for an assertion of a SAML provider.

        Args:
            RoleArn: The role.
            PrincipalArn: The provider.
            SAMLAssertion: The assertion, or an async function that is asked before each request.
            DurationSeconds: See `assume_role`.
            Policy: See `assume_role`.
            PolicyArns: See `assume_role`.
            region_name: See `assume_role`.
        """
        parameters = parameters_of(
            RoleArn=RoleArn,
            PrincipalArn=PrincipalArn,
            duration=DurationSeconds,
            policy=Policy,
            policy_arns=PolicyArns,
        )
        return self._child(
            "assume_role_with_saml",
            parameters,
            token=SAMLAssertion,
            token_parameter="SAMLAssertion",  # noqa: S106 - a name
            region_name=region_name,
        )

    def get_session_token(
        self,
        *,
        DurationSeconds: int | timedelta | None = None,
        SerialNumber: str | None = None,
        mfa: MFAPrompt | None = None,
        region_name: str | None = None,
    ) -> Self:
        """A session with temporary credentials of the same user, with MFA if asked for.

        Args:
            DurationSeconds: See `assume_role`.
            SerialNumber: See `assume_role`.
            mfa: See `assume_role`.
            region_name: See `assume_role`.
        """
        parameters = parameters_of(duration=DurationSeconds, SerialNumber=SerialNumber)
        return self._child("get_session_token", parameters, mfa=mfa, region_name=region_name)

    def get_federation_token(
        self,
        Name: str,
        *,
        DurationSeconds: int | timedelta | None = None,
        Policy: str | Mapping[str, Any] | None = None,
        PolicyArns: Sequence[str | Mapping[str, str]] | None = None,
        Tags: Sequence[Mapping[str, str]] | Mapping[str, str] | None = None,
        region_name: str | None = None,
    ) -> Self:
        """A session with temporary credentials of a federated user.

        Args:
            Name: The name of the federated user.
            DurationSeconds: See `assume_role`.
            Policy: See `assume_role`.
            PolicyArns: See `assume_role`.
            Tags: See `assume_role`.
            region_name: See `assume_role`.
        """
        parameters = parameters_of(
            Name=Name, duration=DurationSeconds, policy=Policy, policy_arns=PolicyArns, tags=Tags
        )
        return self._child("get_federation_token", parameters, region_name=region_name)

    def _child(
        self,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        region_name: str | None,
        mfa: MFAPrompt | None = None,
        token: Token | None = None,
        token_parameter: str = "",
    ) -> Self:
        request = RoleRequest(
            operation=operation,
            parameters=parameters,
            signer=None if token is not None else self,  # type: ignore[arg-type]
            region_name=region_name,
            mfa=mfa,
            token=token,
            token_parameter=token_parameter,
        )
        changes: dict[str, Any] = {**dict.fromkeys(_OWN), "credentials": request}
        if region_name is not None:
            changes["region_name"] = region_name
        if self._options.botocore_session is not None:
            # That session has one identity, its own; the child reads the same files for itself.
            changes["botocore_session"] = None
        return self.replace(**changes)


def _given(token: str | Callable[[], Awaitable[str]] | None) -> Token:
    assert token is not None
    return token

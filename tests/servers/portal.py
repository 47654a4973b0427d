"""IAM Identity Center: the portal, which gives credentials, and OIDC, which renews tokens."""

from __future__ import annotations

import json
from itertools import count

from servers.calls import Call
from servers.messages import RecordedRequest, Reply
from servers.mint import Mint


class Portal:
    """``sso:GetRoleCredentials`` and ``sso-oidc:CreateToken``.

    Keys are issued for ``"<account id>/<role name>"``. New tokens are ``access-token-1``,
    ``refresh-token-1`` and so on, and are let in from then on.

    Attributes:
        access_tokens: The tokens that the portal lets in; `None` lets in all.
        refresh_tokens: The tokens that may be exchanged; `None` lets in all.
        token_expires_in: Seconds until new access tokens end.
    """

    def __init__(self, mint: Mint) -> None:
        self.access_tokens: set[str] | None = None
        self.refresh_tokens: set[str] | None = None
        self.token_expires_in = 8 * 3600
        self._mint = mint
        self._serials = count(1)

    def recognise(self, request: RecordedRequest) -> Call | None:
        """See `Part`."""
        if request.path == "/federation/credentials":
            bearer = request.headers.get("x-amz-sso_bearer_token")
            return Call("sso:GetRoleCredentials", request.query, request.access_key, bearer)
        if request.path == "/token" and request.method == "POST":
            return Call("sso-oidc:CreateToken", json.loads(request.body), request.access_key)
        return None

    def answer(self, call: Call, request: RecordedRequest) -> Reply:
        """See `Part`."""
        if call.operation == "sso-oidc:CreateToken":
            return self._create_token(call)
        if call.token is None or not _let_in(call.token, self.access_tokens):
            return self.failure("UnauthorizedException", 401, "Session token not found or invalid")
        keys = self._mint.issue("{account_id}/{role_name}".format_map(dict(call.parameters)))
        return Reply.json(
            {
                "roleCredentials": {
                    "accessKeyId": keys.access_key,
                    "secretAccessKey": keys.secret_key,
                    "sessionToken": keys.token,
                    "expiration": int(keys.expires.timestamp() * 1000),
                }
            }
        )

    def _create_token(self, call: Call) -> Reply:
        if not _let_in(call.parameters.get("refreshToken", ""), self.refresh_tokens):
            return self.failure("InvalidGrantException", 400, "Invalid refresh token provided")
        serial = next(self._serials)
        access, refresh = f"access-token-{serial}", f"refresh-token-{serial}"
        for kept, new in ((self.access_tokens, access), (self.refresh_tokens, refresh)):
            if kept is not None:
                kept.add(new)
        return Reply.json(
            {
                "accessToken": access,
                "refreshToken": refresh,
                "tokenType": "Bearer",
                "expiresIn": int(self.token_expires_in),
            }
        )

    def failure(self, code: str, status: int, message: str) -> Reply:
        """See `Part`."""
        return Reply.json({"message": message}, status, x_amzn_ErrorType=code)


def _let_in(token: str, known: set[str] | None) -> bool:
    return known is None or token in known

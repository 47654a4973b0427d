"""The sign-in service, which renews what `aws login` keeps."""

from __future__ import annotations

import base64
import json

from servers.calls import Call
from servers.messages import RecordedRequest, Reply
from servers.mint import Mint


class SignIn:
    """``signin:CreateOAuth2Token``; keys are issued for ``"login"``.

    A request must prove possession of its key (RFC 9449): the DPoP header is parsed, its signature
    is not checked. New refresh tokens are ``login-refresh-1`` and so on.

    Attributes:
        refresh_tokens: The tokens that may be exchanged; `None` lets in all.
    """

    def __init__(self, mint: Mint) -> None:
        self.refresh_tokens: set[str] | None = None
        self._mint = mint

    def recognise(self, request: RecordedRequest) -> Call | None:
        """See `Part`."""
        if request.path != "/v1/token":
            return None
        parameters = json.loads(request.body)
        return Call("signin:CreateOAuth2Token", parameters, request.access_key)

    def answer(self, call: Call, request: RecordedRequest) -> Reply:
        """See `Part`."""
        if not _proves(request.headers.get("dpop", "")):
            return self.failure("ValidationException", 400, "INVALID_REQUEST")
        known = self.refresh_tokens
        if known is not None and call.parameters.get("refreshToken") not in known:
            return self.failure("AccessDeniedException", 401, "TOKEN_EXPIRED")
        keys = self._mint.issue("login")
        refresh = f"login-refresh-{keys.serial}"
        if known is not None:
            known.add(refresh)
        return Reply.json(
            {
                "accessToken": {
                    "accessKeyId": keys.access_key,
                    "secretAccessKey": keys.secret_key,
                    "sessionToken": keys.token,
                },
                "tokenType": "aws_sigv4",
                "expiresIn": round(self._mint.lifetime),
                "refreshToken": refresh,
            }
        )

    def failure(self, code: str, status: int, message: str) -> Reply:
        """See `Part`; the message is the OAuth error, for example ``"TOKEN_EXPIRED"``."""
        body = {"error": message, "message": message}
        return Reply.json(body, status, x_amzn_ErrorType=code)


def _proves(header: str) -> bool:
    try:
        head, claims, _signature = header.split(".")
        kind = json.loads(base64.urlsafe_b64decode(head + "=="))["typ"]
        method = json.loads(base64.urlsafe_b64decode(claims + "=="))["htm"]
    except (ValueError, KeyError):
        return False
    return (kind, method) == ("dpop+jwt", "POST")

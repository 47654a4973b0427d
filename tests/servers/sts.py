"""The security token service: roles, federation, and who a caller is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from xml.sax.saxutils import escape

from servers.calls import Call
from servers.messages import RecordedRequest, Reply
from servers.mint import ACCOUNT, IssuedKeys, Mint

_UNSIGNED = frozenset({"AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"})
_SOURCES: Mapping[str, Callable[[Call], str]] = {
    "AssumeRole": lambda call: call.parameters["RoleArn"],
    "AssumeRoleWithWebIdentity": lambda call: call.parameters["RoleArn"],
    "AssumeRoleWithSAML": lambda call: call.parameters["RoleArn"],
    "GetSessionToken": lambda call: call.signer or "nobody",
    "GetFederationToken": lambda call: call.parameters["Name"],
}


class Sts:
    """``sts:`` and the operation, for example ``"sts:AssumeRole"``.

    Keys of the mint sign only with their own token and until they end: ``ExpiredToken`` afterwards,
    ``InvalidClientTokenId`` for a wrong token. Signatures themselves are not checked. Keys are
    issued for the RoleArn, the signer (GetSessionToken) or the name (GetFederationToken).

    Attributes:
        static_keys: The access keys of users that may sign; `None` lets in all.
        identity_tokens: The web identity tokens that are let in; `None` lets in all.
    """

    def __init__(self, mint: Mint) -> None:
        self.static_keys: set[str] | None = None
        self.identity_tokens: set[str] | None = None
        self._mint = mint

    def recognise(self, request: RecordedRequest) -> Call | None:
        """See `Part`."""
        if request.path != "/" or request.form.get("Version") != "2011-06-15":
            return None
        left_out = ("Action", "Version")
        parameters = {k: v for k, v in request.form.items() if k not in left_out}
        return Call(f"sts:{request.action}", parameters, request.access_key, request.token)

    def answer(self, call: Call, request: RecordedRequest) -> Reply:
        """See `Part`."""
        action = call.operation.removeprefix("sts:")
        refusal = self._check_signer(call, action)
        if refusal is not None:
            return refusal
        if action == "GetCallerIdentity":
            return self._caller_identity(call)
        if action not in _SOURCES:
            return self.failure("InvalidAction", 400, f"no operation {action}")
        keys = self._mint.issue(_SOURCES[action](call))
        return _reply(action, _credentials(keys) + _user(call, action))

    def _check_signer(self, call: Call, action: str) -> Reply | None:
        if action in _UNSIGNED:
            token = call.parameters.get("WebIdentityToken")
            known = self.identity_tokens is None or token is None or token in self.identity_tokens
            return None if known else self.failure("InvalidIdentityToken", 400, "not a known token")
        if call.signer is None:
            return self.failure("MissingAuthenticationToken", 403, "nobody signed")
        if self._mint.knows(call.signer):
            keys = self._mint.find(call.signer, call.token)
            if keys is None:
                return self.failure("InvalidClientTokenId", 403, "the token is not of these keys")
            if keys.expires <= self._mint.now():
                return self.failure("ExpiredToken", 403, "the token has ended")
        elif self.static_keys is not None and call.signer not in self.static_keys:
            return self.failure("InvalidClientTokenId", 403, "the key is not known")
        return None

    def _caller_identity(self, call: Call) -> Reply:
        keys = self._mint.find(call.signer or "", call.token)
        if keys is None:
            account = ACCOUNT
            arn = f"arn:aws:iam::{account}:user/{call.signer}"
        else:
            account = account_of(keys)
            arn = f"arn:aws:sts::{account}:assumed-role/{keys.source.rpartition('/')[2]}/session"
        return _reply(
            "GetCallerIdentity",
            f"<Arn>{escape(arn)}</Arn><UserId>{escape(call.signer or '')}</UserId>"
            f"<Account>{account}</Account>",
        )

    def failure(self, code: str, status: int, message: str) -> Reply:
        """See `Part`."""
        return Reply.xml(
            '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            f"<Error><Type>Sender</Type><Code>{escape(code)}</Code>"
            f"<Message>{escape(message)}</Message></Error>"
            "<RequestId>request</RequestId></ErrorResponse>",
            status,
        )


def account_of(keys: IssuedKeys) -> str:
    """The account of the role that keys were issued for; of other keys the usual one."""
    return keys.source.split(":")[4] if keys.source.startswith("arn:") else ACCOUNT


def _credentials(keys: IssuedKeys) -> str:
    fields = keys.flat("SessionToken").items()
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields)
    return f"<Credentials>{inner}</Credentials>"


def _user(call: Call, action: str) -> str:
    if action == "GetSessionToken":
        return ""
    if action == "GetFederationToken":
        name = escape(call.parameters["Name"])
        arn = f"arn:aws:sts::{ACCOUNT}:federated-user/{name}"
        user = f"<Arn>{arn}</Arn><FederatedUserId>{ACCOUNT}:{name}</FederatedUserId>"
        return f"<FederatedUser>{user}</FederatedUser>"
    _, _, role = call.parameters["RoleArn"].rpartition("/")
    account = call.parameters["RoleArn"].split(":")[4]
    session = call.parameters.get("RoleSessionName", "session")
    arn = escape(f"arn:aws:sts::{account}:assumed-role/{role}/{session}")
    identity = f"<Arn>{arn}</Arn><AssumedRoleId>AROA:{escape(session)}</AssumedRoleId>"
    return f"<AssumedRoleUser>{identity}</AssumedRoleUser>"


def _reply(action: str, result: str) -> Reply:
    return Reply.xml(
        f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        f"<{action}Result>{result}</{action}Result>"
        f"<ResponseMetadata><RequestId>request</RequestId></ResponseMetadata></{action}Response>"
    )

"""The metadata service of an EC2 instance, versions 1 and 2."""

from __future__ import annotations

from servers.calls import Call
from servers.messages import RecordedRequest, Reply
from servers.mint import Mint

_TOKEN_PATH = "/latest/api/token"
_ROLES_PATH = "/latest/meta-data/iam/security-credentials/"
_ZONE_PATH = "/latest/meta-data/placement/availability-zone"
_TTL = "x-aws-ec2-metadata-token-ttl-seconds"
_HEADER = "x-aws-ec2-metadata-token"


class Metadata:
    """``imds:GetToken``, ``imds:GetRole``, ``imds:GetCredentials`` and ``imds:GetZone``.

    Attributes:
        role: The instance's role, `None` for an instance without one; the keys are issued for it.
        v1: Whether requests without a token are answered.
        v2: Whether tokens are given at all; an old endpoint answers 403.
        zone: The availability zone.
    """

    def __init__(self, mint: Mint) -> None:
        self.role: str | None = "instance-role"
        self.v1 = True
        self.v2 = True
        self.zone = "eu-west-1a"
        self._mint = mint
        self._tokens: set[str] = set()

    def recognise(self, request: RecordedRequest) -> Call | None:
        """See `Part`."""
        path, token = request.path, request.headers.get(_HEADER)
        if path == _TOKEN_PATH:
            return Call("imds:GetToken", {"ttl": request.headers.get(_TTL, "")})
        if path == _ROLES_PATH:
            return Call("imds:GetRole", token=token)
        if path.startswith(_ROLES_PATH):
            return Call("imds:GetCredentials", {"role": path[len(_ROLES_PATH) :]}, token=token)
        if path.rstrip("/") == _ZONE_PATH:
            return Call("imds:GetZone", token=token)
        return None

    def answer(self, call: Call, request: RecordedRequest) -> Reply:
        """See `Part`."""
        if call.operation == "imds:GetToken":
            return self._token(call, request)
        if call.token is None and not self.v1:
            return _text("no token", 401)
        if call.token is not None and call.token not in self._tokens:
            return _text("not a token", 401)
        if call.operation == "imds:GetZone":
            return _text(self.zone)
        if self.role is None:
            return _text("no role", 404)
        if call.operation == "imds:GetRole":
            return _text(self.role)
        if call.parameters["role"] != self.role:
            return _text("no such role", 404)
        keys = self._mint.issue(self.role)
        return Reply.json({"Code": "Success", "Type": "AWS-HMAC", **keys.flat()})

    def _token(self, call: Call, request: RecordedRequest) -> Reply:
        if not self.v2:
            return _text("forbidden", 403)
        if request.method != "PUT" or not call.parameters["ttl"].isdigit():
            return _text("bad request", 400)
        token = f"metadata-token-{len(self._tokens) + 1}"
        self._tokens.add(token)
        return Reply(200, {"Content-Type": "text/plain", _TTL: "21600"}, token.encode())

    def failure(self, code: str, status: int, message: str) -> Reply:
        """See `Part`."""
        return _text(f"{code}: {message}", status)


def _text(text: str, status: int = 200) -> Reply:
    return Reply(status, {"Content-Type": "text/plain"}, text.encode())

"""Canned answers of AWS services for the recorder, from which a test can tell who asked."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from servers.messages import RecordedRequest, Reply

ACCOUNT = "123456789012"
SSO_PATH = "/federation/credentials"
SSO_TOKEN_PATH = "/token"


def access_key_for(source: str) -> str:
    """The access key id that the answers hand out for a source, such as a role ARN.

    For SSO the source is ``"<account id>/<role name>"``.
    """
    return "ASIA" + hashlib.sha256(source.encode()).hexdigest()[:16].upper()


def secret_key_for(source: str) -> str:
    """The secret key that belongs to `access_key_for`."""
    return hashlib.sha256(b"secret of " + source.encode()).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class _Issued:
    source: str
    serial: int
    expires: datetime

    @property
    def values(self) -> tuple[str, str, str]:
        return access_key_for(self.source), secret_key_for(self.source), f"token-{self.serial}"

    @property
    def expiration(self) -> str:
        return self.expires.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Issuer:
    """Hands out temporary keys; lives as long as the answers that use it, nobody closes it.

    The access key tells the source, the session token counts: ``token-1``, ``token-2``, ...

    Attributes:
        expires_in: Seconds until what is handed out expires; may be changed at any time.
        issued: How many were handed out.
    """

    expires_in: float = 3600.0
    issued: int = 0
    _serials: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    def issue(self, source: str) -> _Issued:
        """New keys for a source."""
        self.issued = next(self._serials)
        return _Issued(source, self.issued, datetime.now(UTC) + timedelta(seconds=self.expires_in))


class AwsAnswers:
    """Answers S3 ListBuckets, DynamoDB ListTables, STS and SSO; lives as long as its recorder.

    - S3 ListBuckets: the owner's id is the access key that signed the request.
    - STS GetCallerIdentity: the ARN ends with the access key that signed the request.
    - STS AssumeRole, AssumeRoleWithWebIdentity, AssumeRoleWithSAML: keys by the RoleArn;
      GetSessionToken by the caller's key; GetFederationToken by the name.
    - SSO GetRoleCredentials: keys by ``"<account id>/<role name>"``; CreateToken: a new token.
    - Anything else: 400 with the code UnknownOperation, which is not retried.

    Attributes:
        issuer: Decides the expiry of what STS and SSO hand out.
    """

    def __init__(self, *, expires_in: float = 3600.0) -> None:
        self.issuer = Issuer(expires_in)

    def __call__(self, request: RecordedRequest) -> Reply:
        if request.path == SSO_PATH:
            return self._sso(request)
        if request.path == SSO_TOKEN_PATH:
            return self._sso_token(request)
        if request.action == "GetCallerIdentity":
            return _caller_identity(request)
        source = _STS_SOURCES.get(request.action or "")
        if source is not None:
            return self._sts(request, source(request))
        if request.service == "dynamodb" and request.action == "ListTables":
            return Reply.json({"TableNames": []})
        if request.service == "s3" and request.method == "GET" and request.path == "/":
            return _list_buckets(request)
        return _unknown(request)

    def _sts(self, request: RecordedRequest, source: str) -> Reply:
        issued = self.issuer.issue(source)
        key, secret, token = issued.values
        session = request.form.get("RoleSessionName", "session")
        role = source.rpartition("/")[2]
        user = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}"
        return _sts_reply(
            request,
            f"<Credentials><AccessKeyId>{key}</AccessKeyId>"
            f"<SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}</SessionToken>"
            f"<Expiration>{issued.expiration}</Expiration></Credentials>"
            f"<AssumedRoleUser><Arn>{escape(user)}</Arn>"
            f"<AssumedRoleId>AROA:{escape(session)}</AssumedRoleId></AssumedRoleUser>",
        )

    def _sso(self, request: RecordedRequest) -> Reply:
        if "x-amz-sso_bearer_token" not in request.headers:
            return _error_json("UnauthorizedException", 401)
        source = f"{request.query.get('account_id')}/{request.query.get('role_name')}"
        issued = self.issuer.issue(source)
        key, secret, token = issued.values
        return Reply.json(
            {
                "roleCredentials": {
                    "accessKeyId": key,
                    "secretAccessKey": secret,
                    "sessionToken": token,
                    "expiration": int(issued.expires.timestamp() * 1000),
                }
            }
        )

    def _sso_token(self, request: RecordedRequest) -> Reply:
        serial = self.issuer.issue("sso").serial
        return Reply.json(
            {
                "accessToken": f"access-token-{serial}",
                "refreshToken": f"refresh-token-{serial}",
                "tokenType": "Bearer",
                "expiresIn": int(self.issuer.expires_in),
            }
        )


class InstanceMetadata:
    """Answers as the EC2 metadata service, version 2 only; lives as long as its recorder.

    Attributes:
        role: The name of the instance's role; the keys are ``access_key_for(role)``.
    """

    _CREDENTIALS = "/latest/meta-data/iam/security-credentials/"
    _TOKEN = "metadata-token"

    def __init__(
        self, role: str = "instance-role", *, expires_in: float = 3600.0, zone: str = "eu-west-1a"
    ) -> None:
        self.role = role
        self.issuer = Issuer(expires_in)
        self._zone = zone

    def __call__(self, request: RecordedRequest) -> Reply:
        if request.path == "/latest/api/token":
            wanted = "x-aws-ec2-metadata-token-ttl-seconds"
            right = request.method == "PUT" and wanted in request.headers
            return _text(self._TOKEN) if right else Reply(400)
        if request.headers.get("x-aws-ec2-metadata-token") != self._TOKEN:
            return Reply(401)
        if request.path == self._CREDENTIALS:
            return _text(self.role)
        if request.path == self._CREDENTIALS + self.role:
            return Reply.json({"Code": "Success", **_flat(self.issuer.issue(self.role))})
        if request.path.rstrip("/") == "/latest/meta-data/placement/availability-zone":
            return _text(self._zone)
        return Reply(404)


class ContainerCredentials:
    """Answers as the ECS or EKS credentials endpoint; lives as long as its recorder.

    The keys are ``access_key_for(path)``.

    Args:
        authorization: What the Authorization header must be; `None` takes anything.
        path: The only path that has credentials.
    """

    def __init__(
        self,
        authorization: str | None = None,
        *,
        path: str = "/credentials",
        expires_in: float = 3600.0,
    ) -> None:
        self._authorization = authorization
        self._path = path
        self.issuer = Issuer(expires_in)

    def __call__(self, request: RecordedRequest) -> Reply:
        if request.path != self._path:
            return Reply(404)
        if self._authorization not in (None, request.headers.get("authorization")):
            return Reply.json({"code": "AccessDenied", "message": "wrong token"}, 403)
        arn = f"arn:aws:iam::{ACCOUNT}:role/container"
        return Reply.json({"RoleArn": arn, **_flat(self.issuer.issue(self._path))})


_STS_SOURCES: Mapping[str, Callable[[RecordedRequest], str]] = {
    "AssumeRole": lambda request: request.form["RoleArn"],
    "AssumeRoleWithWebIdentity": lambda request: request.form["RoleArn"],
    "AssumeRoleWithSAML": lambda request: request.form["RoleArn"],
    "GetSessionToken": lambda request: request.access_key or "nobody",
    "GetFederationToken": lambda request: request.form["Name"],
}


def _flat(issued: _Issued) -> dict[str, str]:
    names = ("AccessKeyId", "SecretAccessKey", "Token")
    return {**dict(zip(names, issued.values, strict=True)), "Expiration": issued.expiration}


def _text(text: str) -> Reply:
    return Reply(200, {"Content-Type": "text/plain"}, text.encode())


def _sts_reply(request: RecordedRequest, result: str) -> Reply:
    action = request.action
    return Reply.xml(
        f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        f"<{action}Result>{result}</{action}Result>"
        f"<ResponseMetadata><RequestId>request</RequestId></ResponseMetadata></{action}Response>"
    )


def _caller_identity(request: RecordedRequest) -> Reply:
    key = escape(request.access_key or "nobody")
    return _sts_reply(
        request,
        f"<Arn>arn:aws:iam::{ACCOUNT}:user/{key}</Arn><UserId>{key}</UserId>"
        f"<Account>{ACCOUNT}</Account>",
    )


def _list_buckets(request: RecordedRequest) -> Reply:
    key = escape(request.access_key or "nobody")
    return Reply.xml(
        '<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Owner><ID>{key}</ID><DisplayName>{key}</DisplayName></Owner>"
        "<Buckets></Buckets></ListAllMyBucketsResult>"
    )


def _error_json(code: str, status: int) -> Reply:
    body = json.dumps({"__type": code, "message": "from the recorder"}).encode()
    return Reply(status, {"Content-Type": "application/x-amz-json-1.1"}, body)


def _unknown(request: RecordedRequest) -> Reply:
    if "x-amz-target" in request.headers:
        return _error_json("UnknownOperation", 400)
    error = "<Code>UnknownOperation</Code><Message>the recorder has no answer</Message>"
    if request.service == "s3":
        return Reply.xml(f"<Error>{error}</Error>", 400)
    return Reply.xml(f"<ErrorResponse><Error>{error}</Error></ErrorResponse>", 400)

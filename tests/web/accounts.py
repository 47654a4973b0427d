"""An AWS of several accounts in memory: roles to assume, and an S3 in each."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from servers.identity import IdentityServer
from servers.messages import RecordedRequest, Reply
from servers.sts import account_of


def role_in(account: str) -> str:
    """The role that the example's service assumes in an account."""
    return f"arn:aws:iam::{account}:role/service"


class Accounts(IdentityServer):
    """STS, and objects that belong to the account whose keys sign; lives as long as its block.

    A request with keys that were not handed out here, or not together with its token, is refused.

    Attributes:
        refused: The accounts whose role may not be assumed.
        slow: Paths that are answered late.
        objects: What was stored, by account and path.
        signed: The account of each request to S3, and its path.
    """

    def __init__(self, refused: Iterable[str] = ()) -> None:
        super().__init__()
        self.refused = {role_in(account) for account in refused}
        self.slow: dict[str, float] = {}
        self.objects: dict[tuple[str, str], bytes] = {}
        self.signed: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def _answer_call(self, request: RecordedRequest) -> Reply:
        if request.form.get("RoleArn") in self.refused:
            return self.sts.failure("AccessDenied", 403, "this role may not be assumed")
        if request.service == "s3":
            return self._answer_s3(request)
        return super()._answer_call(request)

    def _answer_s3(self, request: RecordedRequest) -> Reply:
        keys = self.mint.find(request.access_key or "", request.token)
        if keys is None:
            return _error("InvalidAccessKeyId", 403)
        account = account_of(keys)
        delay = self.slow.get(request.path, 0.0)
        with self._lock:
            self.signed.append((account, request.path))
            if request.method == "PUT":
                self.objects[account, request.path] = request.body
                return Reply(200, {"ETag": '"etag"'}, delay=delay)
            content = self.objects.get((account, request.path))
        if content is None:
            return _error("NoSuchKey", 404)
        return Reply(200, {"Content-Type": "text/plain"}, content, delay=delay)


def _error(code: str, status: int) -> Reply:
    return Reply.xml(f"<Error><Code>{code}</Code><Message>no</Message></Error>", status)

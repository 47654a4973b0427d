"""Services that check the signatures of requests and the end of their keys, as AWS does."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections import Counter
from collections.abc import Callable
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape

from servers.answers import AwsAnswers
from servers.messages import RecordedRequest, Reply
from servers.mint import IssuedKeys, Mint
from servers.recorder import Recorder


class GuardedServices(Recorder):
    """S3 ListBuckets and DynamoDB ListTables behind a check of version 4 signatures.

    Answers ``ExpiredToken``, ``InvalidAccessKeyId`` or ``SignatureDoesNotMatch`` as the services
    do. Lives for a `with` block.

    Args:
        mint: Who made the keys that are let in.
        answer: Answers what is let in.
    """

    def __init__(
        self, mint: Mint, answer: Callable[[RecordedRequest], Reply | None] | None = None
    ) -> None:
        super().__init__(self._guard)
        self._mint = mint
        self._inner = answer or AwsAnswers()
        self._counts_lock = threading.Lock()
        self._outcomes: Counter[str] = Counter()

    @property
    def outcomes(self) -> Counter[str]:
        """How often each code was answered, ``"OK"`` for what was let in."""
        with self._counts_lock:
            return Counter(self._outcomes)

    def _guard(self, request: RecordedRequest) -> Reply | None:
        code = self._check(request)
        with self._counts_lock:
            self._outcomes[code] += 1
        return self._inner(request) if code == "OK" else refusal(request, code)

    def _check(self, request: RecordedRequest) -> str:
        keys = self._mint.find(request.access_key or "", request.token)
        if keys is None:
            return "InvalidAccessKeyId"
        if keys.expires <= self._mint.now():
            return "ExpiredToken"
        return "OK" if _is_signed(request, keys) else "SignatureDoesNotMatch"


def refusal(request: RecordedRequest, code: str, status: int = 400) -> Reply:
    """An error in the words of the service that a request is for."""
    if request.method == "HEAD":
        return Reply(status)
    if request.service == "s3":
        text = f"<Error><Code>{escape(code)}</Code><Message>refused</Message></Error>"
        return Reply.xml(text, status)
    if "x-www-form-urlencoded" in request.headers.get("content-type", ""):
        return Reply.xml(
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(code)}</Code>"
            "<Message>refused</Message></Error></ErrorResponse>",
            status,
        )
    return Reply.json({"__type": f"com.amazon.coral.service#{code}"}, status)


def _is_signed(request: RecordedRequest, keys: IssuedKeys) -> bool:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    _, _, given = request.headers.get("authorization", "").partition(" ")
    fields = dict(part.strip().partition("=")[::2] for part in given.split(","))
    scope = fields["Credential"].partition("/")[2]
    date, region, service, _ = scope.split("/")
    parts = urlsplit(request.target)
    path = parts.path if service == "s3" else quote(parts.path, safe="/-_.~")
    names = fields["SignedHeaders"].split(";")
    body = hashlib.sha256(request.body).hexdigest()
    lines = [
        request.method,
        path,
        "&".join(sorted(p if "=" in p else f"{p}=" for p in parts.query.split("&") if p)),
        *(f"{name}:{' '.join(request.headers[name].split())}" for name in names),
        "",
        fields["SignedHeaders"],
        request.headers.get("x-amz-content-sha256", body),
    ]
    canonical = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{request.headers['x-amz-date']}\n{scope}\n{canonical}"
    key = f"AWS4{keys.secret_key}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    right = hmac.digest(key, text.encode(), "sha256").hex()
    return hmac.compare_digest(right, fields["Signature"])

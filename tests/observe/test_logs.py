"""The log is structured: stable texts, fields by name, no secrets, all of it documented."""

from __future__ import annotations

import ast
import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from asession import Session, observe
from home import Home
from servers.identity import IdentityServer
from servers.recorder import Recorder, Reply

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/asession"
PAGE = ROOT / "docs/how-to/observability.md"
ROLE = "arn:aws:iam::123456789012:role/logged"
SECRET = "a-secret-key-that-shows-nowhere"
TOKEN = "a-session-token-that-shows-nowhere"
PLAIN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonLines(logging.Handler):
    """What a formatter of JSON makes of records: their text and all fields of their own."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        told = {name: value for name, value in vars(record).items() if name not in PLAIN}
        line = {"logger": record.name, "message": record.getMessage(), "text": record.msg, **told}
        self.records.append(json.loads(json.dumps(line, default=datetime.isoformat)))

    def of(self, event: str) -> list[dict[str, Any]]:
        return [record for record in self.records if record["event"] == event]


@pytest.fixture
def log() -> Iterator[JsonLines]:
    """The records of this package, all of them."""
    logger, kept = logging.getLogger("asession"), JsonLines()
    level = logger.level
    logger.addHandler(kept)
    logger.setLevel(logging.DEBUG)
    yield kept
    logger.removeHandler(kept)
    logger.setLevel(level)


def session_to(url: str, **kwargs: Any) -> Session:
    keys = {"aws_access_key_id": "AKIALOGGED", "aws_secret_access_key": SECRET}
    given = {**keys, "region_name": "eu-west-1", "environ": {}, **kwargs}
    return Session(endpoint_url=url, **given)


async def test_a_call_is_logged_with_its_fields(log: JsonLines) -> None:
    answer = Reply(
        200,
        {"x-amz-request-id": "REQUEST-1"},
        b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>",
    )
    with Recorder(lambda _: answer) as server:
        async with session_to(server.url) as session, session.client("s3") as s3:
            await s3.list_buckets()
    [called] = log.of("client.called")
    assert 0 < called.pop("duration") < 60
    assert called == {
        "event": "client.called",
        "logger": "asession.client",
        "text": "called %(service)s.%(operation)s in %(region)s: %(status)s",
        "message": "called s3.ListBuckets in eu-west-1: 200",
        "service": "s3",
        "operation": "ListBuckets",
        "region": "eu-west-1",
        "status": 200,
        "request_id": "REQUEST-1",
        "retries": 0,
        "error": None,
    }
    [answered] = log.of("http.answered")
    assert answered["connection"] == 1
    assert answered["message"] == f"GET 127.0.0.1:{server.port} -> 200"
    assert [record["event"] for record in log.records] == [
        "client.opened",
        "connection.opened",
        "http.answered",
        "client.called",
        "client.closed",
        "connection.closed",
    ]


async def test_a_call_that_fails_is_logged_with_its_error(log: JsonLines) -> None:
    denied = b"<Error><Code>NotForYou</Code></Error>"
    with Recorder(lambda _: Reply(403, {}, denied)) as server:
        async with session_to(server.url) as session, session.client("s3") as s3:
            with pytest.raises(s3.exceptions.ClientError):
                await s3.list_buckets()
    [called] = log.of("client.called")
    assert (called["status"], called["error"]) == (403, "ClientError")
    [failed] = log.of("attempt.failed")
    assert failed["message"] == "attempt 1 of s3.ListBuckets failed: NotForYou"


async def test_every_record_has_a_name_and_its_fields_are_in_its_text(
    log: JsonLines, identity: IdentityServer
) -> None:
    audit = session_to(identity.url).assume_role(ROLE)
    async with audit, audit.client("sts") as sts:
        await sts.get_caller_identity()
    assert {"credentials.refreshing", "credentials.refreshed"} <= {
        record["event"] for record in log.records
    }
    for record in log.records:
        named = set(re.findall(r"%\((\w+)\)", record["text"]))
        assert named
        assert named <= set(record)
        assert record["message"] == record["text"] % record


async def test_no_secret_is_logged_whatever_is_done(
    log: JsonLines,
    identity: IdentityServer,
    moto_url: str,
    random_name: Callable[[], str],
    home: Home,
) -> None:
    home.write_config(
        "[profile corp]\nsso_session = corp\nsso_account_id = 123456789012\n"
        "sso_role_name = reader\n[sso-session corp]\nsso_start_url = https://x/start\n"
        "sso_region = us-east-1\nsso_registration_scopes = sso:account:access\n"
    )
    cache = home.path / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    soon = datetime.now(UTC) + timedelta(seconds=5)
    registered = datetime.now(UTC) + timedelta(days=9)
    kept = {
        "startUrl": "https://x/start",
        "region": "us-east-1",
        "accessToken": "old-access-token",
        "expiresAt": soon.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "refreshToken": "old-refresh-token",
        "clientId": "client",
        "clientSecret": "client-secret-value",
        "registrationExpiresAt": registered.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    (cache / f"{sha1(b'corp').hexdigest()}.json").write_text(json.dumps(kept), "utf-8")
    corp = Session(profile_name="corp", region_name="eu-west-1", endpoint_url=identity.url)
    async with corp, corp.client("sts") as sts:
        await sts.get_caller_identity()
    audit = session_to(identity.url, aws_session_token=TOKEN).assume_role(ROLE)
    async with audit, audit.client("sts") as sts:
        await sts.get_caller_identity()
        identity.fail("sts:GetCallerIdentity", times=1, code="ExpiredToken")
        await sts.get_caller_identity()
    bucket = random_name()
    urls: list[str] = []
    async with session_to(moto_url, region_name="us-east-1", aws_session_token=TOKEN) as session:
        async with session.client("s3") as s3:
            await s3.create_bucket(Bucket=bucket)
            await s3.upload_fileobj(BytesIO(b"data"), bucket, "key")
            params = {"Bucket": bucket, "Key": "key"}
            urls.append(await s3.generate_presigned_url("get_object", Params=params))
            post = await s3.generate_presigned_post(bucket, "key")
            urls += [post["fields"]["policy"], post["fields"]["signature"]]
        async with session.client("secretsmanager") as vault:
            await vault.create_secret(Name=random_name(), SecretString="the-hidden-value")
    assert {call.operation for call in identity.calls} >= {"sso-oidc:CreateToken", "sts:AssumeRole"}
    secrets = {SECRET, TOKEN, "the-hidden-value", "client-secret-value", *urls}
    secrets |= {"old-access-token", "old-refresh-token", "access-token-1", "refresh-token-1"}
    for keys in identity.mint.issued:
        secrets |= {keys.secret_key, keys.token}
    text = json.dumps(log.records)
    assert len(log.records) > 20
    assert [secret for secret in secrets if secret in text] == []


def modules() -> Iterator[tuple[str, ast.Module]]:
    """The modules of the source that log to loggers of this package."""
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text("utf-8")
        if not re.search(r'getLogger\("(?:aio)?botocore', text):
            yield path.relative_to(SOURCE).as_posix(), ast.parse(text)


def calls(tree: ast.Module, *names: str) -> Iterator[ast.Call]:
    """The calls of functions and methods with these names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else None
            if (function.id if isinstance(function, ast.Name) else name) in names:
                yield node


def texts(nodes: Iterable[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def documented(pattern: str) -> list[str]:
    return re.findall(pattern, PAGE.read_text("utf-8"), re.MULTILINE)


def test_all_records_are_written_in_one_place() -> None:
    levels = ("debug", "info", "warning", "error", "exception", "critical")
    loose = {
        name: [ast.unparse(call) for call in found]
        for name, tree in modules()
        if (found := [call for call in calls(tree, *levels) if "log" in ast.unparse(call.func)])
    }
    assert loose == {}


def test_every_logger_is_documented() -> None:
    named = {
        name for _, tree in modules() for c in calls(tree, "getLogger") for name in texts(c.args)
    }
    rows = documented(r"^\| `(asession\.[a-z0-9]+)` \|")
    assert len(rows) == len(set(rows))
    assert set(rows) == {name for name in named if name.startswith("asession.")}


def test_every_event_is_documented() -> None:
    names = {c.args[2] for _, tree in modules() for c in calls(tree, "log") if len(c.args) > 2}
    logged = set(texts(names))
    assert {"http.answered", "client.called", "credentials.kept"} <= logged
    told = {kind.name for kind in vars(observe).values() if getattr(kind, "name", "")}
    assert {"client.opened", "connection.released"} <= told
    page = PAGE.read_text("utf-8")
    assert sorted(name for name in logged | told if f"| `{name}` |" not in page) == []

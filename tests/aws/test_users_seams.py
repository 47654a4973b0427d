"""Where users, stubs and instrumentation reach into a client, ours is as upstream's."""

from __future__ import annotations

import logging
from urllib.parse import parse_qs, urlsplit
from zlib import crc32

import pytest
from aiobotocore.awsrequest import AioAWSResponse
from aiobotocore.client import AioBaseClient
from aiobotocore.session import get_session
from aiobotocore.stub import AioStubber
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.endpoint import Endpoint
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.history import HistoryRecorder, get_global_history_recorder

from asession import Session
from servers.messages import RecordedRequest, Reply
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio

NOWHERE = "http://127.0.0.1:9"
LIST = (
    b"<ListAllMyBucketsResult><Buckets><Bucket><Name>b</Name></Bucket></Buckets>"
    b"</ListAllMyBucketsResult>"
)
FAULT = b"<Error><Code>SlowDown</Code><Message>m</Message></Error>"


def session_at(url: str, **kwargs: object) -> Session:
    return Session("AKIAX", "secret", region_name="us-east-1", endpoint_url=url, **kwargs)


class Body:
    """The body of a response that a test makes up, as mocks of AWS have it."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    async def read(self, amount: int = -1) -> bytes:
        data, self.data = self.data, b""
        return data


class Foreign(AWSResponse):
    """A response that is not aiobotocore's: its content is a coroutine all the same."""

    def __init__(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.url = "http://127.0.0.1/"
        self.status_code = status
        self.headers = headers
        self.raw = Body(data)
        self.data = data

    @property
    def content(self):
        async def read():
            return self.data

        return read()


async def test_a_stubbed_client_answers_what_it_was_told() -> None:
    async with session_at(NOWHERE) as session:
        s3 = await session.client("s3")
        with AioStubber(s3) as stub:
            stub.add_response("list_buckets", {"Buckets": [{"Name": "b"}]}, {})
            stub.add_response(
                "put_object", {"ETag": '"e"'}, {"Bucket": "b", "Key": "k", "Body": b"x"}
            )
            stub.add_client_error("get_object", "NoSuchKey", http_status_code=404)
            assert (await s3.list_buckets())["Buckets"] == [{"Name": "b"}]
            assert (await s3.put_object(Bucket="b", Key="k", Body=b"x"))["ETag"] == '"e"'
            with pytest.raises(s3.exceptions.NoSuchKey):
                await s3.get_object(Bucket="b", Key="k")
            stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("aiobotocore's", "legacy"), ("another", "legacy"), ("another", "standard")],
)
async def test_a_handler_before_sending_answers_instead(kind: str, mode: str) -> None:
    asked = []

    def answer(request, **kwargs):
        asked.append(request.url)
        status, data = (503, FAULT) if len(asked) == 1 else (200, LIST)
        headers = {"x-amz-request-id": "made-up", "Content-Type": "application/xml"}
        if kind == "another":
            return Foreign(status, headers, data)
        return AioAWSResponse(request.url, status, headers, Body(data))

    config = Config(retries={"mode": mode, "total_max_attempts": 2})
    async with session_at(NOWHERE) as session:
        s3 = await session.client("s3", config=config)
        s3.meta.events.register("before-send.s3.ListBuckets", answer)
        got = await s3.list_buckets()
    assert got["Buckets"] == [{"Name": "b"}]
    assert got["ResponseMetadata"]["HTTPHeaders"]["x-amz-request-id"] == "made-up"
    assert got["ResponseMetadata"]["RetryAttempts"] == 1
    assert len(asked) == 2


async def test_a_made_up_dynamodb_answer_is_checked_as_upstream_does() -> None:
    def answer(request, **kwargs):
        return Foreign(200, {"x-amz-crc32": str(crc32(b"{}"))}, b"{}")

    async with session_at(NOWHERE) as session:
        dynamodb = await session.client("dynamodb")
        dynamodb.meta.events.register("before-send.dynamodb", answer)
        assert (await dynamodb.list_tables())["ResponseMetadata"]["RetryAttempts"] == 0


async def test_handlers_registered_after_calls_are_called() -> None:
    seen: list[str] = []

    def note(event_name: str, **kwargs: object) -> None:
        seen.append(event_name.split(".", maxsplit=1)[0])

    with Recorder(lambda request: Reply.xml(LIST.decode())) as aws:
        async with session_at(aws.url) as session:
            s3 = await session.client("s3")
            await s3.list_buckets()
            names = (
                "provide-client-params",
                "before-parameter-build",
                "before-call",
                "request-created",
                "choose-signer",
                "before-sign",
                "before-send",
                "before-parse",
                "response-received",
                "needs-retry",
                "after-call",
            )
            for name in names:
                s3.meta.events.register(f"{name}.s3.ListBuckets", note)
            await s3.list_buckets()
            assert sorted(seen) == sorted(names)
            for name in names:
                s3.meta.events.unregister(f"{name}.s3.ListBuckets", note)
            await s3.list_buckets()
            assert len(seen) == len(names)


async def test_what_was_received_is_told_also_if_nothing_was() -> None:
    told = []

    async def note(response_dict, parsed_response, exception, context, **kwargs):
        told.append((response_dict, parsed_response, exception, context))

    with Recorder(lambda request: Reply.xml(LIST.decode())) as aws:
        async with session_at(aws.url) as session:
            s3 = await session.client("s3")
            s3.meta.events.register("response-received.s3", note)
            await s3.list_buckets()
    response, parsed, exception, context = told.pop()
    assert response["status_code"] == 200
    assert response["body"] == LIST
    assert parsed["Buckets"] == [{"Name": "b"}]
    assert exception is None
    assert context["client_region"]
    async with session_at(NOWHERE) as session:
        s3 = await session.client("s3", config=Config(retries={"total_max_attempts": 1}))
        s3.meta.events.register("response-received.s3", note)
        with pytest.raises(EndpointConnectionError):
            await s3.list_buckets()
    response, parsed, exception, context = told.pop()
    assert (response, parsed) == (None, None)
    assert isinstance(exception, EndpointConnectionError)


async def test_instrumentation_of_upstreams_classes_sees_calls(monkeypatch) -> None:
    """As OpenTelemetry's, which wraps these two."""
    calls, prepared = [], []
    call, prepare = AioBaseClient._make_api_call, Endpoint.prepare_request

    async def traced_call(self, operation_name, api_params):
        calls.append(operation_name)
        return await call(self, operation_name, api_params)

    def traced_prepare(self, request):
        request.headers["traceparent"] = "00-1-2-01"
        prepared.append(request.url)
        return prepare(self, request)

    async with session_at(NOWHERE) as session:
        once = Config(retries={"total_max_attempts": 1})
        early = await session.client("s3", config=once)
        with Recorder(lambda request: Reply.xml(LIST.decode())) as aws:
            monkeypatch.setattr(AioBaseClient, "_make_api_call", traced_call)
            monkeypatch.setattr(Endpoint, "prepare_request", traced_prepare)
            late = await session.client("s3", endpoint_url=aws.url)
            await late.list_buckets()
            await late.get_paginator("list_buckets").paginate().build_full_result()
            with pytest.raises(EndpointConnectionError):
                await early.list_buckets()
            sent = [request.headers["traceparent"] for request in aws.requests]
    assert calls == ["ListBuckets"] * 3
    assert sent == ["00-1-2-01"] * 2
    assert len(prepared) >= 3


async def test_headers_and_history_are_those_of_aiobotocore(anyio_backend_name) -> None:
    def reply(request: RecordedRequest) -> Reply:
        headers = {"X-Amz-Request-Id": "r", "ETag": '"e"', "X-Odd-CASE": "a  b", "Content-Type": ""}
        return Reply(200, headers, LIST)

    events: list[tuple[str, object]] = []

    class Handler:
        def emit(self, event_type, payload, source):
            events.append((event_type, payload))

    recorder: HistoryRecorder = get_global_history_recorder()
    handler = Handler()
    recorder.add_handler(handler)
    recorder.enable()
    try:
        with Recorder(reply) as aws:
            async with session_at(aws.url) as session:
                ours = await (await session.client("s3")).list_buckets()
            mine, events[:] = list(events), []
            if anyio_backend_name == "trio":
                assert [name for name, _ in mine][-2:] == ["HTTP_RESPONSE", "PARSED_RESPONSE"]
                return
            async with get_session().create_client(
                "s3",
                region_name="us-east-1",
                endpoint_url=aws.url,
                aws_access_key_id="AKIAX",
                aws_secret_access_key="secret",
            ) as s3:
                theirs = await s3.list_buckets()
    finally:
        recorder.disable()
        recorder._handlers.remove(handler)
    headers = [got["ResponseMetadata"]["HTTPHeaders"] for got in (ours, theirs)]
    assert next({k: v for k, v in h.items() if k != "date"} for h in headers) == headers[1]
    assert [name for name, _ in mine] == [name for name, _ in events]
    for (name, one), (_, other) in zip(mine, events, strict=True):
        assert type(one) is type(other), name
        assert not isinstance(one, dict) or set(one) == set(other), name


async def test_presigned_urls_and_posts_are_as_upstreams(anyio_backend_name) -> None:
    config = Config(signature_version="s3v4")
    async with session_at("http://s3.test") as session:
        s3 = await session.client("s3", config=config)
        url = await s3.generate_presigned_url("get_object", {"Bucket": "bkt", "Key": "a b/ä"}, 60)
        post = await s3.generate_presigned_post("bkt", "k", Conditions=[["starts-with", "$a", ""]])
    query = parse_qs(urlsplit(url).query)
    assert query["X-Amz-Expires"] == ["60"]
    assert len(query["X-Amz-Signature"][0]) == 64
    assert {"key", "policy", "x-amz-signature"} <= set(post["fields"])
    if anyio_backend_name == "trio":
        return
    async with get_session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url="http://s3.test",
        aws_access_key_id="AKIAX",
        aws_secret_access_key="secret",
        config=config,
    ) as theirs:
        other = await theirs.generate_presigned_url(
            "get_object", {"Bucket": "bkt", "Key": "a b/ä"}, 60
        )
        form = await theirs.generate_presigned_post(
            "bkt", "k", Conditions=[["starts-with", "$a", ""]]
        )
    assert urlsplit(other).path == urlsplit(url).path
    assert set(parse_qs(urlsplit(other).query)) == set(query)
    assert post["url"] == form["url"]
    assert list(post["fields"]) == list(form["fields"])


async def test_the_debug_log_tells_what_upstreams_tells(caplog) -> None:
    answers = [Reply.xml(FAULT.decode(), 503), Reply.xml(LIST.decode())]
    with Recorder(lambda request: answers.pop(0)) as aws, caplog.at_level(logging.DEBUG):
        async with session_at(aws.url) as session:
            await (await session.client("s3")).list_buckets()
    said = {(record.name, record.getMessage().split(":")[0]) for record in caplog.records}
    assert ("botocore.endpoint", "Sending http request") in said
    assert any(name == "botocore.hooks" for name, _ in said)
    assert any(name == "botocore.auth" for name, _ in said)
    assert any(name == "botocore.endpoint" and "retry" in text for name, text in said)
    assert any(name == "botocore.parsers" for name, _ in said)
    assert "secret" not in caplog.text.replace("Secret", "")


@pytest.mark.parametrize("mode", ["standard", "adaptive"])
async def test_quotas_of_retries_are_drawn_and_given_back(mode: str) -> None:
    """A failure costs 5 of 500, what follows it gives back what it took."""
    answers = [Reply.xml(FAULT.decode(), 503), Reply.xml(LIST.decode()), Reply.xml(LIST.decode())]
    config = Config(retries={"mode": mode, "total_max_attempts": 2})
    with Recorder(lambda request: answers.pop(0)) as aws:
        async with session_at(aws.url) as session:
            s3 = await session.client("s3", config=config)
            quota = quota_of(s3)
            assert quota.available_capacity == 500
            seen = []
            s3.meta.events.register_last(
                "request-created.s3", lambda **kwargs: seen.append(quota.available_capacity)
            )
            await s3.list_buckets()
            assert quota.available_capacity == 500
            await s3.list_buckets()
    assert seen == [500, 495, 500]


@pytest.mark.parametrize("mode", ["standard", "adaptive"])
async def test_a_body_for_one_reading_draws_no_quota_for_a_try_that_cannot_be(mode: str) -> None:
    async def once():
        yield b"0123456789"

    config = Config(retries={"mode": mode}, s3={"payload_signing_enabled": False})
    with Recorder(lambda request: Reply.xml(FAULT.decode(), 503)) as aws:
        async with session_at(aws.url) as session:
            s3 = await session.client("s3", config=config)
            with pytest.raises(ClientError, match="SlowDown"):
                await s3.put_object(Bucket="b", Key="k", Body=once(), ContentLength=10)
            assert quota_of(s3).available_capacity == 500
            assert len(aws.requests) == 1


def quota_of(client):
    for handler in client.meta.events.handlers_of("needs-retry.s3"):
        checker = getattr(getattr(handler, "__self__", None), "_retry_quota", None)
        if checker is not None:
            return checker._quota
    raise AssertionError("no quota")


async def test_an_error_without_a_handler_of_ours_is_a_client_error() -> None:
    with Recorder(lambda request: Reply.xml(FAULT.decode(), 400)) as aws:
        async with session_at(aws.url) as session:
            s3 = await session.client("s3")
            with pytest.raises(ClientError, match="SlowDown"):
                await s3.list_buckets()

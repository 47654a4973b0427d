"""OpenTelemetry's instrumentation of aiobotocore sees our clients as it sees aiobotocore's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import anyio
import pytest
from aiobotocore.client import AioBaseClient
from botocore.endpoint import Endpoint
from botocore.exceptions import ClientError, EndpointConnectionError
from opentelemetry import trace
from opentelemetry.instrumentation.botocore import AiobotocoreInstrumentor, BotocoreInstrumentor
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, Tracer

from asession import Config, Session, TransferConfig
from servers.identity import IdentityServer
from servers.recorder import RecordedRequest, Recorder, Reply

pytestmark = pytest.mark.anyio

KEYS = {"aws_access_key_id": "AKIATRACED", "aws_secret_access_key": "secret"}
BUCKETS = b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"
ROLE = "arn:aws:iam::123456789012:role/traced"


class Traced:
    """Spans of one test: a provider of its own, and the instrumentation, on at first."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer: Tracer = self.provider.get_tracer("test")
        self.instrumentor = AiobotocoreInstrumentor()

    def on(self) -> None:
        self.instrumentor.instrument(tracer_provider=self.provider)

    def off(self) -> None:
        if self.instrumentor.is_instrumented_by_opentelemetry:
            self.instrumentor.uninstrument()

    @property
    def spans(self) -> list[ReadableSpan]:
        """Those that ended, but for the test's own."""
        ended = self._exporter.get_finished_spans()
        return [span for span in ended if span.instrumentation_scope.name != "test"]

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.spans]

    def clear(self) -> None:
        self._exporter.clear()


@pytest.fixture
def traced() -> Iterator[Traced]:
    traced = Traced()
    yield traced
    traced.off()
    traced.provider.shutdown()


def session_to(url: str, **kwargs: Any) -> Session:
    return Session(**KEYS, region_name="eu-west-1", endpoint_url=url, environ={}, **kwargs)


def trace_ids(requests: list[RecordedRequest]) -> set[str]:
    """The trace ids that requests carry, as hexadecimal digits."""
    found = set()
    for request in requests:
        root = request.headers["x-amzn-trace-id"].split(";")[0].removeprefix("Root=1-")
        found.add(root.replace("-", ""))
    return found


def of_parent(span: trace.Span) -> Callable[[ReadableSpan], bool]:
    context = span.get_span_context()
    return lambda child: child.parent is not None and child.parent.span_id == context.span_id


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_call_is_one_span_with_the_attributes_of_the_conventions(
    traced: Traced, when: str
) -> None:
    answer = Reply(200, {"x-amz-request-id": "REQUEST-1"}, BUCKETS)
    with Recorder(lambda _: answer) as server:
        if when == "before":
            traced.on()
        async with session_to(server.url) as session, session.client("s3") as s3:
            if when == "after":
                traced.on()
            with traced.tracer.start_as_current_span("mine") as mine:
                await s3.list_buckets()
        [span] = traced.spans
        assert span.name == "S3.ListBuckets"
        assert span.kind is SpanKind.CLIENT
        assert span.status.status_code is StatusCode.UNSET
        assert of_parent(mine)(span)
        assert dict(span.attributes or {}) == {
            "rpc.system": "aws-api",
            "rpc.service": "S3",
            "rpc.method": "ListBuckets",
            "cloud.region": "eu-west-1",
            "server.address": "127.0.0.1",
            "server.port": server.port,
            "aws.request_id": "REQUEST-1",
            "retry_attempts": 0,
            "http.status_code": 200,
        }
        [request] = server.requests
        sent = request.headers["x-amzn-trace-id"]
        context = span.get_span_context()
        assert trace_ids([request]) == {format(context.trace_id, "032x")}
        assert f"Parent={context.span_id:016x};Sampled=1" in sent


async def test_without_the_instrumentation_nothing_is_traced_and_nothing_stays_patched(
    traced: Traced,
) -> None:
    before = vars(AioBaseClient)["_make_api_call"], vars(Endpoint)["prepare_request"]
    with Recorder(lambda _: Reply(200, {}, BUCKETS)) as server:
        async with session_to(server.url) as session, session.client("s3") as s3:
            traced.on()
            await s3.list_buckets()
            traced.off()
            await s3.list_buckets()
        async with session_to(server.url) as session, session.client("s3") as s3:
            await s3.list_buckets()
        assert len(traced.spans) == 1
        assert ["x-amzn-trace-id" in request.headers for request in server.requests] == [
            True,
            False,
            False,
        ]
    assert (vars(AioBaseClient)["_make_api_call"], vars(Endpoint)["prepare_request"]) == before


async def test_the_instrumentation_of_botocore_besides_changes_nothing(traced: Traced) -> None:
    other = BotocoreInstrumentor()
    other.instrument(tracer_provider=traced.provider)
    try:
        traced.on()
        with Recorder(lambda _: Reply(200, {}, BUCKETS)) as server:
            async with session_to(server.url) as session, session.client("s3") as s3:
                await s3.list_buckets()
            assert traced.names == ["S3.ListBuckets"]
            [request] = server.requests
            assert [name.lower() for name, _ in request.raw_headers].count("x-amzn-trace-id") == 1
    finally:
        traced.off()
        other.uninstrument()


async def test_hooks_of_the_instrumentation_get_the_parameters_and_the_answer(
    traced: Traced,
) -> None:
    seen: list[Any] = []
    traced.instrumentor.instrument(
        tracer_provider=traced.provider,
        request_hook=lambda _span, *call: seen.append(call),
        response_hook=lambda _span, *call: seen.append((*call[:2], call[2]["Buckets"])),
    )
    with Recorder(lambda _: Reply(200, {}, BUCKETS)) as server:
        async with session_to(server.url) as session, session.client("s3") as s3:
            await s3.list_buckets(MaxBuckets=3)
    assert seen == [("s3", "ListBuckets", {"MaxBuckets": 3}), ("s3", "ListBuckets", [])]


@pytest.mark.parametrize("mode", ["legacy", "standard"])
async def test_a_call_that_is_tried_again_is_one_span_and_each_try_carries_its_trace(
    traced: Traced, mode: str
) -> None:
    replies = iter([Reply(503), Reply(200, {}, BUCKETS)])
    traced.on()
    config = Config(retries={"mode": mode, "max_attempts": 4})
    with Recorder(lambda _: next(replies)) as server:
        async with session_to(server.url, config=config) as session, session.client("s3") as s3:
            await s3.list_buckets()
        [span] = traced.spans
        assert span.attributes is not None
        assert span.attributes["retry_attempts"] == 1
        assert span.attributes["http.status_code"] == 200
        assert len(server.requests) == 2
        assert trace_ids(server.requests) == {f"{span.get_span_context().trace_id:032x}"}


async def test_a_refusal_is_on_the_span(traced: Traced) -> None:
    denied = b"<Error><Code>NotForYou</Code><Message>no</Message></Error>"
    traced.on()
    with Recorder(lambda _: Reply(403, {"x-amz-request-id": "R2"}, denied)) as server:
        async with session_to(server.url) as session, session.client("s3") as s3:
            with pytest.raises(ClientError):
                await s3.list_buckets()
    [span] = traced.spans
    assert span.status.status_code is StatusCode.ERROR
    assert "NotForYou" in str(span.status.description)
    assert span.attributes is not None
    assert span.attributes["http.status_code"] == 403
    assert span.attributes["aws.request_id"] == "R2"
    [event] = span.events
    assert event.name == "exception"
    assert event.attributes is not None
    assert event.attributes["exception.type"] == "botocore.exceptions.ClientError"


async def test_a_peer_that_cannot_be_reached_is_on_the_span(traced: Traced) -> None:
    with Recorder() as server:
        gone = server.url
    traced.on()
    config = Config(retries={"max_attempts": 0})
    async with session_to(gone, config=config) as session, session.client("s3") as s3:
        with pytest.raises(EndpointConnectionError):
            await s3.list_buckets()
    [span] = traced.spans
    assert span.status.status_code is StatusCode.ERROR
    assert [event.name for event in span.events] == ["exception"]


async def test_calls_of_many_tasks_each_have_the_parent_of_their_task(traced: Traced) -> None:
    parents: dict[int, trace.Span] = {}
    traced.on()
    with Recorder(lambda _: Reply(200, {}, BUCKETS)) as server:
        async with session_to(server.url) as session, session.client("s3") as s3:

            async def call(number: int) -> None:
                with traced.tracer.start_as_current_span(f"task {number}") as mine:
                    parents[number] = mine
                    await s3.list_buckets(MaxBuckets=number)

            async with anyio.create_task_group() as group:
                for number in range(1, 21):
                    group.start_soon(call, number)
        assert len(traced.spans) == 20
        for mine in parents.values():
            assert len(list(filter(of_parent(mine), traced.spans))) == 1
        for request in server.requests:
            mine = parents[int(request.query["max-buckets"])]
            assert trace_ids([request]) == {f"{mine.get_span_context().trace_id:032x}"}


async def test_what_is_suppressed_is_not_traced(traced: Traced) -> None:
    traced.on()
    with Recorder(lambda _: Reply(200, {}, BUCKETS)) as server:
        async with session_to(server.url) as session, session.client("s3") as s3:
            with suppress_instrumentation():
                await s3.list_buckets()
    assert traced.spans == []


async def test_a_role_is_assumed_within_the_call_that_needs_it(
    traced: Traced, identity: IdentityServer
) -> None:
    traced.on()
    async with session_to(identity.url).assume_role(ROLE) as audit, audit.client("sts") as sts:
        await sts.get_caller_identity()
        await sts.get_caller_identity()
    assert traced.names == ["STS.AssumeRole", "STS.GetCallerIdentity", "STS.GetCallerIdentity"]
    assumed, asked, _again = traced.spans
    assert assumed.parent is not None
    assert assumed.parent.span_id == asked.get_span_context().span_id


async def test_only_the_one_that_asks_for_credentials_has_their_span(
    traced: Traced, identity: IdentityServer
) -> None:
    traced.on()
    async with session_to(identity.url).assume_role(ROLE) as audit, audit.client("sts") as sts:
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(sts.get_caller_identity)
    assert sorted(traced.names) == ["STS.AssumeRole"] + ["STS.GetCallerIdentity"] * 10


async def test_pages_waits_resources_and_bodies_are_traced_call_by_call(
    traced: Traced, moto_url: str, random_name: Callable[[], str]
) -> None:
    bucket = random_name()
    traced.on()
    async with (
        Session(**KEYS, region_name="us-east-1", endpoint_url=moto_url, environ={}) as session,
        session.client("s3") as s3,
        session.resource("s3") as resource,
    ):
        await s3.create_bucket(Bucket=bucket)
        for key in ("a", "b", "c"):
            await s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        traced.clear()
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, PaginationConfig={"PageSize": 1}
        )
        assert [page["KeyCount"] async for page in pages] == [1, 1, 1]
        assert traced.names == ["S3.ListObjectsV2"] * 3
        traced.clear()
        await s3.get_waiter("object_exists").wait(Bucket=bucket, Key="a")
        assert traced.names == ["S3.HeadObject"]
        traced.clear()
        assert [item.key async for item in resource.Bucket(bucket).objects.all()] == ["a", "b", "c"]
        await resource.Object(bucket, "b").load()
        assert traced.names == ["S3.ListObjects", "S3.HeadObject"]
        traced.clear()
        answer = await s3.get_object(Bucket=bucket, Key="c")
        assert await answer["Body"].read() == b"x"
        await s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "c"})
        assert traced.names == ["S3.GetObject"]


async def test_the_calls_of_a_transfer_are_children_of_the_span_around_it(
    traced: Traced, moto_url: str, random_name: Callable[[], str]
) -> None:
    bucket, part = random_name(), 5 * 1024 * 1024
    config = TransferConfig(multipart_threshold=part, multipart_chunksize=part, max_concurrency=4)
    traced.on()
    async with (
        Session(**KEYS, region_name="us-east-1", endpoint_url=moto_url, environ={}) as session,
        session.client("s3") as s3,
    ):
        await s3.create_bucket(Bucket=bucket)
        traced.clear()
        with traced.tracer.start_as_current_span("upload") as mine:
            await s3.upload_fileobj(BytesIO(b"x" * (2 * part + 1)), bucket, "key", Config=config)
        assert all(map(of_parent(mine), traced.spans))
        assert sorted(traced.names) == [
            "S3.CompleteMultipartUpload",
            "S3.CreateMultipartUpload",
            *["S3.UploadPart"] * 3,
        ]
        traced.clear()
        with traced.tracer.start_as_current_span("download") as mine:
            await s3.download_fileobj(bucket, "key", BytesIO(), Config=config)
        assert all(map(of_parent(mine), traced.spans))
        assert traced.names.count("S3.GetObject") >= 2


async def test_what_the_instrumentation_adds_to_single_services_is_sent(traced: Traced) -> None:
    published = b"<PublishResponse><PublishResult/></PublishResponse>"

    def answer(request: RecordedRequest) -> Reply:
        is_table = request.service == "dynamodb"
        return Reply.json({}) if is_table else Reply(200, {}, published)

    traced.on()
    with Recorder(answer) as server:
        async with session_to(server.url) as session, session.client("sns") as sns:
            topic = f"arn:aws:sns:eu-west-1:123456789012:{'t' * 8}"
            await sns.publish(TopicArn=topic, Message="hello")
            async with session.client("dynamodb") as dynamodb:
                await dynamodb.get_item(TableName="orders", Key={"id": {"S": "1"}})
        [message, _] = server.requests
    publish, get = traced.spans
    assert publish.name == "tttttttt send"
    assert publish.kind is SpanKind.PRODUCER
    assert "traceparent" in message.form.values()
    context = publish.get_span_context()
    assert any(f"{context.trace_id:032x}" in value for value in message.form.values())
    assert get.attributes is not None
    assert get.attributes["aws.dynamodb.table_names"] == ("orders",)

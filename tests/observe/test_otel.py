"""The adapter to OpenTelemetry: spans in their place, metrics that add up."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from opentelemetry import context, trace
from opentelemetry.instrumentation.botocore import AiobotocoreInstrumentor
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.metrics import http_metrics
from opentelemetry.trace import StatusCode

from asession import Config, Credentials, Session
from asession.observe import Event
from asession.observe.otel import OpenTelemetryObserver
from servers.identity import IdentityServer
from servers.recorder import Recorder, Reply

pytestmark = pytest.mark.anyio

KEYS = {"aws_access_key_id": "AKIAOTEL", "aws_secret_access_key": "secret"}
ROLE = "arn:aws:iam::123456789012:role/otel"
BUCKETS = b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"


class Telemetry:
    """Providers of one test, what they were given, and an observer that gives it."""

    def __init__(self) -> None:
        self._exporter, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider(metric_readers=[self._reader])
        self.tracer = self.tracers.get_tracer("test")
        self.observer = OpenTelemetryObserver(
            tracer_provider=self.tracers, meter_provider=self.meters
        )

    def session(self, url: str, **kwargs: Any) -> Session:
        given = {**KEYS, "region_name": "eu-west-1", "environ": {}, **kwargs}
        return Session(endpoint_url=url, observers=[self.observer], **given)

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def span(self, name: str) -> ReadableSpan:
        [found] = [span for span in self.spans if span.name == name]
        return found

    def points(self, name: str) -> dict[frozenset[tuple[str, Any]], Any]:
        """The data points of a metric by their attributes: values, or counts of histograms."""
        data = self._reader.get_metrics_data()
        assert data is not None
        found: dict[frozenset[tuple[str, Any]], Any] = {}
        for resource in data.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    if metric.name == name:
                        for point in metric.data.data_points:
                            key = frozenset((point.attributes or {}).items())
                            value = getattr(point, "value", None)
                            found[key] = point.count if value is None else value  # type: ignore[union-attr]
        return found

    def by(self, name: str, attribute: str) -> dict[Any, Any]:
        """The data points of a metric by one of their attributes, added up."""
        sums: dict[Any, Any] = {}
        for key, value in self.points(name).items():
            kind = dict(key).get(attribute)
            sums[kind] = sums.get(kind, 0) + value
        return sums


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    telemetry = Telemetry()
    instrumentor = AiobotocoreInstrumentor()
    instrumentor.instrument(tracer_provider=telemetry.tracers, meter_provider=telemetry.meters)
    yield telemetry
    instrumentor.uninstrument()
    telemetry.tracers.shutdown()
    telemetry.meters.shutdown()


def parent_of(span: ReadableSpan, spans: list[ReadableSpan]) -> str | None:
    ids = {other.get_span_context().span_id: other.name for other in spans}
    return None if span.parent is None else ids[span.parent.span_id]


async def test_the_spans_of_a_call_are_a_tree(
    telemetry: Telemetry, identity: IdentityServer
) -> None:
    audit = telemetry.session(identity.url).assume_role(ROLE)
    with telemetry.tracer.start_as_current_span("mine"):
        async with audit, audit.client("sts") as sts:
            await sts.get_caller_identity()
        assert trace.get_current_span().is_recording()
    spans = telemetry.spans
    tree = {(span.name, parent_of(span, spans)) for span in spans}
    assert tree == {
        ("mine", None),
        ("asession.client.open", "mine"),
        ("STS.GetCallerIdentity", "mine"),
        ("asession.credentials.refresh", "STS.GetCallerIdentity"),
        ("STS.AssumeRole", "asession.credentials.refresh"),
        ("asession.connection.open", "STS.AssumeRole"),
    }
    assert len({span.get_span_context().trace_id for span in spans}) == 1
    assert {span.status.status_code for span in spans} == {StatusCode.UNSET}
    refresh = telemetry.span("asession.credentials.refresh")
    attributes = dict(refresh.attributes or {})
    assert str(attributes.pop("asession.credentials.expires_at")).startswith("20")
    assert attributes == {
        "asession.credentials.source": "assume-role",
        "asession.credentials.profile": "default",
        "asession.credentials.reason": "first",
        "asession.credentials.outcome": "refreshed",
    }
    opened = telemetry.span("asession.connection.open")
    assert opened.start_time is not None
    assert opened.end_time is not None
    assert opened.end_time > opened.start_time


async def test_the_metrics_of_connections_add_up(telemetry: Telemetry) -> None:
    with Recorder(lambda _: Reply(200, {}, BUCKETS)) as server:
        async with telemetry.session(server.url) as session, session.client("s3") as s3:
            for _ in range(3):
                await s3.list_buckets()
            name = "http.client.open_connections"
            assert telemetry.by(name, "http.connection.state") == {"active": 0, "idle": 1}
            assert telemetry.by("asession.client.open_clients", "asession.service") == {"s3": 1}
        assert telemetry.by(name, "http.connection.state") == {"active": 0, "idle": 0}
        [key] = telemetry.points("asession.connection.reuses")
        assert dict(key) == {
            "server.address": "127.0.0.1",
            "server.port": server.port,
            "url.scheme": "http",
        }
    assert telemetry.points("asession.connection.reuses")[key] == 2
    assert telemetry.by("asession.connection.open.duration", "error.type") == {None: 1}
    reason = "asession.connection.close_reason"
    assert telemetry.by("http.client.connection.duration", reason) == {"shutdown": 1}
    assert telemetry.by("asession.client.open_clients", "asession.service") == {"s3": 0}
    assert telemetry.by("asession.client.open.duration", "asession.first") == {True: 1}


def test_the_names_of_metrics_are_those_of_the_conventions() -> None:
    assert http_metrics.HTTP_CLIENT_OPEN_CONNECTIONS == "http.client.open_connections"
    assert http_metrics.HTTP_CLIENT_CONNECTION_DURATION == "http.client.connection.duration"


async def test_an_attempt_that_fails_is_an_event_of_its_call_and_counted(
    telemetry: Telemetry,
) -> None:
    replies = iter([Reply(503), Reply(200, {}, BUCKETS)])
    with Recorder(lambda _: next(replies)) as server:
        async with telemetry.session(server.url) as session, session.client("s3") as s3:
            await s3.list_buckets()
    call = telemetry.span("S3.ListBuckets")
    [event] = call.events
    attributes = dict(event.attributes or {})
    assert attributes.pop("asession.retry.delay") is not None
    assert (event.name, attributes) == (
        "asession.attempt.failed",
        {
            "error.type": "503",
            "asession.throttled": False,
            "asession.retried": True,
            "http.response.status_code": 503,
            "asession.attempt": 1,
        },
    )
    assert telemetry.by("asession.attempt.failures", "rpc.method") == {"ListBuckets": 1}


async def test_a_peer_that_is_not_there_and_a_source_that_fails_are_errors(
    telemetry: Telemetry,
) -> None:
    async def broken() -> Credentials:
        raise OSError("the vault is sealed")

    with Recorder() as server:
        gone = server.url
    config = Config(retries={"max_attempts": 0})
    async with telemetry.session(gone, config=config) as session, session.client("s3") as s3:
        with pytest.raises(Exception, match="connect"):
            await s3.list_buckets()
    sealed = Session(
        environ={}, region_name="eu-west-1", credentials=broken, observers=[telemetry.observer]
    )
    before = context.get_current()
    with pytest.raises(OSError, match="sealed"):
        await sealed.get_frozen_credentials()
    assert context.get_current() == before
    for name, error in (
        ("asession.connection.open", "ConnectFailed"),
        ("asession.credentials.refresh", "OSError"),
    ):
        span = telemetry.span(name)
        assert span.status.status_code is StatusCode.ERROR
        assert span.attributes is not None
        assert span.attributes["error.type"] == error
        assert "sealed" not in str(span.to_json())
    outcome = "asession.credentials.outcome"
    assert telemetry.by("asession.credentials.refresh.duration", outcome) == {"failed": 1}


async def test_what_is_suppressed_has_metrics_and_no_spans(
    telemetry: Telemetry, identity: IdentityServer
) -> None:
    audit = telemetry.session(identity.url).assume_role(ROLE)
    with suppress_instrumentation():
        async with audit, audit.client("sts") as sts:
            await sts.get_caller_identity()
    token = context.attach(context.set_value(context._SUPPRESS_INSTRUMENTATION_KEY, True))
    try:
        async with audit, audit.client("sts"):
            pass
    finally:
        context.detach(token)
    assert telemetry.spans == []
    source = "asession.credentials.source"
    assert telemetry.by("asession.credentials.refresh.duration", source) == {"assume-role": 1}
    state = telemetry.by("http.client.open_connections", "http.connection.state")
    assert state == {"active": 0, "idle": 0}


def test_an_unknown_event_is_passed_over() -> None:
    telemetry = Telemetry()
    telemetry.observer(Event())
    assert telemetry.spans == []


def test_it_travels_unless_it_has_providers_of_its_own() -> None:
    session = Session(observers=[OpenTelemetryObserver()])
    [arrived] = pickle.loads(pickle.dumps(session))._options.observers
    assert isinstance(arrived, OpenTelemetryObserver)
    with pytest.raises(pickle.PicklingError, match="observers="):
        pickle.dumps(Session(observers=[Telemetry().observer]))


def test_without_the_extra_the_import_says_what_to_install() -> None:
    script = (
        "import sys\n"
        "sys.modules['opentelemetry'] = None\n"
        "try:\n"
        "    import asession.observe.otel\n"
        "except ModuleNotFoundError as error:\n"
        "    print(error, error.name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "pip install 'asession[otel]' opentelemetry" in done.stdout


def test_it_may_be_made_before_the_global_providers_are_set() -> None:
    script = (
        "from asession.observe import ClientOpened\n"
        "from asession.observe.otel import OpenTelemetryObserver\n"
        "observer = OpenTelemetryObserver()\n"
        "from opentelemetry import metrics, trace\n"
        "from opentelemetry.sdk.metrics import MeterProvider\n"
        "from opentelemetry.sdk.metrics.export import InMemoryMetricReader\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor\n"
        "reader, tracers = InMemoryMetricReader(), TracerProvider()\n"
        "metrics.set_meter_provider(MeterProvider(metric_readers=[reader]))\n"
        "tracers.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))\n"
        "trace.set_tracer_provider(tracers)\n"
        "observer(ClientOpened(service='s3', region=None, duration=0.1, first=True))\n"
        "print(reader.get_metrics_data().to_json())\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True
    )
    assert '"name": "asession.client.open"' in done.stdout
    assert "asession.client.open_clients" in done.stdout


async def test_a_suppressed_refresh_within_another_leaves_that_its_span(
    telemetry: Telemetry,
) -> None:
    async def inner() -> Credentials:
        return Credentials("AKIAINNER", "secret")

    async def outer() -> Credentials:
        with suppress_instrumentation():
            async with Session(credentials=inner, observers=[telemetry.observer]) as session:
                await session.get_frozen_credentials()
        raise RuntimeError("the vault is down")

    async with Session(credentials=outer, observers=[telemetry.observer]) as session:
        with pytest.raises(RuntimeError):
            await session.get_frozen_credentials()
    span = telemetry.span("asession.credentials.refresh")
    assert (span.attributes or {})["asession.credentials.outcome"] == "failed"
    assert span.status.status_code is StatusCode.ERROR


async def test_what_is_cancelled_is_no_error_of_a_span(telemetry: Telemetry) -> None:
    async def never() -> Credentials:
        await anyio.sleep_forever()
        raise AssertionError

    async with Session(credentials=never, observers=[telemetry.observer]) as session:
        with anyio.move_on_after(0.1):
            await session.get_frozen_credentials()
    span = telemetry.span("asession.credentials.refresh")
    assert (span.attributes or {})["error.type"] == "cancelled"
    assert span.status.status_code is StatusCode.UNSET

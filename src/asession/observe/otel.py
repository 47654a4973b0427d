"""Spans and metrics of OpenTelemetry for what observers are told; needs the extra ``otel``.

Names and units are those of the semantic conventions for HTTP clients and RPC, where they have any;
all others begin with ``asession.``.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from contextvars import ContextVar, Token
from time import time_ns
from typing import Any

try:
    from opentelemetry import context, trace
    from opentelemetry.metrics import MeterProvider, get_meter
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError(
        f"asession.observe.otel needs {_missing.name}: pip install 'asession[otel]'",
        name=_missing.name,
    ) from _missing

from asession._version import __version__
from asession.observe.events import (
    CANCELLED,
    AttemptFailed,
    ClientClosed,
    ClientOpened,
    ConnectionAcquired,
    ConnectionAwaited,
    ConnectionClosed,
    ConnectionEvent,
    ConnectionFailed,
    ConnectionOpened,
    ConnectionReleased,
    CredentialsRefreshed,
    CredentialsRefreshing,
    Event,
)

__all__ = ["OpenTelemetryObserver"]

# Seconds; those of the conventions for HTTP durations, and for what lives longer.
_DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
_LIFETIMES = (0.01, 0.1, 1, 5, 10, 30, 60, 300, 900, 3600)

_Attributes = dict[str, str | bool | int | float]
_Begun = tuple[object, tuple[Span, Token[context.Context]] | None]
# The refreshes that this task is in the middle of, the last one begun at the end; by observer.
_begun: ContextVar[tuple[_Begun, ...]] = ContextVar("asession_otel_begun", default=())


class OpenTelemetryObserver:
    """Turns events into spans and metrics; give it to ``Session(observers=[...])``.

    Lives as long as you keep it, for any number of sessions, threads and event loops; nothing needs
    closing. With the global providers it may be made before they are set, and it can be pickled, so
    that a session which has it can travel.

    Spans: ``asession.credentials.refresh``, in which the calls of the refresh are,
    ``asession.client.open``, ``asession.connection.open`` and ``asession.connection.wait``. A
    failed attempt is an event ``asession.attempt.failed`` of the span around it. Within
    ``suppress_instrumentation()`` there are metrics only.

    Args:
        tracer_provider: Instead of the global one.
        meter_provider: Instead of the global one.

    Example:
        session = Session(observers=[OpenTelemetryObserver()])
    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        self._given = tracer_provider is not None or meter_provider is not None
        self._tracer = trace.get_tracer("asession", __version__, tracer_provider)
        meter = get_meter("asession", __version__, meter_provider)

        def histogram(name: str, text: str, bounds: tuple[float, ...] = _DURATIONS) -> Any:
            return meter.create_histogram(
                name, "s", text, explicit_bucket_boundaries_advisory=list(bounds)
            )

        self._refreshes = histogram(
            "asession.credentials.refresh.duration", "How long sources of credentials took."
        )
        self._clients = meter.create_up_down_counter(
            "asession.client.open_clients", "{client}", "Clients that are open."
        )
        self._client_opens = histogram(
            "asession.client.open.duration", "How long making a client took."
        )
        self._failures = meter.create_counter(
            "asession.attempt.failures", "{attempt}", "Attempts that got an error or no answer."
        )
        self._connections = meter.create_up_down_counter(
            "http.client.open_connections",
            "{connection}",
            "Number of outbound HTTP connections that are currently active or idle on the client.",
        )
        self._lifetimes = histogram(
            "http.client.connection.duration",
            "The duration of the successfully established outbound HTTP connections.",
            _LIFETIMES,
        )
        self._connects = histogram(
            "asession.connection.open.duration", "How long opening a connection took."
        )
        self._handshakes = histogram(
            "asession.connection.tls.duration", "How long the TLS handshakes in it took."
        )
        self._waits = histogram(
            "asession.connection.wait.duration", "How long requests waited for a free connection."
        )
        self._reuses = meter.create_counter(
            "asession.connection.reuses", "{request}", "Requests sent on an idle connection."
        )
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            CredentialsRefreshing: self._refreshing,
            CredentialsRefreshed: self._refreshed,
            ClientOpened: self._client_opened,
            ClientClosed: self._client_closed,
            AttemptFailed: self._attempt_failed,
            ConnectionOpened: self._opened,
            ConnectionFailed: self._failed,
            ConnectionAwaited: self._awaited,
            ConnectionAcquired: self._acquired,
            ConnectionReleased: self._released,
            ConnectionClosed: self._closed,
        }

    def __call__(self, event: Event) -> None:
        """Take note of an event; those of later versions are passed over."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._given:
            raise pickle.PicklingError(
                "an OpenTelemetryObserver with providers of its own cannot be pickled: set the "
                "global ones where it arrives, and give none"
            )
        return type(self), ()

    # -- credentials --------------------------------------------------------------------------

    def _refreshing(self, event: CredentialsRefreshing) -> None:
        if _is_suppressed():
            # Told apart from a refresh around it that is not: its own end follows.
            _begun.set((*_begun.get(), (self, None)))
            return
        span = self._tracer.start_span(
            "asession.credentials.refresh",
            attributes={
                "asession.credentials.source": event.source,
                "asession.credentials.profile": event.profile,
                "asession.credentials.reason": event.reason,
            },
        )
        # The calls that the source makes are inside of it.
        token = context.attach(trace.set_span_in_context(span))
        _begun.set((*_begun.get(), (self, (span, token))))

    def _refreshed(self, event: CredentialsRefreshed) -> None:
        attributes: _Attributes = {
            "asession.credentials.source": event.source,
            "asession.credentials.outcome": event.outcome,
            **_error(event.error),
        }
        self._refreshes.record(event.duration, attributes)
        begun = _begun.get()
        mine = next((entry for entry in reversed(begun) if entry[0] is self), None)
        if mine is None:
            return
        _begun.set(tuple(entry for entry in begun if entry is not mine))
        if mine[1] is None:
            return
        span, token = mine[1]
        context.detach(token)
        span.set_attributes(attributes)
        if event.expires_at is not None:
            span.set_attribute("asession.credentials.expires_at", event.expires_at.isoformat())
        _end(span, event.error)

    # -- clients ------------------------------------------------------------------------------

    def _client_opened(self, event: ClientOpened) -> None:
        attributes = _client(event)
        self._clients.add(1, attributes)
        self._client_opens.record(event.duration, {**attributes, "asession.first": event.first})
        self._past("asession.client.open", event.duration, attributes)

    def _client_closed(self, event: ClientClosed) -> None:
        self._clients.add(-1, _client(event))

    def _attempt_failed(self, event: AttemptFailed) -> None:
        attributes: _Attributes = {
            **_error(event.error),
            "asession.throttled": event.throttled,
            "asession.retried": event.delay is not None,
        }
        called: _Attributes = {**_client(event), "rpc.method": event.operation}
        self._failures.add(1, {**called, **attributes})
        if event.status is not None:
            attributes["http.response.status_code"] = event.status
        if event.delay is not None:
            attributes["asession.retry.delay"] = event.delay
        attributes["asession.attempt"] = event.attempt
        trace.get_current_span().add_event("asession.attempt.failed", attributes)

    # -- connections --------------------------------------------------------------------------

    def _opened(self, event: ConnectionOpened) -> None:
        self._count(event, "active", 1)
        self._connects.record(event.duration, _where(event))
        attributes = _where(event)
        if event.tls_duration is not None:
            self._handshakes.record(event.tls_duration, attributes)
            attributes["asession.connection.tls.duration"] = event.tls_duration
        self._past("asession.connection.open", event.duration, attributes)

    def _failed(self, event: ConnectionFailed) -> None:
        attributes = {**_where(event), **_error(event.error)}
        self._connects.record(event.duration, attributes)
        self._past("asession.connection.open", event.duration, attributes, event.error)

    def _awaited(self, event: ConnectionAwaited) -> None:
        attributes = {**_where(event), **_error(event.error)}
        self._waits.record(event.duration, attributes)
        self._past("asession.connection.wait", event.duration, attributes, event.error)

    def _acquired(self, event: ConnectionAcquired) -> None:
        self._reuses.add(1, _where(event))
        self._count(event, "idle", -1)
        self._count(event, "active", 1)

    def _released(self, event: ConnectionReleased) -> None:
        self._count(event, "active", -1)
        self._count(event, "idle", 1)

    def _closed(self, event: ConnectionClosed) -> None:
        self._count(event, "idle" if event.was_idle else "active", -1)
        reason = {"asession.connection.close_reason": event.reason}
        self._lifetimes.record(event.lifetime, {**_where(event), **reason})

    def _count(self, event: ConnectionEvent, state: str, change: int) -> None:
        self._connections.add(change, {**_where(event), "http.connection.state": state})

    def _past(
        self, name: str, duration: float, attributes: _Attributes, error: str | None = None
    ) -> None:
        """A span of something that is over, inside of whatever is going on."""
        if not _is_suppressed():
            now = time_ns()
            span = self._tracer.start_span(
                name,
                kind=SpanKind.INTERNAL,
                attributes=attributes,
                start_time=now - int(duration * 1e9),
            )
            _end(span, error, now)


def _end(span: Span, error: str | None, now: int | None = None) -> None:
    if error is not None:
        span.set_attribute("error.type", error)
    if error is not None and error != CANCELLED:  # a decision of the program is no error
        span.set_status(Status(StatusCode.ERROR, error))
    span.end(now)


def _is_suppressed() -> bool:
    # Exporters that use AWS themselves say so: their requests must not make spans to export.
    return bool(
        context.get_value(context._SUPPRESS_INSTRUMENTATION_KEY)
        or context.get_value("suppress_instrumentation")
    )


def _error(name: str | None) -> _Attributes:
    return {} if name is None else {"error.type": name}


def _client(event: ClientOpened | ClientClosed | AttemptFailed) -> _Attributes:
    attributes: _Attributes = {"asession.service": event.service}
    if event.region is not None:
        attributes["cloud.region"] = event.region
    return attributes


def _where(event: ConnectionEvent) -> _Attributes:
    return {
        "server.address": event.host,
        "server.port": event.port,
        "url.scheme": event.scheme,
    }

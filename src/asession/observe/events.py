"""What observers are told: one immutable value for each thing that happens.

All durations are in seconds. No event holds a key, a token, a secret, or data of a request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, Literal

RefreshReason = Literal["first", "advisory", "mandatory", "expired", "refused"]
"""Why a source is asked for keys.

``first``: there are none. ``advisory``: they end soon, and others go on with them meanwhile.
``mandatory``: they end so soon that all wait. ``expired``: they have ended. ``refused``: a service
did not take them.
"""

Outcome = Literal["refreshed", "nothing", "failed", "cancelled"]
"""How asking a source ended.

``nothing``: it has no keys, which is no error.
"""

CANCELLED = "cancelled"
"""The ``error`` of what ended because its task was cancelled, on all event loops."""

CloseReason = Literal["idle_timeout", "peer_closed", "not_reusable", "shutdown"]
"""Why a connection was closed.

``idle_timeout``: nobody used it for long. ``peer_closed``: the peer ended it between two requests.
``not_reusable``: its last response said so, was left unread, or did not come. ``shutdown``: its
session, or the client that owned it, was closed.
"""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; immutable. The classes below it say what.

    Attributes:
        name: Its name in logs, for example ``"client.opened"``.
        logger: The logger that it goes to, at level DEBUG.
        message: The text that it has there, a format of its fields; events without are not logged.
    """

    name: ClassVar[str] = ""
    logger: ClassVar[str] = ""
    message: ClassVar[str] = ""

    def fields(self) -> dict[str, Any]:
        """Its fields by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


Observer = Callable[[Event], None]
"""A plain function that is told each event at once, on the thread and in the task where it happens.

It must not block, for the event loop waits for it. What it raises is logged, once for each session,
and changes nothing else.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOpened(Event):
    """A client that your program asked for is ready, of its own or below a resource.

    Attributes:
        service: For example ``"s3"``.
        region: Its region, or `None`.
        duration: How long making it took.
        first: Whether it is the first since the session was entered on this event loop. That one
            may have to read the service's model.
    """

    name: ClassVar[str] = "client.opened"
    logger: ClassVar[str] = "asession.session"
    message: ClassVar[str] = "opened a client of %(service)s in %(region)s"

    service: str
    region: str | None
    duration: float
    first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientClosed(Event):
    """A client is closed.

    Attributes:
        service: For example ``"s3"``.
        region: Its region, or `None`.
        lifetime: How long it was open.
    """

    name: ClassVar[str] = "client.closed"
    logger: ClassVar[str] = "asession.session"
    message: ClassVar[str] = "closed a client of %(service)s in %(region)s"

    service: str
    region: str | None
    lifetime: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFailed(Event):
    """One attempt of a call got an error, or no answer.

    Attributes:
        service: For example ``"dynamodb"``.
        operation: For example ``"PutItem"``.
        region: The client's region, or `None`.
        attempt: Which one, from 1.
        status: The status code of the answer, or `None` if there was none.
        error: The code of the error, or the name of the exception's class.
        throttled: Whether the service asks for fewer requests.
        delay: How long the next attempt waits; `None` if there is none, and the caller gets the
            error.
    """

    name: ClassVar[str] = "attempt.failed"
    logger: ClassVar[str] = "asession.client"
    message: ClassVar[str] = "attempt %(attempt)d of %(service)s.%(operation)s failed: %(error)s"

    service: str
    operation: str
    region: str | None
    attempt: int
    status: int | None
    error: str
    throttled: bool
    delay: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsRefreshing(Event):
    """A source is about to be asked for keys; a `CredentialsRefreshed` in the same task follows.

    Attributes:
        source: botocore's name of the source, for example ``"assume-role"`` or ``"iam-role"``, or
            the name of your own.
        profile: The profile that it belongs to.
        reason: Why it is asked.
    """

    name: ClassVar[str] = "credentials.refreshing"
    logger: ClassVar[str] = "asession.credentials"
    message: ClassVar[str] = "asking the source %(source)s for credentials: %(reason)s"

    source: str
    profile: str
    reason: RefreshReason


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsRefreshed(Event):
    """A source was asked for keys, for the first time or again, with success or without.

    Many tasks may wait for one such call. It is told to the observers of the session that made it.

    Attributes:
        source: See `CredentialsRefreshing`.
        profile: See `CredentialsRefreshing`.
        reason: See `CredentialsRefreshing`.
        outcome: How it ended.
        duration: How long it took.
        expires_at: When the keys end, with a time zone; `None` if they do not, if there are none,
            or if that is beyond the year 9999.
        error: The name of the exception's class, ``"cancelled"`` if that is the outcome, or `None`.
    """

    name: ClassVar[str] = "credentials.refreshed"
    logger: ClassVar[str] = "asession.credentials"
    message: ClassVar[str] = "asked the source %(source)s for credentials: %(outcome)s"

    source: str
    profile: str
    reason: RefreshReason
    outcome: Outcome
    duration: float
    expires_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionEvent(Event):
    """Something that happened to a connection, or in place of one.

    Attributes:
        scheme: ``"http"`` or ``"https"``.
        host: The host of the endpoint, also where a proxy is on the way.
        port: Its port.
    """

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionOpened(ConnectionEvent):
    """A connection is open, and in use by the request that it was opened for.

    Attributes:
        connection: Its number among those of the session on this event loop, from 1.
        duration: How long it took: the look-up of the name, TCP, a proxy's answer, TLS.
        tls_duration: The part of it that the TLS handshake took, or `None` without TLS.
        proxy: Host and port of the proxy on the way, or `None`.
    """

    name: ClassVar[str] = "connection.opened"
    logger: ClassVar[str] = "asession.http"
    message: ClassVar[str] = "connected to %(host)s:%(port)d"

    connection: int
    duration: float
    tls_duration: float | None
    proxy: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFailed(ConnectionEvent):
    """A connection could not be opened, or the request that wanted it was cancelled.

    Attributes:
        duration: How long it was tried.
        error: The name of the exception's class; ``"cancelled"`` if that is all that happened.
        proxy: Host and port of the proxy on the way, or `None`.
    """

    name: ClassVar[str] = "connection.failed"
    logger: ClassVar[str] = "asession.http"
    message: ClassVar[str] = "cannot connect to %(host)s:%(port)d: %(error)s"

    duration: float
    error: str
    proxy: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionAwaited(ConnectionEvent):
    """A request waited for a connection, because as many as allowed were in use.

    Attributes:
        duration: How long it waited.
        limit: How many are allowed: ``max_pool_connections`` of the client's `Config`.
        error: The name of the exception's class if it got none, ``"cancelled"`` if its task was
            cancelled, or `None`.
    """

    name: ClassVar[str] = "connection.awaited"
    logger: ClassVar[str] = "asession.http"
    message: ClassVar[str] = "waited for one of %(limit)d connections to %(host)s:%(port)d"

    duration: float
    limit: int
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionAcquired(ConnectionEvent):
    """A request took an idle connection, which had carried others before; not logged.

    Attributes:
        connection: Its number, see `ConnectionOpened`.
        requests: How many requests it has carried.
        idle: How long it was idle.
    """

    name: ClassVar[str] = "connection.acquired"

    connection: int
    requests: int
    idle: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionReleased(ConnectionEvent):
    """A connection in use became idle; not logged. One that cannot be used again is closed instead.

    Attributes:
        connection: Its number, see `ConnectionOpened`.
        requests: How many requests it has carried.
    """

    name: ClassVar[str] = "connection.released"

    connection: int
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionClosed(ConnectionEvent):
    """A connection is closed.

    Attributes:
        connection: Its number, see `ConnectionOpened`.
        requests: How many requests it has carried.
        lifetime: How long it was open.
        reason: Why it was closed.
        was_idle: Whether it was idle at that time; else it was in use.
    """

    name: ClassVar[str] = "connection.closed"
    logger: ClassVar[str] = "asession.http"
    message: ClassVar[str] = "closed connection %(connection)d to %(host)s:%(port)d: %(reason)s"

    connection: int
    requests: int
    lifetime: float
    reason: CloseReason
    was_idle: bool

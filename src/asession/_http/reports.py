"""What happens to the connections of a pool, told to observers and to the log."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Any

from asession._logging import log
from asession.observe.events import (
    CloseReason,
    ConnectionAcquired,
    ConnectionAwaited,
    ConnectionClosed,
    ConnectionFailed,
    ConnectionOpened,
    ConnectionReleased,
)
from asession.observe.reporting import Reporter

if TYPE_CHECKING:
    from asession._http.connections import Connection
    from asession._http.requests import Route

logger = logging.getLogger("asession.http")


def opened(reporter: Reporter, connection: Connection, duration: float) -> None:
    """A connection is open after so many seconds."""
    reporter.report(
        ConnectionOpened(
            **_where(connection.route),
            connection=connection.number,
            duration=duration,
            tls_duration=connection.handshake,
            proxy=_proxy(connection.route),
        )
    )


def failed(reporter: Reporter, route: Route, duration: float, error: str) -> None:
    """A connection could not be opened, or whoever wanted it was cancelled meanwhile."""
    reporter.report(
        ConnectionFailed(**_where(route), duration=duration, error=error, proxy=_proxy(route))
    )


def awaited(reporter: Reporter, route: Route, duration: float, error: str | None) -> None:
    """A request has waited for a connection."""
    reporter.report(
        ConnectionAwaited(**_where(route), duration=duration, limit=route.limit, error=error)
    )


def acquired(reporter: Reporter, connection: Connection, idle: float) -> None:
    """An idle connection is in use again; to be reported only if somebody observes."""
    reporter.report(
        ConnectionAcquired(
            **_where(connection.route),
            connection=connection.number,
            requests=connection.uses,
            idle=max(idle, 0.0),
        )
    )


def released(reporter: Reporter, connection: Connection) -> None:
    """A connection is idle; to be reported only if somebody observes."""
    reporter.report(
        ConnectionReleased(
            **_where(connection.route), connection=connection.number, requests=connection.uses
        )
    )


def close(
    reporter: Reporter, connection: Connection, reason: CloseReason, *, was_idle: bool
) -> None:
    """Close a connection, and report it unless that was done before."""
    if connection.told_closed:
        return
    connection.told_closed = True
    connection.close()
    reporter.report(
        ConnectionClosed(
            **_where(connection.route),
            connection=connection.number,
            requests=connection.uses,
            lifetime=perf_counter() - connection.opened_at,
            reason=reason,
            was_idle=was_idle,
        )
    )


def resent(connection: Connection) -> None:
    """A request is sent again, because its connection had ended before it came."""
    told = {**_where(connection.route), "connection": connection.number}
    message = "connection %(connection)d to %(host)s:%(port)d had gone; sending again"
    log(logger, logging.DEBUG, "http.resent", message, **told)


def answered(connection: Connection, method: str, status: int) -> None:
    """The head of a response has arrived; to be called only if that is logged."""
    told = {
        **_where(connection.route),
        "connection": connection.number,
        "method": method,
        "status": status,
    }
    message = "%(method)s %(host)s:%(port)d -> %(status)d"
    log(logger, logging.DEBUG, "http.answered", message, **told)


def _where(route: Route) -> dict[str, Any]:
    return {"scheme": route.scheme, "host": route.host, "port": route.port}


def _proxy(route: Route) -> str | None:
    return None if route.proxy is None else f"{route.proxy.host}:{route.proxy.port}"

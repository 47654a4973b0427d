"""Tells observers and the log of each time that a source of credentials is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING

from asession.credentials.refresh import FOREVER
from asession.observe.events import (
    CredentialsRefreshed,
    CredentialsRefreshing,
    Outcome,
    RefreshReason,
)
from asession.observe.reporting import name_of

if TYPE_CHECKING:
    from asession.credentials.cache import Value
    from asession.observe.reporting import Reporter


@dataclass(frozen=True, slots=True)
class Refreshes:
    """Tells of one source's refreshes; a value.

    Attributes:
        reporter: Where to.
        source: The source's name.
        profile: The profile that it belongs to.
    """

    reporter: Reporter
    source: str
    profile: str

    async def around(
        self, compute: Callable[[], Awaitable[Value | None]], reason: RefreshReason
    ) -> Value | None:
        """Ask the source, and tell how it went, even if that is cancelled.

        Args:
            compute: Asks it.
            reason: Why.
        """
        report = self.reporter.report
        report(CredentialsRefreshing(source=self.source, profile=self.profile, reason=reason))
        began = perf_counter()
        outcome: Outcome = "cancelled"
        expires_at: datetime | None = None
        failure: str | None = None
        try:
            value = await compute()
            outcome = "nothing" if value is None else "refreshed"
            if value is not None and value.schedule is not FOREVER:
                expires_at = _time(value.schedule.end)
            return value
        except Exception as error:
            outcome, failure = "failed", type(error).__name__
            raise
        except BaseException as error:
            failure = name_of(error)
            raise
        finally:
            report(
                CredentialsRefreshed(
                    source=self.source,
                    profile=self.profile,
                    reason=reason,
                    outcome=outcome,
                    duration=perf_counter() - began,
                    expires_at=expires_at,
                    error=failure,
                )
            )


def _time(seconds: float) -> datetime | None:
    """A time of the clock; `None` if it is too far away for a `datetime`."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None

"""One source of credentials: selected, asked once at a time, and asked again before keys end.

How the calls of many tasks become few, and none of them hangs:

- What a source gave is in its `Entry`, which all sessions and threads of the process share. As long
  as it is fresh nobody waits and nothing is locked.
- In the advisory window the first caller replaces the keys inside its own call; the others go on
  with what they have. In the mandatory window all wait for that one call.
- The call is a `Flight` of this event loop alone. A leader that is cancelled, or whose session is
  closed, leaves no trace, and the first waiter to wake leads the next one. No lock is held while
  anybody waits, and no event loop waits for another.
- A failure while keys still work is a warning and a back-off. It is an error only for those who
  have nothing to sign with.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from asession._logging import log
from asession._once import Flights
from asession.credentials.cache import Entry, Value
from asession.credentials.keys import SourceKey
from asession.credentials.refresh import (
    LONGEST_REST,
    REJECTION_SECONDS,
    Clock,
    Random,
    Schedule,
    Stage,
    back_off,
    extension,
)
from asession.credentials.values import FrozenCredentials
from asession.exceptions import CredentialRetrievalError

if TYPE_CHECKING:
    from asession._aws.exchanges import Loaded, Prepared
    from asession.credentials.reports import Refreshes
    from asession.observe.events import RefreshReason

_log = logging.getLogger("asession.credentials")

_REASONS: dict[Stage, RefreshReason] = {
    Stage.ADVISORY: "advisory",
    Stage.MANDATORY: "mandatory",
    Stage.EXPIRED: "expired",
}

# The calls under way on each event loop, by source key.
_flights: Flights[Value | None] = Flights("asession_credentials")


class Source:
    """A source of one session on one event loop.

    Lives as long as the session's live state there; nothing needs closing. What it gave is in
    `entry`, which outlives it.

    Args:
        name: botocore's name of the source, for example ``"assume-role"``.
        key: What tells whether another source would give the same.
        entry: What is known about that key.
        prepare: Asks the source; `None` if it has nothing.
        deferred: Whether preparing does no exchange: the source is first asked when something is
            to be signed.
        stable: Whether keys whose end has come may be used as long as no others are to be had.
        is_terminal: Whether an error is not mended by trying again.
        is_own: Whether an error concerns the session that asked and no other: it was closed, say.
        clock: Tells the time.
        random: Makes the jitter.
        report: Tells of each time that it is asked.
    """

    def __init__(
        self,
        name: str,
        key: SourceKey | object,
        entry: Entry,
        prepare: Callable[[], Awaitable[Prepared | None]],
        *,
        deferred: bool = False,
        stable: bool = False,
        is_terminal: Callable[[Exception], bool] = lambda _error: False,
        is_own: Callable[[Exception], bool] = lambda _error: False,
        clock: Clock = time.time,
        random: Random = random.random,
        report: Refreshes | None = None,
    ) -> None:
        self.name = name
        self.entry = entry
        self.clock = clock
        self._key = key
        self._prepare = prepare
        self._deferred = deferred
        self._stable = stable
        self._is_terminal = is_terminal
        self._is_own = is_own
        self._random = random
        self._report = report
        self._prepared: Prepared | None = None

    def __repr__(self) -> str:
        return f"<Source {self.name}: {self.entry!r}>"

    async def select(self) -> bool:
        """Whether the source has credentials, or will ask for some when they are needed.

        Raises:
            Exception: The source is configured and fails.
        """
        if self._prepared is not None or self._works():
            return True
        self.entry.check(self.clock())
        if self._deferred:
            self._prepared = await self._prepare()
            return self._prepared is not None
        return await self._fly(self._load, "first") is not None

    async def value(self) -> Value:
        """Keys that work, replaced if it is time to.

        Raises:
            Exception: There are none, and the source failed.
        """
        while True:
            value, now = self.entry.value, self.clock()
            stage = Stage.EXPIRED if value is None else value.schedule.stage(now)
            if value is not None and self._may_go_on(stage, now):
                return value
            if value is None or not self._works():
                self.entry.check(now)
            try:
                found = await self._fly(self._obtain, "first" if value is None else _REASONS[stage])
            except Exception:
                if value is None or not self._works():
                    raise
                return value
            if found is not None:
                return found

    async def replace(self, refused: FrozenCredentials) -> bool:
        """Get other keys in place of those that a service has refused, at most now and then.

        Returns:
            Whether there are others to try with.

        Raises:
            Exception: The source failed.
        """
        now = self.clock()
        if self.is_current(refused):
            # Not of keys that have ended: of those `value` would ask for others, too.
            lately = 0 <= now - self.entry.replaced_at < REJECTION_SECONDS
            if lately and not self._has_ended(now) and self._key not in _flights:
                return False
            await self._fly(lambda: self._replace(refused), "refused")
        return not self.is_current(refused)

    def is_current(self, keys: FrozenCredentials) -> bool:
        """Whether these are the keys that the source gave last."""
        value = self.entry.value
        return value is not None and value.keys[:3] == keys[:3]

    def _has_ended(self, now: float) -> bool:
        value = self.entry.value
        return value is None or value.schedule.end <= now

    def _works(self) -> bool:
        value = self.entry.value
        if value is None:
            return False
        return self._stable or value.schedule.stage(self.clock()) is not Stage.EXPIRED

    def _may_go_on(self, stage: Stage, now: float) -> bool:
        if stage is Stage.FRESH:
            return True
        if stage is Stage.ADVISORY and self._key in _flights:
            return True
        # Not longer than the longest rest: the clock may have been set back.
        return self._works() and 0 < self.entry.not_before - now <= LONGEST_REST

    # -- one call at a time -------------------------------------------------------------------

    async def _fly(
        self, compute: Callable[[], Awaitable[Value | None]], reason: RefreshReason
    ) -> Value | None:
        """Compute, or wait for whoever does; `None` if the source has nothing."""
        if self._report is not None:
            compute = partial(self._report.around, compute, reason)
        return await _flights.join(self._key, compute, self._is_own)

    async def _replace(self, refused: FrozenCredentials) -> Value | None:
        if not self.is_current(refused):
            return self.entry.value
        self.entry.replaced_at = self.clock()
        self._prepared = None
        return await self._obtain(refused)

    async def _load(self) -> Value | None:
        """Ask a source that may have nothing."""
        try:
            prepared = await self._prepare()
            return None if prepared is None else await self._take(prepared)
        except Exception as error:
            self._failed(error)
            raise

    async def _obtain(self, refused: FrozenCredentials | None = None) -> Value | None:
        """Ask a source that has given something before, or said that it would."""
        try:
            prepared, self._prepared = self._prepared, None
            if prepared is None:
                prepared = await self._prepare()
            if prepared is None:
                raise CredentialRetrievalError(
                    provider=self.name, error_msg="it gives no keys any more"
                )
            return await self._take(prepared, refused)
        except Exception as error:
            self._failed(error)
            raise

    async def _take(self, prepared: Prepared, refused: FrozenCredentials | None = None) -> Value:
        loaded = prepared.now
        if loaded is None:
            assert prepared.fetch is not None
            loaded = await prepared.fetch(None if refused is None else refused.access_key)
        value, now = self._value(loaded), self.clock()
        if value.schedule.end <= now and not self._stable:
            raise CredentialRetrievalError(provider=self.name, error_msg="its keys have ended")
        self.entry.accept(value)
        if value.schedule.end <= now:
            self.entry.not_before = now + extension(self._random())
            self._warn_of_end("what it gives has ended")
        return value

    def _value(self, loaded: Loaded) -> Value:
        end = None if loaded.expires_at is None else _moment(loaded.expires_at)
        keys = FrozenCredentials(
            loaded.access_key, loaded.secret_key, loaded.token, loaded.account_id
        )
        return Value(keys, Schedule.of(self.clock(), end, self._random()), loaded.method)

    def _failed(self, error: Exception) -> None:
        if self._is_own(error):  # says nothing about the source
            return
        now, entry = self.clock(), self.entry
        if not self._works():
            if self._is_terminal(error):
                entry.remember(error, now)
            return
        assert entry.value is not None
        entry.failures += 1
        if entry.value.schedule.end <= now:
            entry.not_before = now + extension(self._random())
            self._warn_of_end(type(error).__name__)
            return
        entry.not_before = now + back_off(entry.failures, self._random())
        log(
            _log,
            logging.WARNING,
            "credentials.kept",
            "the source of credentials %(source)s failed (%(error)s); the keys that it gave before "
            "work for another %(remaining).0f s",
            source=self.name,
            error=type(error).__name__,
            remaining=entry.value.schedule.end - now,
        )

    def _warn_of_end(self, reason: str) -> None:
        log(
            _log,
            logging.WARNING,
            "credentials.ended",
            "the source of credentials %(source)s gives no new keys (%(error)s); those that it "
            "gave before have ended and are used all the same, for it often is the source alone "
            "that is late",
            source=self.name,
            error=reason,
        )


def _moment(end: datetime) -> float:
    # Programs that leave the time zone out mean UTC, as all of AWS does.
    return (end if end.tzinfo is not None else end.replace(tzinfo=UTC)).timestamp()

"""A source of credentials and a clock that obey a test."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import anyio

from asession._aws.exchanges import Loaded, Prepared
from asession.credentials.cache import Entry
from asession.credentials.source import Source
from asession.credentials.source_credentials import SourceCredentials


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Vault:
    """Gives keys that live for a while; counts how often it is asked.

    Attributes:
        life: How long they live, in seconds, by the clock.
        error: Raised instead, if set.
        delay: How long an answer takes, in seconds of the event loop.
        calls: How often it was asked.
    """

    def __init__(self, clock: Callable[[], float], life: float | None = 3600.0) -> None:
        self.clock = clock
        self.life = life
        self.error: Exception | None = None
        self.delay = 0.0
        self.calls = 0
        self.gate: Callable[[], Awaitable[None]] | None = None

    async def prepare(self) -> Prepared:
        return Prepared(fetch=self._fetch)

    async def _fetch(self, _refused: str | None) -> Loaded:
        self.calls += 1
        number = self.calls
        await anyio.sleep(self.delay)
        if self.gate is not None:
            await self.gate()
        if self.error is not None:
            raise self.error
        end = None
        if self.life is not None:
            end = datetime.fromtimestamp(self.clock() + self.life, UTC)
        return Loaded(f"AKIA{number}", f"secret-{number}", f"token-{number}", None, end, "vault")

    def source(self, *, entry: Entry | None = None, **kwargs) -> Source:
        entry = Entry() if entry is None else entry
        return Source(
            "vault",
            entry,
            entry,
            self.prepare,
            deferred=True,
            clock=self.clock,
            random=lambda: 0.0,
            **kwargs,
        )

    def credentials(self, **kwargs) -> SourceCredentials:
        return SourceCredentials(self.source(**kwargs), self.clock)

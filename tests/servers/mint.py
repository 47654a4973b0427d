"""Temporary keys made up for tests, which tell their source and know when they end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from servers.answers import ACCOUNT, access_key_for, secret_key_for

__all__ = ["ACCOUNT", "IssuedKeys", "Mint", "access_key_for", "secret_key_for"]


@dataclass(frozen=True, slots=True)
class IssuedKeys:
    """Temporary keys as handed out; a value.

    Attributes:
        source: Who they are for, for example the ARN of a role.
        serial: How many keys of this source there were, this one included.
    """

    source: str
    serial: int
    access_key: str
    secret_key: str
    token: str
    expires: datetime
    precise: bool = False

    @property
    def expiration(self) -> str:
        """The end, as AWS writes it, to the second; or to the microsecond."""
        return self.expires.strftime(f"%Y-%m-%dT%H:%M:%S{'.%f' if self.precise else ''}Z")

    def flat(self, token: str = "Token") -> dict[str, str]:
        """The keys as metadata and container endpoints word them."""
        return {
            "AccessKeyId": self.access_key,
            "SecretAccessKey": self.secret_key,
            token: self.token,
            "Expiration": self.expiration,
        }


class Mint:
    """Makes keys: the access key tells the source, the token counts within it from 1.

    Attributes:
        expires_in: Seconds until what is made from now on ends.
        expires_at: When it ends; before `expires_in` if set.
        now: The clock, with a time zone.
        precise: Whether ends are told to the microsecond; AWS tells them to the second.
    """

    def __init__(self, expires_in: float = 3600.0) -> None:
        self.expires_in = expires_in
        self.expires_at: datetime | None = None
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.precise = False
        self._lock = threading.Lock()
        self._serials: dict[str, int] = {}
        self._issued: list[IssuedKeys] = []

    @property
    def issued(self) -> list[IssuedKeys]:
        """All keys made so far, in order."""
        with self._lock:
            return list(self._issued)

    @property
    def lifetime(self) -> float:
        """Seconds that keys made now have."""
        if self.expires_at is not None:
            return (self.expires_at - self.now()).total_seconds()
        return self.expires_in

    def issue(self, source: str) -> IssuedKeys:
        """New keys for a source."""
        end = self.expires_at or self.now() + timedelta(seconds=self.expires_in)
        with self._lock:
            serial = self._serials[source] = self._serials.get(source, 0) + 1
            keys = IssuedKeys(
                source,
                serial,
                access_key_for(source),
                secret_key_for(f"{source} {serial}" if serial > 1 else source),
                f"session-token-{access_key_for(source)[4:]}-{serial}",
                end,
                self.precise,
            )
            self._issued.append(keys)
        return keys

    def find(self, access_key: str, token: str | None) -> IssuedKeys | None:
        """The keys with this id and token."""
        for keys in reversed(self.issued):
            if (keys.access_key, keys.token) == (access_key, token):
                return keys
        return None

    def knows(self, access_key: str) -> bool:
        """Whether keys with this id were made here."""
        return any(keys.access_key == access_key for keys in self.issued)

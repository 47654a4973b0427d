"""AWS keys as values: frozen ones, and a handle that refreshes them."""

from __future__ import annotations

import pickle
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, NamedTuple

from asession._aws.clients import Lease
from asession._runtime.loops import current_loop


class FrozenCredentials(NamedTuple):
    """Keys that belong together at one moment; immutable, without a lifetime of their own.

    Unpacks like botocore's read-only credentials. Its `repr` shows no secret.
    """

    access_key: str
    secret_key: str
    token: str | None = None
    account_id: str | None = None

    def __repr__(self) -> str:
        return f"FrozenCredentials(access_key={_masked(self.access_key)!r}, secret_key='***')"


class Credentials:
    """AWS credentials: given by you as a value, or held by a session that refreshes them.

    As a value (``Session(credentials=Credentials(...))``) it is plain data and may be pickled. What
    `Session.get_credentials` returns is a handle on that session's credentials on one event loop:
    the attributes are the last loaded ones, `get_frozen_credentials` refreshes them when needed.
    Nothing needs closing. The `repr` shows no secret.

    Args:
        access_key: The access key id.
        secret_key: The secret access key.
        token: The session token of temporary credentials.
        account_id: The account they belong to, where known.
        expires_at: When they end, with a time zone; `None` for keys without an end.
        method: Where they come from, in botocore's words, for example ``"assume-role"``.

    Raises:
        ValueError: `expires_at` has no time zone.
    """

    __slots__ = ("_frozen", "expires_at", "method")

    def __init__(
        self,
        access_key: str,
        secret_key: str,
        token: str | None = None,
        *,
        account_id: str | None = None,
        expires_at: datetime | None = None,
        method: str = "explicit",
    ) -> None:
        if expires_at is not None and expires_at.tzinfo is None:
            raise ValueError("expires_at must have a time zone")
        self._frozen = FrozenCredentials(access_key, secret_key, token, account_id)
        self.expires_at: datetime | None = expires_at
        self.method: str = method

    @property
    def access_key(self) -> str:
        """The access key id."""
        return self._frozen.access_key

    @property
    def secret_key(self) -> str:
        """The secret access key."""
        return self._frozen.secret_key

    @property
    def token(self) -> str | None:
        """The session token, or `None`."""
        return self._frozen.token

    @property
    def account_id(self) -> str | None:
        """The account they belong to, or `None` if unknown."""
        return self._frozen.account_id

    async def get_frozen_credentials(self) -> FrozenCredentials:
        """Keys that belong together, refreshed if they are about to end."""
        return self._frozen

    def __repr__(self) -> str:
        return f"Credentials(access_key={_masked(self.access_key)!r}, method={self.method!r})"


class LiveCredentials(Credentials):
    """A handle on the credentials of a session; it refreshes on that session's event loop alone."""

    __slots__ = ("_end", "_refresh")

    def __init__(
        self,
        frozen: FrozenCredentials,
        method: str,
        refresh: Callable[[], Awaitable[FrozenCredentials]],
        end: Callable[[], datetime | None],
    ) -> None:
        super().__init__(*frozen[:3], account_id=frozen.account_id, method=method, expires_at=end())
        self._end = end
        self._refresh = refresh

    @classmethod
    async def over(cls, source: Any) -> LiveCredentials:
        """The handle on aiobotocore's credentials, loaded once."""
        lease = Lease("credentials handle", current_loop())

        async def refresh() -> FrozenCredentials:
            lease.check()
            found = await source.get_frozen_credentials()
            return FrozenCredentials(
                found.access_key, found.secret_key, found.token, found.account_id
            )

        frozen = await refresh()
        return cls(
            frozen, source.method or "", refresh, lambda: getattr(source, "_expiry_time", None)
        )

    async def get_frozen_credentials(self) -> FrozenCredentials:
        """Keys that belong together, refreshed if they are about to end."""
        self._frozen = await self._refresh()
        self.expires_at: datetime | None = self._end()
        return self._frozen

    def __reduce__(self) -> str:
        # Resolved credentials never travel: a pickled session resolves its own.
        raise pickle.PicklingError(
            "the credentials of a session cannot be pickled; pickle the Session, which resolves "
            "them again, or FrozenCredentials"
        )


def _masked(access_key: str) -> str:
    return f"{access_key[:4]}***{access_key[-4:]}" if len(access_key) > 12 else "***"

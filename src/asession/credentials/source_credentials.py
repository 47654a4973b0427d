"""The credentials of one source, in the form in which aiobotocore's clients take credentials."""

from __future__ import annotations

import pickle
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from asession.credentials.cache import Value
from asession.credentials.refresh import FOREVER, Clock
from asession.credentials.source import Source
from asession.credentials.values import FrozenCredentials


class Replaceable(ABC):
    """Something that can get other keys in place of those that it gave."""

    @abstractmethod
    async def replace(self, refused: FrozenCredentials, *, ask: bool = True) -> bool:
        """Get other keys; returns whether there are any.

        Args:
            refused: The keys that are not wanted.
            ask: Whether to ask the source for others, or take what is there already.
        """


class SigningKeys(FrozenCredentials):
    """Keys that know who can replace them when a service refuses them."""

    owner: Replaceable

    @classmethod
    def of(cls, keys: FrozenCredentials, owner: Replaceable) -> SigningKeys:
        """Keys with an owner."""
        signing = cls(*keys)
        signing.owner = owner
        return signing

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenCredentials, tuple(self)


class SourceCredentials(Replaceable):
    """The credentials of one source, as aiobotocore wants credentials to be.

    Lives as long as the session's live state; nothing needs closing.
    """

    def __init__(self, source: Source | None, clock: Clock = time.time) -> None:
        self._source = source
        self._clock = clock
        self._value: Value | None = None
        self._keys: SigningKeys | None = None
        self._fresh_until = float("-inf")

    @property
    def method(self) -> str | None:
        """botocore's name of the source, or `None` if there is none."""
        if self._value is not None:
            return self._value.method
        return None if self._source is None else self._source.name

    @property
    def access_key(self) -> str | None:
        """The access key id used last, or that others got from the same source, or `None`."""
        if self._keys is not None:
            return self._keys.access_key
        value = None if self._source is None else self._source.entry.value
        return None if value is None else value.keys.access_key

    @property
    def account_id(self) -> str | None:
        """The account of the keys used last, or `None`."""
        return None if self._keys is None else self._keys.account_id

    @property
    def _expiry_time(self) -> datetime | None:
        """When the keys used last end, under upstream's name for it; `None` if they do not."""
        if self._value is None or self._value.schedule is FOREVER:
            return None
        return datetime.fromtimestamp(self._value.schedule.end, UTC)

    async def get_frozen_credentials(self) -> FrozenCredentials:
        """Keys to sign with now, replaced if it is time to.

        Raises:
            NoCredentialsError: There is no source.
            Exception: The source failed.
        """
        if self._keys is not None and self._clock() < self._fresh_until:
            return self._keys
        source = await self._current_source()
        value = await source.value()
        if value is not self._value or self._keys is None:
            self._value, self._keys = value, SigningKeys.of(value.keys, self)
        self._fresh_until = value.schedule.advisory
        return self._keys

    async def get_account_id(self) -> str | None:
        """The account of the keys, or `None` if unknown; for endpoints with an account in them."""
        return (await self.get_frozen_credentials()).account_id

    def get_deferred_property(self, property_name: str) -> Callable[[], Awaitable[Any]]:
        """How to get an attribute of the keys later."""

        async def get_property() -> Any:
            return getattr(await self.get_frozen_credentials(), property_name, None)

        return get_property

    async def replace(self, refused: FrozenCredentials, *, ask: bool = True) -> bool:
        """Get other keys in place of those that a service has refused.

        Args:
            refused: Those keys.
            ask: Whether to ask the source for others, or take what is there already.

        Returns:
            Whether there are others.
        """
        source = await self._current_source()
        replaced = await source.replace(refused) if ask else not source.is_current(refused)
        self._fresh_until = float("-inf")
        return replaced

    async def _current_source(self) -> Source:
        assert self._source is not None
        return self._source

    def __repr__(self) -> str:
        return f"<{type(self).__name__} from {self.method}>"

    def __reduce__(self) -> str:
        raise pickle.PicklingError("the credentials of a session cannot be pickled")

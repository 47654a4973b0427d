"""What `Session(credentials=...)` accepts besides a value."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, runtime_checkable

from asession.credentials.values import Credentials


@runtime_checkable
class CredentialProvider(Protocol):
    """A source of credentials of your own.

    Lives as long as you keep it; the session calls it, and never closes it.

    Example:
        class Vault:
            async def load(self) -> Credentials | None:
                keys = await read_from_vault()
                return Credentials(keys.id, keys.secret, keys.token, expires_at=keys.end)
    """

    async def load(self) -> Credentials | None:
        """The credentials, or `None` to let the next source answer.

        Called again when what it returned is about to end (`Credentials.expires_at`).
        """
        ...


CredentialSource = (
    Credentials
    | CredentialProvider
    | Callable[[], Awaitable[Credentials | None]]
    | Sequence[Credentials | CredentialProvider | Callable[[], Awaitable[Credentials | None]]]
)
"""A value, a provider, an async callable, or several of them, asked in order."""

"""What `Session(credentials=...)` accepts: values, providers, and their place among the usual."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from asession.credentials.roles import RoleRequest
from asession.credentials.trail import SOURCES
from asession.credentials.values import Credentials


@runtime_checkable
class CredentialProvider(Protocol):
    """A source of credentials of your own.

    Lives as long as you keep it; the session calls it, and never closes it. What it returns is
    shared by the clients of one `Session`, on all event loops, and by no other session.

    Example:
        class Vault:
            async def load(self) -> Credentials | None:
                keys = await read_from_vault()
                return Credentials(keys.id, keys.secret, keys.token, expires_at=keys.end)
    """

    async def load(self) -> Credentials | None:
        """The credentials, or `None` to let the next source answer.

        Called again when what it returned is about to end (`Credentials.expires_at`), or when a
        service refused it; by one caller at a time on each event loop.
        """
        ...


Single = Credentials | CredentialProvider | Callable[[], Awaitable[Credentials | None]]


@dataclass(frozen=True, slots=True)
class Insert:
    """A source of your own among the usual ones, which all stay. A value.

    Args:
        source: A value, a provider or an async callable.
        before: The usual source before which it is asked, one of `SOURCES`.
        after: The usual source after which it is asked. Without either it is asked first.

    Raises:
        ValueError: There is no such source, or both are given.

    Example:
        Session(credentials=Insert(Vault(), before="iam-role"))
    """

    source: Single
    before: str | None = None
    after: str | None = None

    def __post_init__(self) -> None:
        if self.before is not None and self.after is not None:
            raise ValueError("Insert(before=..., after=...): give one of them")
        for name in (self.before, self.after):
            if name is not None and name not in SOURCES:
                raise ValueError(
                    f"Insert: there is no source {name!r}; the sources are {', '.join(SOURCES)}"
                )


def check_inserts(given: object) -> None:
    """Make sure that what is given as `credentials=` either replaces the usual sources or not.

    Raises:
        ValueError: An `Insert` and a source that replaces the usual ones are given together.
    """
    items = given if isinstance(given, list | tuple) else ()
    if len({isinstance(item, Insert) for item in items}) > 1:
        raise ValueError(
            "credentials=: an Insert keeps the usual sources, anything else replaces them; wrap "
            "all of the list in Insert(...), or nothing"
        )


CredentialSource = Single | RoleRequest | Insert | Sequence[Single | Insert]
"""A value, a provider, an async callable, or several of them, asked in order.

They are asked in place of the usual sources; `Insert` puts them among these.
"""

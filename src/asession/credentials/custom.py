"""The sources that a user gave as `credentials=`, as steps of a chain."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from asession.credentials.cache import Entry
from asession.credentials.chain import Chain, Step
from asession.credentials.providers import Insert
from asession.credentials.roles import RoleRequest
from asession.credentials.source import Source
from asession.credentials.trail import SOURCES
from asession.exceptions import CredentialRetrievalError

if TYPE_CHECKING:
    from asession._aws.exchanges import Loaded, Prepared


class Given:
    """What one session was given as `credentials=`; lives as long as the session.

    What these sources give is shared by the session's event loops alone: nobody can tell what a
    function of the user's looks at, the tenant of the running request for example.

    Args:
        given: A value, a provider, an async callable, a role, an `Insert`, or several of them.
    """

    def __init__(self, given: Any) -> None:
        items = list(given) if isinstance(given, list | tuple) else [given]
        self._inserted = isinstance(items[0], Insert) if items else False
        self._items = items
        self._entries = [Entry() for _ in items]

    @property
    def role(self) -> RoleRequest | None:
        """The role, if that is what was given."""
        first = self._items[0] if self._items else None
        return first if isinstance(first, RoleRequest) else None

    def arrange(self, chain: Chain, role_key: bytes | None) -> Sequence[Step]:
        """The steps of a chain.

        Args:
            chain: The chain they belong to.
            role_key: A digest of who asks for the role, if a role was given.
        """
        if self.role is not None:
            assert role_key is not None
            return [Step(self.role.name, None, partial(_role_source, chain, self.role, role_key))]
        steps = [
            Step(_name(_bare(item)), None, partial(self._source, chain, index))
            for index, item in enumerate(self._items)
        ]
        return self._among(list(chain.usual_steps()), steps) if self._inserted else steps

    def _among(self, usual: list[Step], own: list[Step]) -> list[Step]:
        first, before, after = [], dict[str, list[Step]](), dict[str, list[Step]]()
        for item, step in zip(self._items, own, strict=True):
            if item.before is not None:
                before.setdefault(item.before, []).append(step)
            elif item.after is not None:
                after.setdefault(item.after, []).append(step)
            else:
                first.append(step)
        return [
            *first,
            *(
                step
                for name, step_there in zip(SOURCES, usual, strict=True)
                for step in (*before.get(name, ()), step_there, *after.get(name, ()))
            ),
        ]

    def _source(self, chain: Chain, index: int) -> Source:
        source = _bare(self._items[index])
        entry = self._entries[index]
        # The entry is this session's alone, and so is its key.
        prepare = partial(_prepare, source)
        return chain.source(_name(source), entry, entry, prepare)


def _role_source(chain: Chain, role: RoleRequest, role_key: bytes) -> Source:
    key = (role.name, role_key)
    entry = chain.workshop.cache.entry(key)
    return chain.source(
        role.name,
        key,
        entry,
        partial(role.prepare, chain.aws, chain.ask, chain.inputs.region_name),
        deferred=True,
    )


async def _prepare(source: Any) -> Prepared | None:
    from asession._aws.exchanges import Prepared

    found = await _ask(source)
    return None if found is None else Prepared(_loaded(found))


async def _ask(source: Any) -> Any:
    if _is_value(source):
        return source
    load: Callable[[], Any] = getattr(source, "load", source)
    found = load()
    if inspect.isawaitable(found):
        found = await found
    if found is not None and not _is_value(found):
        raise CredentialRetrievalError(
            provider=_name(source),
            error_msg=f"it returned {type(found).__name__}, not asession.Credentials or None",
        )
    return found


def _loaded(found: Any) -> Loaded:
    from asession._aws.exchanges import Loaded

    return Loaded(
        found.access_key,
        found.secret_key,
        found.token,
        getattr(found, "account_id", None),
        getattr(found, "expires_at", None),
        getattr(found, "method", None) or "custom",
    )


def _bare(item: Any) -> Any:
    return item.source if isinstance(item, Insert) else item


def _is_value(source: Any) -> bool:
    return hasattr(source, "access_key") and hasattr(source, "secret_key")


def _name(source: Any) -> str:
    return getattr(source, "__name__", None) or type(source).__name__

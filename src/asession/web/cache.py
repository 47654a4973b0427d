"""`SessionCache`: sessions by key, such as a tenant, whose connections outlive a request."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Self, TypeVar

import anyio

from asession._logging import log
from asession._once import Flights
from asession._runtime.loops import current_loop
from asession.exceptions import WrongEventLoopError
from asession.session import Session
from asession.web.request import ask

if TYPE_CHECKING:
    from types import TracebackType

    from asession._clients import Hold
    from asession._runtime.loops import LoopToken

K = TypeVar("K", bound=Hashable)

_logger = logging.getLogger("asession.web")

# By cache, key and epoch: requests of one tenant that come at once wait for one session.
_making: Flights[Session] = Flights("asession_session_caches")


@dataclass(frozen=True, slots=True)
class _Kept:
    """A session whose live state on the cache's loop is held, since when."""

    session: Session
    hold: Hold
    since: float


class SessionCache(Generic[K]):
    """Sessions by key, made when first asked for, at most so many, not for ever.

    Between the blocks of ``async with session.client(...)`` a session that is not entered closes
    its connections, so that each request of a tenant would connect anew. The sessions of a cache
    keep theirs for the next request. They are put in force by `SessionMiddleware` and
    `session_dependency` as those of any function, without ``enter=True``, which would give each
    request connections of its own.

    Entered for the application's life in its lifespan, on one event loop; leaving it closes the
    connections. A session that the cache gives up (the least recently used one beyond `limit`, one
    older than `max_age`, one that was discarded) goes on working for those who have it: its
    connections are closed once its last client is.

    Args:
        make: Makes the session of a key, sync or async. A sync one runs on the event loop, so it
            must not block; making a `Session` does not. Called once for all who ask for a key at
            the same time. What it raises is theirs, and is not kept.
        limit: How many sessions are kept, at most.
        max_age: Seconds after which a session is made anew, so that changes of what `make` looks
            at, and of profile files, are seen.

    Raises:
        TypeError: `make` is not a function.
        ValueError: `limit` is less than 1, or `max_age` is not positive.

    Example:
        tenants = SessionCache(session_of_tenant, limit=200)

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            async with tenants:
                yield

        @session_dependency
        async def tenant_session(x_tenant: Annotated[str, Header()]) -> Session:
            return await tenants.get(x_tenant)
    """

    def __init__(
        self,
        make: Callable[[K], Session | Awaitable[Session]],
        *,
        limit: int = 100,
        max_age: float = 900.0,
    ) -> None:
        if isinstance(make, type) or not callable(make):
            raise TypeError(f"make must be a function from a key to its Session, not {make!r:.100}")
        if limit < 1:
            raise ValueError(f"limit must be at least 1, not {limit}")
        if not max_age > 0:
            raise ValueError(f"max_age must be more than 0 seconds, not {max_age}")
        self._factory = make
        self._limit = limit
        self._max_age = max_age
        self._loop: LoopToken | None = None
        # The most recently used last.
        self._kept: OrderedDict[K, _Kept] = OrderedDict()
        # Another one after each `discard` and `clear`: what was begun before is not kept.
        self._epoch = 0

    async def __aenter__(self) -> Self:
        if self._loop is not None:
            raise RuntimeError("this SessionCache is entered already: enter it once, at startup")
        self._loop = current_loop()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop = None
        await self.clear()

    async def get(self, key: K) -> Session:
        """The session of a key, made now if need be.

        Raises:
            Exception: What `make` raised.
            TypeError: `make` returned something other than a session.
            RuntimeError: The cache is not entered.
            WrongEventLoopError: It was entered on another event loop.
        """
        if self._loop is None:
            raise RuntimeError(
                "this SessionCache is not entered: use `async with` around the application's life, "
                "in its lifespan (which httpx's ASGITransport does not run)"
            )
        if self._loop is not current_loop():
            raise WrongEventLoopError(
                what="SessionCache",
                reason=f"was entered on {self._loop!r} and is used on {current_loop()!r}",
            )
        kept = self._kept.get(key)
        if kept is not None and not self._is_old(kept):
            self._kept.move_to_end(key)
            return kept.session
        epoch = self._epoch
        return await _making.join((self, key, epoch), lambda: self._make(key, epoch))

    async def discard(self, key: K) -> None:
        """Give up the session of a key, if there is one: the next `get` makes another.

        For a tenant that has left, or whose role or keys have changed.
        """
        self._epoch += 1
        await self._give_up([key] if key in self._kept else [])

    async def clear(self) -> None:
        """Give up all sessions."""
        self._epoch += 1
        await self._give_up(list(self._kept))

    def __len__(self) -> int:
        """How many sessions are kept."""
        return len(self._kept)

    def __repr__(self) -> str:
        state = "not entered" if self._loop is None else f"{len(self._kept)} of {self._limit}"
        return f"<SessionCache: {state}>"

    def _is_old(self, kept: _Kept) -> bool:
        return anyio.current_time() - kept.since >= self._max_age

    async def _make(self, key: K, epoch: int) -> Session:
        began = anyio.current_time()
        session = await ask(self._factory, key)
        while surplus := self._surplus(key):
            await self._give_up(surplus)
        # Nothing is waited for from here on, so that there is room for one more.
        if self._epoch == epoch:
            hold = session._live.held()
            await hold.__aenter__()
            self._kept[key] = _Kept(session, hold, began)
        return session

    def _surplus(self, key: K) -> list[K]:
        """What must go for a new session of this key."""
        old = [other for other, kept in self._kept.items() if other == key or self._is_old(kept)]
        young = [other for other in self._kept if other not in old]
        return [*old, *young[: max(0, len(young) + 1 - self._limit)]]

    async def _give_up(self, keys: list[K]) -> None:
        given_up = [self._kept.pop(key) for key in keys]
        async with AsyncExitStack() as stack:
            for kept in given_up:
                stack.push_async_callback(_let_go, kept)


async def _let_go(kept: _Kept) -> None:
    try:
        await kept.hold.release(None)
    except Exception as error:
        # Whose request this happens in has nothing to do with it.
        log(
            _logger,
            logging.WARNING,
            "session.close_failed",
            "closing what %(session)s had open failed: %(error)s",
            session=repr(kept.session),
            error=repr(error),
        )

"""One function called with many sessions, a few at a time: for many accounts and regions.

An async generator with a task group inside would hold a cancel scope across its `yield`, which
breaks structured concurrency, on trio and asyncio alike, as soon as somebody leaves the loop early.
So this is an object: a block owns the tasks, or there are none between two results.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Self, TypeVar

import anyio

from asession._default import use_session
from asession.session import Session

if TYPE_CHECKING:
    from types import TracebackType

    from anyio.abc import TaskGroup
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FanOutResult(Generic[T]):
    """What became of one session; a value.

    Attributes:
        session: The session.
        value: What the function returned, or `None` if it raised.
        error: What it raised, or `None`.
    """

    session: Session
    value: T | None = None
    error: Exception | None = None

    def unwrap(self) -> T:
        """What the function returned.

        Raises:
            Exception: What it raised.
        """
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]


class fan_out(Generic[T]):  # noqa: N801 - read as a call: `async for result in fan_out(...)`
    """Calls a function with each of many sessions, at most `limit` at a time.

    Iterate it with ``async for``: results come in the order in which they are ready. What a call
    raises is its result's `error` and stops nobody else; a cancellation stops all. During a call
    its session is the current one.

    In a block, ``async with fan_out(...) as results``, each result is there as soon as it is ready,
    calls wait while nobody takes results, and leaving the block, early or not, cancels what still
    runs. Without the block all calls are made before the first result, inside the ``async for``:
    leaving the loop early leaves nothing running either, for nothing runs between two results.

    Lives for one iteration.

    Args:
        sessions: The sessions; taken one by one, as calls begin.
        function: Called with a session.
        limit: How many calls run at the same time, at most.

    Raises:
        ValueError: `limit` is less than 1.

    Example:
        roles = [session.assume_role(f"arn:aws:iam::{n}:role/audit") for n in accounts]
        async with fan_out(roles, count_buckets, limit=20) as results:
            async for result in results:
                print(result.session, result.value, result.error)
    """

    def __init__(
        self,
        sessions: Iterable[Session],
        function: Callable[[Session], Awaitable[T]],
        *,
        limit: int = 20,
    ) -> None:
        if limit < 1:
            raise ValueError(f"limit must be at least 1, not {limit}")
        self._sessions = iter(sessions)
        self._function = function
        self._limit = limit
        self._used = False
        self._group: TaskGroup | None = None
        self._stream: MemoryObjectReceiveStream[FanOutResult[T]] | None = None
        self._collected: deque[FanOutResult[T]] | None = None

    async def __aenter__(self) -> Self:
        self._use()
        send, self._stream = anyio.create_memory_object_stream[FanOutResult[T]]()
        self._group = group = await anyio.create_task_group().__aenter__()
        async with send:
            for _ in range(self._limit):
                group.start_soon(self._work, send.clone())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._group is not None
        assert self._stream is not None
        self._group.cancel_scope.cancel()
        self._stream.close()
        # The body's exception is not the group's: it goes on as it is, in no ExceptionGroup.
        await self._group.__aexit__(None, None, None)

    def __aiter__(self) -> AsyncIterator[FanOutResult[T]]:
        return self

    async def __anext__(self) -> FanOutResult[T]:
        if self._stream is not None:
            try:
                return await self._stream.receive()
            except anyio.EndOfStream:
                raise StopAsyncIteration from None
        if self._collected is None:
            self._use()
            self._collected = await self._collect()
        if not self._collected:
            raise StopAsyncIteration
        return self._collected.popleft()

    async def _collect(self) -> deque[FanOutResult[T]]:
        collected: deque[FanOutResult[T]] = deque()

        async def work() -> None:
            for session in self._sessions:
                collected.append(await self._call(session))

        async with anyio.create_task_group() as group:
            for _ in range(self._limit):
                group.start_soon(work)
        return collected

    async def _work(self, results: MemoryObjectSendStream[FanOutResult[T]]) -> None:
        async with results:
            for session in self._sessions:
                await results.send(await self._call(session))

    async def _call(self, session: Session) -> FanOutResult[T]:
        with use_session(session):
            try:
                return FanOutResult(session, await self._function(session))
            except Exception as error:
                return FanOutResult(session, error=error)

    def _use(self) -> None:
        if self._used:
            raise RuntimeError("this fan_out(...) has been used before: call fan_out(...) again")
        self._used = True

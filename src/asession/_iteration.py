"""What an `async for` over an AWS answer goes through: it may be left at any item."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class Iteration(AsyncIterator[T], Generic[T]):
    """Goes through its items once; ends when exhausted, closed, or simply dropped.

    Leaving an `async for` early needs no `aclosing`: between two items nothing is open, and what
    is left of the generator is closed with this object. (A bare async generator would be closed
    later by the event loop, which on trio is a `ResourceWarning`.)
    """

    __slots__ = ("_generator",)

    def __init__(self, generator: AsyncGenerator[T]) -> None:
        self._generator = generator

    def __aiter__(self) -> Iteration[T]:
        return self

    async def __anext__(self) -> T:
        # A coroutine of its own, for it keeps this object, and so the generator open, to its end:
        # in `await anext(aiter(things))` nobody else does.
        return await self._generator.__anext__()

    async def aclose(self) -> None:
        """End the iteration early."""
        await self._generator.aclose()

    def __del__(self) -> None:
        # The generators inside await nothing on their way out, so one step closes them. They still
        # run, and refuse, only if an event loop was torn down in the middle of a request.
        with suppress(StopIteration, RuntimeError):
            self._generator.aclose().send(None)

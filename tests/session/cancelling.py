"""Cancels an async call at its n-th suspension, by a cancel scope or as asyncio itself does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Literal

import anyio

How = Literal["scope", "native"]


class _Stepped:
    """Awaits a coroutine and calls a function just before its n-th suspension."""

    def __init__(self, call: Coroutine[Any, Any, Any], step: int, then: Callable[[], None]) -> None:
        self._call = call
        self._step = step
        self._then = then
        self.steps = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        inner = self._call.__await__()
        resume = _send(inner, None)
        while True:
            try:
                waited = resume()
            except StopIteration as stop:
                return stop.value
            self.steps += 1
            if self.steps == self._step:
                self._then()
            try:
                value = yield waited
            except BaseException as error:
                resume = _throw(inner, error)
            else:
                resume = _send(inner, value)


def _throw(inner: Generator[Any, Any, Any], error: BaseException) -> Callable[[], Any]:
    return lambda: inner.throw(error)


def _send(inner: Generator[Any, Any, Any], value: Any) -> Callable[[], Any]:
    return lambda: inner.send(value)


async def cancelled_at(
    step: int, call: Callable[[], Coroutine[Any, Any, Any]], how: How = "scope"
) -> bool:
    """Run a call in a task of its own, cancelled at a suspension.

    Args:
        step: At which suspension, from 1.
        call: The call.
        how: By a cancel scope, or by asyncio's `Task.cancel`, which no shield of anyio holds off.

    Returns:
        Whether the call got that far; at some step it no longer does.
    """
    reached = False
    if how == "native":

        def cancel_task() -> None:
            nonlocal reached
            reached = True
            # Soon, as another task does it: this one is just running.
            asyncio.get_running_loop().call_soon(task.cancel)

        async def run() -> None:
            await _Stepped(call(), step, cancel_task)

        task = asyncio.create_task(run())
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
        return reached

    with anyio.CancelScope() as scope:

        def cancel_scope() -> None:
            nonlocal reached
            reached = True
            scope.cancel()

        await _Stepped(call(), step, cancel_scope)
    return reached

"""A loop that is held is noticed, whatever holds it; one that only works is not."""

from __future__ import annotations

import hashlib
import time

import anyio
import anyio.to_thread
import pytest

from asession.testing import BlockedLoopError, never_blocking

pytestmark = pytest.mark.anyio


def spin(seconds: float) -> None:
    began = time.thread_time()
    while time.thread_time() - began < seconds:
        hashlib.sha256(b"x" * 100).digest()


async def test_sleeping_on_the_loop_is_noticed_with_its_stack() -> None:
    with pytest.raises(BlockedLoopError, match=r"(?s)limit 50 ms.*time\.sleep\(0\.3\)"):
        with never_blocking(0.05):
            await anyio.sleep(0.02)
            time.sleep(0.3)
            await anyio.sleep(0)


async def test_computing_on_the_loop_is_noticed_at_the_end_of_the_block_too() -> None:
    with pytest.raises(BlockedLoopError, match="spin"), never_blocking(0.05):
        await anyio.sleep(0.02)
        spin(0.4)


async def test_work_in_threads_and_short_steps_hold_nothing() -> None:
    with never_blocking(0.5) as watch:
        await anyio.to_thread.run_sync(time.sleep, 0.6)
        for _ in range(20):
            spin(0.001)
            await anyio.sleep(0)
    assert watch.blocked == []


async def test_the_error_of_the_block_goes_first() -> None:
    with pytest.raises(KeyError), never_blocking(0.05):
        time.sleep(0.2)
        raise KeyError


async def test_a_limit_that_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match=r"limit=0\.001"), never_blocking(0.001):
        pass


def test_without_a_loop_there_is_nothing_to_watch() -> None:
    with pytest.raises(RuntimeError, match="no event loop"), never_blocking():
        pass

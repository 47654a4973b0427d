"""Sessions that were closed leave nothing behind, and need no garbage collector for that."""

from __future__ import annotations

import gc
import os
import sys
import weakref
from collections.abc import Iterator

import anyio
import pytest

from asession import Session
from session.conftest import Make

pytestmark = pytest.mark.anyio

_ROUNDS = 10_000 if os.environ.get("ASESSION_SOAK") == "1" else 200
# Caches of bounded size may still be filling up during the first rounds.
_FILLING = 50


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Reference counting alone frees what is freed."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def settle() -> None:
    """Let tasks and threads that have done their work end."""
    for _ in range(5):
        await anyio.sleep(0)


async def open_and_close(make: Make, service: str = "s3") -> list[weakref.ref[object]]:
    """One round: a session, a client lent, a client of the session's own."""
    async with make() as session:
        owned = await session.client(service)
        async with session.client(service) as lent:
            pass
        return [weakref.ref(session), weakref.ref(owned), weakref.ref(lent)]


@pytest.mark.slow
async def test_memory_is_flat_over_many_rounds(make: Make) -> None:
    for _ in range(_FILLING):
        await open_and_close(make)
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(_ROUNDS):
        await open_and_close(make)
    await settle()
    gc.collect()
    grown = sys.getallocatedblocks() - before
    assert grown < _ROUNDS / 4, f"{grown} blocks of memory more after {_ROUNDS} rounds"


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("service", ["s3", "dynamodb"])
async def test_a_closed_session_and_its_clients_are_freed_at_once(make: Make, service: str) -> None:
    await open_and_close(make, service)
    refs = await open_and_close(make, service)
    await settle()
    assert [ref() for ref in refs] == [None, None, None]


@pytest.mark.usefixtures("no_collector")
async def test_closing_a_session_leaves_no_cycles_to_the_collector(make: Make) -> None:
    for _ in range(5):
        await open_and_close(make)
    await settle()
    gc.collect()
    for _ in range(20):
        await open_and_close(make)
    await settle()
    # A few objects may be an event loop's; a session is more than a hundred, a client thousands.
    assert gc.collect() / 20 < 10


@pytest.mark.usefixtures("no_collector")
async def test_a_session_that_was_never_opened_is_freed_at_once() -> None:
    session = Session("AKIDEXAMPLE", "secret")
    ref = weakref.ref(session)
    del session
    assert ref() is None

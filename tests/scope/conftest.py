"""Makes the many collections of these tests cheap."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import anyio
import pytest

from asession import Session


async def _warm() -> None:
    async with Session("AKID", "secret", region_name="eu-west-1", environ={}) as session:
        for service in ("sqs", "sts"):
            await session.client(service)


@pytest.fixture(scope="package")
def warm_process() -> None:
    """Has upstream's modules and models loaded."""
    for backend in ("asyncio", "trio"):
        anyio.run(_warm, backend=backend)


@pytest.fixture(autouse=True)
def small_heap(warm_process: None) -> Iterator[None]:
    """Hides from the collector what was there before the test: up to a second a time otherwise."""
    gc.freeze()
    yield
    gc.unfreeze()

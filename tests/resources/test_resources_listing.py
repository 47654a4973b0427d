"""Listing many keys through a collection: memory stays flat, and each item costs little."""

from __future__ import annotations

import cProfile
import os
import pstats
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

PAGES = 100 if os.environ.get("ASESSION_SOAK") == "1" else 6
KEYS = 1000


@pytest.fixture(scope="module")
def listing() -> Iterator[ModuleType]:
    """The benchmark, which is not installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2]))
        from benchmarks import listing

        yield listing


@pytest.fixture(scope="module")
def url(listing: ModuleType) -> Iterator[str]:
    """A fast server with many pages."""
    with listing.serving(PAGES) as url:
        yield url


async def test_memory_stays_flat_however_many_keys_are_listed(listing: Any, url: str) -> None:
    held: list[int] = []
    async with listing.opened(url) as s3:
        tracemalloc.start()
        try:
            count = 0
            async for _item in s3.Bucket(listing.BUCKET).objects.all():
                count += 1
                # In the middle of each page.
                if count % KEYS == KEYS // 2:
                    held.append(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
    assert count == PAGES * KEYS
    # A page and its items are about 2 MB. The first pages fill caches.
    growth = max(held[3:]) - held[2]
    assert held[2] < 8e6
    assert growth < 0.5e6, held


async def test_an_item_costs_few_calls_beyond_its_page(listing: Any, url: str) -> None:
    calls = {}
    async with listing.opened(url) as s3:
        for work in (listing.by_paginator, listing.by_collection):
            await work(s3)
            profile = cProfile.Profile()
            profile.enable()
            await work(s3)
            profile.disable()
            calls[work.__name__] = pstats.Stats(profile).total_calls / (PAGES * KEYS)
    # CPU time is measured by `python -m benchmarks.listing`; calls do not depend on the machine.
    assert calls["by_collection"] - calls["by_paginator"] < 45, calls

"""A collection left in the middle: its connection goes back, and nothing stays open."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import anyio
import pytest

from asession import Session
from servers.messages import RecordedRequest, Reply
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio

PAGE = (
    '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>'
    "<IsTruncated>true</IsTruncated><NextMarker>{}</NextMarker>{}</ListBucketResult>"
)
KEYS = "".join(f"<Contents><Key>k{number}</Key><Size>1</Size></Contents>" for number in range(3))


def answer(request: RecordedRequest) -> Reply:
    """A listing that never ends."""
    marker = int(request.query.get("marker", 0))
    return Reply.xml(PAGE.format(marker + 1, KEYS))


async def by_break(bucket: Any) -> None:
    async for _item in bucket.objects.all():
        break


async def by_error(bucket: Any) -> None:
    with suppress(LookupError):
        async for _page in bucket.objects.pages():
            raise LookupError


async def by_return(bucket: Any) -> Any:
    async for item in bucket.objects.filter(Prefix="k"):
        if item.key == "k2":
            return item
    raise AssertionError("unreachable")


async def by_anext(bucket: Any) -> None:
    await anext(aiter(bucket.objects.all()))


async def by_keeping_it(bucket: Any) -> None:
    kept = [aiter(bucket.objects.all()) for _ in range(3)]
    for items in kept:
        await anext(items)


async def by_cancelling(bucket: Any) -> None:
    with anyio.CancelScope() as scope:
        async for item in bucket.objects.all():
            if item.key == "k1":
                scope.cancel()


@pytest.mark.parametrize(
    "leave", [by_break, by_error, by_return, by_anext, by_keeping_it, by_cancelling]
)
async def test_nothing_stays_open(leave: Callable[[Any], Any]) -> None:
    with warnings.catch_warnings(), Recorder(answer) as recorder:
        # On trio, a generator that the event loop has to close is a ResourceWarning.
        warnings.simplefilter("error")
        async with Session("AKID", "secret", endpoint_url=recorder.url) as session:
            async with session.resource("s3") as s3:
                for _ in range(3):
                    await leave(s3.Bucket("b"))
                    gc.collect()
                    await anyio.lowlevel.checkpoint()
                # No call came too late to be answered; each found the connection of the one before,
                # except after a cancellation, which may fall into a request.
                most = 3 if leave is by_cancelling else 1
                assert recorder.connections_opened <= most
                assert recorder.connections_open <= 1
        with anyio.fail_after(5):
            while recorder.connections_open:
                await anyio.sleep(0.01)

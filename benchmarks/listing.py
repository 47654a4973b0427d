"""What a collection adds to a paginator: CPU time of listing 100,000 keys, on both event loops.

`python -m benchmarks.listing` prints one line for each loop: seconds of CPU time of the raw
paginator and of ``bucket.objects.all()``, the best of several rounds each, and their ratio. The
rounds take turns in one process; the server, which answers from memory, has its own.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import anyio

from benchmarks.environments import ROOT
from benchmarks.peers import ACCESS_KEY, REGION, SECRET_KEY
from benchmarks.server import BUCKET, HOST, KEYS, SIZE, Fake, _answer

# What a collection may cost at most, in CPU time of the raw paginator.
MUST = 1.3

_ENTRY = (
    "<Contents><Key>{key}</Key><LastModified>2026-06-30T09:30:15.000Z</LastModified>"
    "<ETag>&quot;b2ea9f7fcea831a4a63b213f41a8855b&quot;</ETag>"
    "<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>"
    "<Size>{size}</Size><StorageClass>STANDARD</StorageClass>"
    "<Owner><ID>75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a</ID></Owner>"
    "</Contents>"
)


def _pages(count: int) -> list[bytes]:
    """The answers to ListObjects, each but the last with the number of the next as its marker."""
    found = []
    for page in range(count):
        entries = "".join(
            _ENTRY.format(key=f"logs/2026/{page:04}/part-{number:05}.json", size=SIZE + number)
            for number in range(KEYS)
        )
        last = page == count - 1
        document = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{BUCKET}</Name><Prefix></Prefix><MaxKeys>{KEYS}</MaxKeys>"
            f"<EncodingType>url</EncodingType><IsTruncated>{str(not last).lower()}</IsTruncated>"
            f"{'' if last else f'<NextMarker>{page + 1}</NextMarker>'}{entries}</ListBucketResult>"
        )
        found.append(_answer("Content-Type: application/xml\r\n", document.encode()))
    return found


class PagedFake(Fake):
    """One connection of a client that lists; lives until either side closes it."""

    pages: list[bytes]

    def _reply(self, request: bytes) -> bytes:
        target = request[: request.find(b"\r\n")].split(b" ")[1]
        _, found, rest = target.partition(b"marker=")
        return self.pages[int(rest.partition(b"&")[0]) if found else 0]


async def _serve(pages: int) -> None:
    PagedFake.pages = _pages(pages)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(PagedFake, HOST, 0)
    print(json.dumps(server.sockets[0].getsockname()[1]), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


@contextlib.contextmanager
def serving(pages: int) -> Iterator[str]:
    """The URL of a server with that many pages of 1000 keys, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.listing", "--serve", "--pages", str(pages)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield f"http://{HOST}:{json.loads(process.stdout.readline())}"
    finally:
        process.communicate()


async def by_paginator(s3: Any) -> int:
    """Every key, from the pages of the client's paginator."""
    count = 0
    paginator = s3.meta.client.get_paginator("list_objects")
    async for page in paginator.paginate(Bucket=BUCKET):
        for entry in page["Contents"]:
            assert entry["Key"]
            count += 1
    return count


async def by_collection(s3: Any) -> int:
    """Every key, from the items of the collection."""
    count = 0
    async for item in s3.Bucket(BUCKET).objects.all():
        assert item.key
        count += 1
    return count


@contextlib.asynccontextmanager
async def opened(url: str) -> Any:
    """The resource that both use."""
    from asession import Session

    async with Session(ACCESS_KEY, SECRET_KEY, region_name=REGION, endpoint_url=url) as session:
        async with session.resource("s3") as s3:
            yield s3


async def compare(url: str, pages: int, rounds: int) -> tuple[float, float]:
    """The least CPU time of the paginator and of the collection, in seconds."""

    async def cost(work: Callable[[Any], Awaitable[int]]) -> float:
        before = time.process_time()
        assert await work(s3) == pages * KEYS
        return time.process_time() - before

    async with opened(url) as s3:
        found = [(await cost(by_paginator), await cost(by_collection)) for _ in range(rounds + 1)]
    # The first round warms up. The least is what other work on the machine disturbed least.
    raw, items = zip(*found[1:], strict=True)
    return min(raw), min(items)


def main() -> None:
    """Serve, or measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(_serve(given.pages))
        return
    with serving(given.pages) as url:
        for backend in ("asyncio", "trio"):
            raw, items = anyio.run(compare, url, given.pages, given.rounds, backend=backend)
            keys = given.pages * KEYS
            print(
                f"{backend}: {keys} keys, paginator {raw:.2f} s, collection {items:.2f} s, "
                f"ratio {items / raw:.2f} (must be {MUST} or less)"
            )


if __name__ == "__main__":
    main()

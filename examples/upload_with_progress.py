"""A file goes up and comes down again, each with a progress bar of rich.

Run it with ``python examples/upload_with_progress.py [--backend trio]``, and with ``--endpoint-url
URL`` or ``AWS_ENDPOINT_URL`` against a local server.
"""

from __future__ import annotations

import argparse
import tempfile

import anyio
from rich.console import Console
from rich.progress import DownloadColumn, Progress

from asession import Session
from asession.s3 import rich_progress

SIZE = 20 * 1024 * 1024


async def main(endpoint_url: str | None = None) -> None:
    with tempfile.TemporaryDirectory() as directory:
        source, target = anyio.Path(directory, "source"), anyio.Path(directory, "target")
        await source.write_bytes(bytes(SIZE))
        async with Session(endpoint_url=endpoint_url) as session:
            async with session.client("s3") as s3:
                await s3.create_bucket(Bucket="films")
                bars = Progress("{task.description}", DownloadColumn(), console=Console(width=60))
                with bars:
                    up = bars.add_task("up", total=SIZE)
                    callback = rich_progress(bars, up)
                    await s3.upload_file(source, "films", "film", Callback=callback)
                    down = bars.add_task("down", total=SIZE)
                    callback = rich_progress(bars, down)
                    await s3.download_file("films", "film", target, Callback=callback)
        print("same:", await source.read_bytes() == await target.read_bytes())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint-url")
    parser.add_argument("--backend", default="asyncio", choices=["asyncio", "trio"])
    given = parser.parse_args()
    anyio.run(main, given.endpoint_url, backend=given.backend)

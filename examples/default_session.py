"""Clients and resources without a session of one's own: boto3's "default session".

Run it with ``python examples/default_session.py [--backend trio]``, and with ``--endpoint-url URL``
or ``AWS_ENDPOINT_URL`` against a local server.
"""

from __future__ import annotations

import argparse

import anyio

import asession


async def main(endpoint_url: str | None = None) -> None:
    # Without this line the default session takes everything from the environment and the files.
    asession.setup_default_session(endpoint_url=endpoint_url)

    async with asession.client("sqs") as sqs:
        answer = await sqs.list_queues()
        print("queues:", answer.get("QueueUrls", []))

    async with asession.resource("s3") as s3:
        print("buckets:", [bucket.name async for bucket in s3.buckets.all()])

    session = await asession.current_session().resolve()
    print("default session:", session.profile_name, session.region_name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint-url")
    parser.add_argument("--backend", default="asyncio", choices=["asyncio", "trio"])
    given = parser.parse_args()
    anyio.run(main, given.endpoint_url, backend=given.backend)

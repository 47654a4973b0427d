"""A session made from a profile, a client and a resource: boto3's "custom session".

Run it with ``python examples/first_session.py [--profile NAME] [--backend trio]``, and with
``--endpoint-url URL`` or ``AWS_ENDPOINT_URL`` against a local server.
"""

from __future__ import annotations

import argparse

import anyio

from asession import Session


async def main(endpoint_url: str | None = None, profile_name: str | None = None) -> None:
    async with Session(profile_name=profile_name, endpoint_url=endpoint_url) as session:
        print("profile:", session.profile_name, "region:", session.region_name)

        async with session.client("s3") as s3:  # closed at the end of the block
            answer = await s3.list_buckets()
            print("buckets:", [bucket["Name"] for bucket in answer["Buckets"]])

        sqs = await session.client("sqs")  # closed when the session is left
        answer = await sqs.list_queues()
        print("queues:", answer.get("QueueUrls", []))

        async with session.resource("dynamodb") as dynamodb:
            print("tables:", [table.name async for table in dynamodb.tables.all()])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint-url")
    parser.add_argument("--profile")
    parser.add_argument("--backend", default="asyncio", choices=["asyncio", "trio"])
    given = parser.parse_args()
    anyio.run(main, given.endpoint_url, given.profile, backend=given.backend)

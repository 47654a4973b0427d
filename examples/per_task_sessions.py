"""One session per task, all at once: boto3's "one session per thread", without the threads.

Run it with ``python examples/per_task_sessions.py [--backend trio]``, and with
``--endpoint-url URL`` or ``AWS_ENDPOINT_URL`` against a local server.
"""

from __future__ import annotations

import argparse

import anyio

import asession
from asession import Session

TENANTS = {
    name: {
        "region": region,
        "aws_access_key_id": f"AKIA{name.upper()}",
        "aws_secret_access_key": "secret",
    }
    for name, region in {"red": "us-east-1", "green": "eu-west-1", "blue": "ap-south-1"}.items()
}


async def count_buckets() -> int:
    # Far below, nobody passes a session along: the client is the current session's.
    async with asession.client("s3") as s3:
        return len((await s3.list_buckets())["Buckets"])


async def work_for(tenant: str, endpoint_url: str | None) -> None:
    async with Session(profile_name=tenant, profiles=TENANTS, endpoint_url=endpoint_url):
        count = await count_buckets()
        session = asession.current_session()
        print(f"{session.profile_name} in {session.region_name}: {count} buckets")


async def main(endpoint_url: str | None = None) -> None:
    async with anyio.create_task_group() as tasks:
        for tenant in TENANTS:
            tasks.start_soon(work_for, tenant, endpoint_url)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint-url")
    parser.add_argument("--backend", default="asyncio", choices=["asyncio", "trio"])
    given = parser.parse_args()
    anyio.run(main, given.endpoint_url, backend=given.backend)

"""Dask inventory: the buckets of many accounts, counted by the workers of a Dask cluster.

Run it with ``python examples/dask_inventory.py``, and with ``--endpoint-url URL`` or
``AWS_ENDPOINT_URL`` against a local server. Dask's event loops are asyncio's, so this example has
no ``--backend``.
"""

from __future__ import annotations

import argparse
import logging
import secrets
from contextlib import AsyncExitStack

import anyio
from distributed import Client, LocalCluster, Worker, WorkerPlugin, as_completed, get_worker

from asession import Session

ACCOUNTS = ("444444444444", "555555555555", "666666666666")


class Accounts(WorkerPlugin):
    """A session for each account, entered on a worker's event loop for as long as it lives."""

    name = "accounts"

    def __init__(self, sessions: dict[str, Session]) -> None:
        self.sessions = sessions

    async def setup(self, worker: Worker) -> None:
        for session in self.sessions.values():
            await session.__aenter__()

    async def teardown(self, worker: Worker) -> None:
        async with AsyncExitStack() as stack:  # the others are closed when closing one fails
            for session in self.sessions.values():
                stack.push_async_callback(session.aclose)


def session_of(account: str) -> Session:
    """The session that this worker has for an account."""
    session: Session = get_worker().plugins["accounts"].sessions[account]
    return session


# Dask runs an `async def` task on the event loop of its worker. Arguments and results are plain
# values: clients and what they return as a stream stay on the worker.


async def bucket_names(account: str) -> list[str]:
    async with session_of(account).client("s3") as s3:
        return [bucket["Name"] for bucket in (await s3.list_buckets())["Buckets"]]


async def measure(account: str, bucket: str) -> tuple[str, int, int]:
    count = size = 0
    with anyio.fail_after(300):  # nobody else stops a task: cancelling its future does not
        async with session_of(account).client("s3") as s3:
            async for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                count += page["KeyCount"]
                size += sum(each["Size"] for each in page.get("Contents", []))
    return account, count, size


async def inventory(client: Client) -> None:
    """Print what the accounts have."""
    # Not pure: asked again, AWS may answer something else, so no answer is used twice.
    futures = [client.submit(bucket_names, account, pure=False) for account in ACCOUNTS]
    names = dict(zip(ACCOUNTS, await client.gather(futures), strict=True))

    totals = dict.fromkeys(ACCOUNTS, (0, 0))
    measured = as_completed(
        client.submit(measure, account, bucket, pure=False)
        for account in ACCOUNTS
        for bucket in names[account]
    )
    async for future in measured:
        account, count, size = await future  # raises what the task raised
        totals[account] = (totals[account][0] + count, totals[account][1] + size)

    for account, (count, size) in totals.items():
        print(f"{account}: {len(names[account])} buckets, {count} objects, {size} bytes")


async def fill(session: Session, number: int) -> None:
    """Put something there to be counted."""
    async with session.client("s3", region_name="us-east-1") as s3:
        for _ in range(number):
            bucket = f"inventory-{secrets.token_hex(8)}"
            await s3.create_bucket(Bucket=bucket)
            for key in range(number):
                await s3.put_object(Bucket=bucket, Key=str(key), Body=bytes(100))


async def wipe(session: Session) -> None:
    """Delete it again."""
    async with session.resource("s3") as s3:
        async for bucket in s3.buckets.all():
            if bucket.name.startswith("inventory-"):
                await bucket.objects.all().delete()
                await bucket.delete()


async def main(endpoint_url: str | None = None) -> None:
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(Session(endpoint_url=endpoint_url))
        roles = {
            account: session.assume_role(f"arn:aws:iam::{account}:role/inventory")
            for account in ACCOUNTS
        }
        for number, role in enumerate(roles.values(), 1):
            stack.push_async_callback(wipe, role)
            await fill(role, number)

        cluster = await stack.enter_async_context(
            LocalCluster(
                n_workers=2,
                threads_per_worker=8,  # so many tasks at once; async ones leave the threads alone
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",  # a free port, for this machine alone
                silence_logs=logging.ERROR,
                asynchronous=True,
            )
        )
        client = await stack.enter_async_context(Client(cluster, asynchronous=True))
        await client.register_plugin(Accounts(roles))
        await inventory(client)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint-url")
    anyio.run(main, parser.parse_args().endpoint_url)

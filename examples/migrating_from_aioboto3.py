"""A program written for aioboto3, carried over: each line that had to change says what it was.

Run it with ``python examples/migrating_from_aioboto3.py [--backend trio]``, and with
``--endpoint-url URL`` or ``AWS_ENDPOINT_URL`` against a local server.
"""

from __future__ import annotations

import argparse
import io
import secrets
from contextlib import AsyncExitStack
from typing import Any

import anyio
from boto3.dynamodb.conditions import Key  # boto3's own go on working
from botocore.exceptions import ClientError

import asession  # was: import aioboto3


class Archive:
    """Keeps reports in a bucket, and an index of them in a table; closed by `stop`."""

    def __init__(self, session: asession.Session, endpoint_url: str | None) -> None:
        self.session = session  # was: aioboto3.Session
        self.endpoint_url = endpoint_url
        self.stack = AsyncExitStack()

    async def start(self) -> None:
        opening = self.session.resource("s3", endpoint_url=self.endpoint_url)
        s3 = await self.stack.enter_async_context(opening)
        opening = self.session.resource("dynamodb", endpoint_url=self.endpoint_url)
        dynamodb = await self.stack.enter_async_context(opening)
        suffix = secrets.token_hex(4)
        self.bucket = await s3.Bucket(f"archive-{suffix}")  # `await` may stay
        await self.bucket.create()
        self.table: Any = await dynamodb.create_table(
            TableName=f"archive-{suffix}",
            KeySchema=[{"AttributeName": "day", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "day", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        await self.table.wait_until_exists()

    async def add(self, reports: dict[str, bytes]) -> None:
        async with self.table.batch_writer(flush_amount=10) as batch:
            for day, report in reports.items():
                await self.bucket.upload_fileobj(io.BytesIO(report), f"reports/{day}")
                await batch.put_item(Item={"day": day, "bytes": len(report)})

    async def show(self) -> None:
        await self.table.load()  # was: status = await self.table.table_status
        print("table:", self.table.table_status)
        async for item in self.bucket.objects.filter(Prefix="reports/"):
            print(item.key, item.size)  # was: await item.size
        answer = await self.table.query(KeyConditionExpression=Key("day").eq("monday"))
        print("monday:", answer["Items"][0]["bytes"], "bytes")
        try:
            await self.bucket.download_fileobj("reports/sunday", io.BytesIO())
        except ClientError as error:
            print("sunday:", error.response["Error"]["Code"])

    async def stop(self) -> None:
        await self.bucket.objects.all().delete()
        await self.bucket.delete()
        await self.table.delete()
        await self.stack.aclose()


async def main(endpoint_url: str | None = None) -> None:
    session = asession.Session(region_name="us-east-1")  # was: aioboto3.Session(...)
    archive = Archive(session, endpoint_url)
    await archive.start()
    await archive.add({"monday": b"all well", "tuesday": b"all well again"})
    await archive.show()
    await archive.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint-url")
    parser.add_argument("--backend", default="asyncio", choices=["asyncio", "trio"])
    given = parser.parse_args()
    anyio.run(main, given.endpoint_url, backend=given.backend)  # was: asyncio.run(main())

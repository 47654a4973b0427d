"""DynamoDB bulk load: many tasks write into one batch writer, then some of it is read back.

Run it with ``python examples/dynamodb_bulk_load.py [--backend trio]``, and with
``--endpoint-url URL`` or ``AWS_ENDPOINT_URL`` against a local server.
"""

from __future__ import annotations

import argparse
import secrets
from decimal import Decimal

import anyio

from asession import Session
from asession.dynamodb import Attr, Key

STATIONS = ("harbour", "hill", "river", "tower")
HOURS = 48


async def main(endpoint_url: str | None = None) -> None:
    async with (
        Session(endpoint_url=endpoint_url) as session,
        session.resource("dynamodb") as dynamodb,
    ):
        table = await dynamodb.create_table(
            TableName=f"weather-{secrets.token_hex(4)}",
            KeySchema=[
                {"AttributeName": "station", "KeyType": "HASH"},
                {"AttributeName": "hour", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "station", "AttributeType": "S"},
                {"AttributeName": "hour", "AttributeType": "N"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        await table.wait_until_exists()

        # With the key attributes named, requests are sent side by side, and a second measurement
        # of an hour takes the place of the first one, in whatever order they arrive.
        async with table.batch_writer(overwrite_by_pkeys=["station", "hour"]) as batch:

            async def load(station: str) -> None:
                for hour in range(HOURS):
                    for attempt in range(2):
                        degrees = Decimal(f"{hour % 24}.{attempt}")
                        await batch.put_item(
                            Item={"station": station, "hour": hour, "degrees": degrees}
                        )

            async with anyio.create_task_group() as tasks:
                for station in STATIONS:
                    tasks.start_soon(load, station)

        print("written:", len([item async for item in table.scan_items()]))

        noon = [{"station": station, "hour": 12} for station in STATIONS]
        print("at noon:", sorted([item["degrees"] async for item in table.batch_get(noon)]))

        async for item in table.query_items(
            KeyConditionExpression=Key("station").eq("hill") & Key("hour").lt(24),
            FilterExpression=Attr("degrees").gt(22),
        ):
            print("warm on the hill:", item["hour"], item["degrees"])

        await table.delete()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint-url")
    parser.add_argument("--backend", default="asyncio", choices=["asyncio", "trio"])
    given = parser.parse_args()
    anyio.run(main, given.endpoint_url, backend=given.backend)

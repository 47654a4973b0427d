"""What somebody who comes from aioboto3 has in their own conftest: sessions, buckets, tables."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

import asession
from servers.seaweedfs import Seaweed

REGION = "eu-central-1"

Open = Callable[..., AbstractAsyncContextManager[Any]]


def new_session(**more: Any) -> asession.Session:
    """As aioboto3's users make one: never entered."""
    given = {"aws_access_key_id": "AKIAX", "aws_secret_access_key": "s", "region_name": REGION}
    return asession.Session(**{**given, **more})


@pytest.fixture
def open_s3(seaweed: Seaweed, random_name: Callable[[], str]) -> Open:
    """`async with open_s3() as (s3, bucket)`: a client, and the name of an empty bucket."""

    @asynccontextmanager
    async def opened(**more: Any) -> AsyncGenerator[tuple[Any, str]]:
        session = seaweed_session(seaweed)
        async with session.client("s3", endpoint_url=seaweed.url, **more) as s3:
            bucket = random_name()
            await s3.create_bucket(Bucket=bucket)
            yield s3, bucket

    return opened


@pytest.fixture
def open_bucket(seaweed: Seaweed, random_name: Callable[[], str]) -> Open:
    """`async with open_bucket() as (s3, bucket)`: the resource, and one of an empty bucket."""

    @asynccontextmanager
    async def opened() -> AsyncGenerator[tuple[Any, Any]]:
        session = seaweed_session(seaweed)
        async with session.resource("s3", endpoint_url=seaweed.url) as s3:
            bucket = await s3.Bucket(random_name())
            await bucket.create()
            yield s3, bucket

    return opened


def seaweed_session(seaweed: Seaweed) -> asession.Session:
    """A session with keys that the server knows."""
    return new_session(
        aws_access_key_id=seaweed.access_key,
        aws_secret_access_key=seaweed.secret_key,
        region_name="us-east-1",
    )


@pytest.fixture
def open_table(ministack_url: str, random_name: Callable[[], str]) -> Open:
    """`async with open_table() as (dynamodb, table)`: the resource, and an empty table."""

    @asynccontextmanager
    async def opened() -> AsyncGenerator[tuple[Any, Any]]:
        async with new_session().resource("dynamodb", endpoint_url=ministack_url) as dynamodb:
            name = random_name()
            await dynamodb.create_table(
                TableName=name,
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                ProvisionedThroughput={"ReadCapacityUnits": 10, "WriteCapacityUnits": 10},
            )
            yield dynamodb, await dynamodb.Table(name)

    return opened

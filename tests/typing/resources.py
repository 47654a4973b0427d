"""What type checkers make of resources whose types are installed; checked, never run."""

from __future__ import annotations

from datetime import datetime
from typing import Any, assert_type

from types_aiobotocore_dynamodb import DynamoDBClient
from types_aiobotocore_dynamodb.type_defs import GetItemOutputTableTypeDef

import asession
from asession import Session
from asession.dynamodb import BatchWriter
from asession.types.dynamodb import DynamoDBServiceResource, Table
from asession.types.ec2 import Instance, Subnet, Vpc
from asession.types.s3 import Bucket, Object, ObjectSummary, S3ServiceResource


async def size(bucket: Bucket) -> int:
    return sum([item.size async for item in bucket.objects.all()])


async def of_s3(session: Session) -> None:
    async with session.resource("s3") as s3:
        assert_type(s3, S3ServiceResource)
        bucket = s3.Bucket("reports")
        assert_type(bucket, Bucket)
        assert_type(await size(bucket), int)
        assert_type(await s3.Bucket("reports"), Bucket)
        assert_type(await bucket.load(), Bucket)
        assert_type(bucket.creation_date, datetime)
        assert_type(bucket.Object("a.txt"), Object)
        await bucket.upload_file("a.txt", "a.txt")
        await s3.meta.client.upload_file("a.txt", "reports", "a.txt")
        async for item in bucket.objects.filter(Prefix="2026/").limit(10):
            assert_type(item, ObjectSummary)
            assert_type(item.size, int)
        async for page in bucket.objects.pages():
            assert_type(page, list[ObjectSummary])
        await bucket.objects.filter(Prefix="2026/").delete()
        body = (await bucket.Object("a.txt").get())["Body"]
        assert_type(await body.read(), bytes)


async def of_dynamodb() -> None:
    dynamodb = await asession.resource("dynamodb", "eu-west-1")
    assert_type(dynamodb, DynamoDBServiceResource)
    table = dynamodb.Table("orders")
    assert_type(table, Table)
    assert_type(table.meta.client, DynamoDBClient)
    assert_type(await table.get_item(Key={"id": "1"}), GetItemOutputTableTypeDef)
    async with table.batch_writer(overwrite_by_pkeys=["id"]) as batch:
        assert_type(batch, BatchWriter)
    async for order in table.query_items(KeyConditionExpression="id = :id"):
        assert_type(order, dict[str, Any])


async def of_ec2(session: Session) -> None:
    async with session.resource("ec2") as ec2:
        vpc = await ec2.create_vpc(CidrBlock="10.0.0.0/16")
        assert_type(vpc, Vpc)
        assert_type(await vpc.create_subnet(CidrBlock="10.0.1.0/24"), Subnet)
        assert_type(ec2.Subnet("subnet-1").vpc, Vpc)
        async for instance in vpc.instances.all():
            assert_type(instance, Instance)


async def without_a_block(session: Session) -> None:
    s3 = await session.resource("s3").__aenter__()
    assert_type(s3, S3ServiceResource)
    await s3.close()


async def of_any_service(session: Session, name: str) -> None:
    async with session.resource(name) as resource:
        assert_type(resource, Any)


async def misuse(session: Session) -> None:
    async with session.resource("s3") as s3:
        s3.Buckets("reports")  # wrong
        s3.Bucket("reports").name = "others"  # wrong
        await s3.Bucket("reports").creation_date  # wrong
        async for _item in s3.Bucket("reports").objects:  # wrong
            break

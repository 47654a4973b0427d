"""Resources as aioboto3's users write them, `await` in front of constructors included."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.conditions import Attr, Key

from migration.conftest import Open, new_session

pytestmark = pytest.mark.anyio


async def test_constructors_and_sub_resources_may_be_awaited(open_bucket: Open) -> None:
    async with open_bucket() as (s3, bucket):
        assert bucket == s3.Bucket(bucket.name)
        item = await bucket.Object("k")
        await item.put(Body=b"abc")
        answer = await item.get()
        assert await answer["Body"].read() == b"abc"
        assert (await item.Bucket()).name == bucket.name
        acl = await bucket.Acl()
        assert type(acl).__name__ == "s3.BucketAcl"
        put = await bucket.put_object(Key="k2", Body=b"x")
        assert (put.bucket_name, put.key) == (bucket.name, "k2")


async def test_collections_are_iterated_filtered_and_paged(open_bucket: Open) -> None:
    async with open_bucket() as (_s3, bucket):
        for key in ("a/1", "a/2", "b"):
            await bucket.put_object(Key=key, Body=b"1")
        objects = bucket.objects
        assert [item.key async for item in objects.all()] == ["a/1", "a/2", "b"]
        assert [item.key async for item in objects.filter(Prefix="a/")] == ["a/1", "a/2"]
        assert [item.key async for item in objects.limit(2)] == ["a/1", "a/2"]
        assert [len(page) async for page in objects.page_size(2).pages()] == [2, 1]
        assert [len(page) async for page in objects.pages()] == [3]
        (answer,) = await objects.filter(Prefix="a/").delete()
        assert {deleted["Key"] for deleted in answer["Deleted"]} == {"a/1", "a/2"}
        await objects.all().delete()
        assert await objects.delete() == []


async def test_loading_keeps_the_data(open_bucket: Open) -> None:
    async with open_bucket() as (s3, bucket):
        item = await bucket.put_object(Key="k", Body=b"abc")
        await item.load()
        assert item.meta.data["ContentLength"] == 3
        summary = await s3.ObjectSummary(bucket.name, "k")
        await summary.load()
        assert summary.meta.data["Size"] == 3
        await bucket.load()
        assert bucket.meta.data["Name"] == bucket.name


async def test_errors_come_by_the_clients_classes(
    open_bucket: Open, random_name: Callable[[], str]
) -> None:
    async with open_bucket() as (s3, _bucket):
        gone = await s3.Bucket(random_name())
        with pytest.raises(s3.meta.client.exceptions.NoSuchBucket):
            await gone.delete()


async def test_tables_are_written_queried_and_scanned(open_table: Open) -> None:
    async with open_table() as (dynamodb, table):
        await table.put_item(Item={"pk": "1", "n": 3})
        answer = await table.query(KeyConditionExpression=Key("pk").eq("1"))
        assert answer["Items"] == [{"pk": "1", "n": Decimal(3)}]
        assert (await table.get_item(Key={"pk": "1"}))["Item"]["n"] == 3
        assert (await table.scan(FilterExpression=Attr("n").gt(5)))["Count"] == 0
        got = await dynamodb.batch_get_item(RequestItems={table.name: {"Keys": [{"pk": "1"}]}})
        assert len(got["Responses"][table.name]) == 1
        client = dynamodb.meta.client
        put = {"Put": {"TableName": table.name, "Item": {"pk": "2"}}}
        await client.transact_write_items(TransactItems=[put])
        paginator = client.get_paginator("scan")
        keys = []
        async for page in paginator.paginate(
            TableName=table.name, PaginationConfig={"PageSize": 1}
        ):
            keys += [item["pk"] for item in page["Items"]]
        assert sorted(keys) == ["1", "2"]
        await table.wait_until_exists()


async def test_the_batch_writer_flushes_at_the_end(open_table: Open) -> None:
    async with open_table() as (_dynamodb, table):
        async with table.batch_writer() as batch:
            for number in range(30):
                await batch.put_item(Item={"pk": str(number)})
        assert (await table.scan())["Count"] == 30
        async with table.batch_writer(overwrite_by_pkeys=["pk"]) as batch:
            for number in range(5):
                await batch.put_item(Item={"pk": "0", "n": number})
            await batch.delete_item(Key={"pk": "1"})
        assert (await table.scan())["Count"] == 29
        assert (await table.get_item(Key={"pk": "0"}))["Item"]["n"] == 4


@pytest.mark.parametrize("positional", [False, True])
async def test_the_batch_writer_takes_aioboto3s_arguments(
    open_table: Open, positional: bool
) -> None:
    async with open_table() as (_dynamodb, table):
        writer = (
            table.batch_writer(None, 5, 0.1)
            if positional
            else table.batch_writer(flush_amount=5, on_exit_loop_sleep=0.1)
        )
        async with writer as batch:
            for number in range(4):
                await batch.put_item(Item={"pk": str(number)})
            assert (await table.scan())["Count"] == 0
            for number in range(4, 9):
                await batch.put_item(Item={"pk": str(number)})
            assert (await table.scan())["Count"] == 5
        assert (await table.scan())["Count"] == 9
        for amount in (0, 26):
            with pytest.raises(ValueError, match=f"flush_amount={amount}"):
                table.batch_writer(flush_amount=amount)


async def test_queues_topics_and_instances(moto_url: str, random_name: Callable[[], str]) -> None:
    session = new_session()
    async with session.resource("sqs", endpoint_url=moto_url) as sqs:
        await sqs.create_queue(QueueName=(name := random_name()))
        queue = await sqs.get_queue_by_name(QueueName=name)
        await queue.send_message(MessageBody="hello")
        (message,) = await queue.receive_messages()
        await message.delete()
    async with session.resource("sns", endpoint_url=moto_url) as sns:
        topic = await sns.create_topic(Name=random_name())
        await topic.publish(Message="hello")
        assert topic in [item async for item in sns.topics.all()]
    async with session.resource("ec2", endpoint_url=moto_url) as ec2:
        vpc = await ec2.create_vpc(CidrBlock="10.0.0.0/16")
        await vpc.create_tags(Tags=[{"Key": "a", "Value": "b"}])
        same = await ec2.Vpc(vpc.id)
        await same.load()
        assert same.meta.data["Tags"] == [{"Key": "a", "Value": "b"}]


async def test_resources_know_what_they_are(open_bucket: Open) -> None:
    async with open_bucket() as (s3, bucket):
        meta: Any = bucket.meta
        assert (meta.service_name, meta.identifiers) == ("s3", ["name"])
        assert meta.resource_model.name == "Bucket"
        assert repr(bucket) == f"s3.Bucket(name={bucket.name!r})"
        assert "Bucket" in s3.get_available_subresources()

"""What type checkers make of clients whose types are installed; checked, never run."""

from __future__ import annotations

from typing import Any, assert_type

from botocore.config import Config
from types_aiobotocore_dynamodb import DynamoDBClient
from types_aiobotocore_s3 import S3Client
from types_aiobotocore_s3.type_defs import ListBucketsOutputTypeDef
from types_aiobotocore_sqs import SQSClient

import asession
from asession import Session
from asession.types.s3 import S3Client as ExtendedS3Client


async def count(s3: S3Client) -> int:
    return len((await s3.list_buckets())["Buckets"])


async def for_a_block(session: Session) -> None:
    async with session.client("s3") as s3:
        assert_type(s3, ExtendedS3Client)
        assert_type(await count(s3), int)
        assert_type(await s3.list_buckets(), ListBucketsOutputTypeDef)
        await s3.upload_file("a.txt", "bucket", "a.txt", Callback=print)
        async for page in s3.get_paginator("list_objects_v2").paginate(Bucket="bucket"):
            assert_type(
                [item["Key"] for item in page.get("Contents", []) if "Key" in item], list[str]
            )
    async with session.client("dynamodb", region_name="eu-west-1", config=Config()) as dynamodb:
        assert_type(dynamodb, DynamoDBClient)
    async with asession.client("sqs", "eu-west-1", verify=False) as sqs:
        assert_type(sqs, SQSClient)


async def for_the_session(session: Session) -> None:
    sqs = await session.client("sqs", "eu-west-1", verify=False)
    assert_type(sqs, SQSClient)
    assert_type(await asession.client("dynamodb"), DynamoDBClient)


async def of_any_service(session: Session, name: str) -> None:
    async with session.client(name) as client:
        assert_type(client, Any)
    assert_type(await asession.client(service_name=name), Any)


async def whose_types_are_not_installed(session: Session) -> None:
    async with session.client("xray") as xray:
        assert_type(xray, Any)
        await xray.get_groups()


async def misuse(session: Session) -> None:
    async with session.client("s3") as s3:
        await s3.list_bucket()  # wrong
        await s3.get_object(Bukket="a", Key="b")  # wrong
        len((await s3.list_buckets())["Bucketz"])  # wrong
    session.client("sqs").list_queues()  # wrong
    session.client("s3", region="eu-west-1")  # wrong
    asession.client("s3", verify=1.5)  # wrong


class Recording(Session):
    """A session of one's own may override `client`."""

    def client(self, service_name: str, *args: Any, **kwargs: Any) -> Any:
        return super().client(service_name, *args, **kwargs)


class Frankfurt(Session):
    def client(self, service_name: str, region_name: str | None = "eu-central-1") -> Any:  # wrong
        return super().client(service_name, region_name)

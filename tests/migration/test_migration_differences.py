"""What the migration page lists: each difference from aioboto3 is there, and says what to write."""

from __future__ import annotations

import io
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3.session
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ParamValidationError

import asession
from asession.exceptions import (
    ClientClosedError,
    ClientError,
    PartialCredentialsError,
    ProfileNotFoundError,
    ResourceNotLoadedError,
    SessionNotEnteredError,
    SessionNotResolvedError,
)
from migration.conftest import Open, new_session
from servers.answers import AwsAnswers
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024


async def test_attributes_are_loaded_first_and_then_plain(
    open_bucket: Open, open_table: Open
) -> None:
    async with open_bucket() as (_s3, bucket):
        with pytest.raises(ResourceNotLoadedError, match=r"await resource\.load\(\)"):
            await bucket.creation_date
        assert isinstance((await bucket.load()).creation_date, datetime)
        item = await bucket.put_object(Key="k", Body=b"abc")
        assert [listed.size async for listed in bucket.objects.all()] == [3]
        assert (await item.load()).content_length == 3
    async with open_table() as (_dynamodb, table):
        await table.load()
        assert table.table_status == "ACTIVE"


async def test_facts_of_a_session_are_known_once_it_is_resolved(home: Any) -> None:
    home.write_config("[default]\nregion = eu-west-1\n[profile dev]\nregion = eu-west-2\n")
    session = asession.Session(profile_name="dev")
    with pytest.raises(SessionNotResolvedError):
        _ = session.region_name
    await session.resolve()
    assert (session.profile_name, session.region_name) == ("dev", "eu-west-2")
    assert session.available_profiles == ["default", "dev"]
    assert "s3" in await session.get_available_services()
    assert "s3" in await session.get_available_resources()
    assert "aws-cn" in await session.get_available_partitions()
    assert await session.get_partition_for_region("cn-north-1") == "aws-cn"


async def test_mistakes_of_a_session_come_at_other_times() -> None:
    with pytest.raises(PartialCredentialsError):
        asession.Session(aws_access_key_id="AKIAX")
    session = asession.Session(profile_name="none")
    with pytest.raises(ProfileNotFoundError):
        await session.resolve()
    opening = new_session().resource("ssm")
    with pytest.raises(asession.exceptions.ResourceNotExistsError):
        await opening.__aenter__()
    with pytest.raises(SessionNotEnteredError):
        await new_session().client("s3")
    assert not isinstance(session, boto3.session.Session)


async def test_handlers_of_resource_classes_are_plain_functions() -> None:
    async def add(**kwargs: Any) -> None: ...

    with pytest.raises(TypeError, match="must be a plain function"):
        new_session().events.register("creating-resource-class.s3.Bucket", add)


async def test_a_closed_client_raises() -> None:
    async with new_session().client("s3") as s3:
        pass
    with pytest.raises(ClientClosedError):
        await s3.list_buckets()


async def test_a_batch_that_ends_by_an_exception_sends_nothing_more(open_table: Open) -> None:
    async with open_table() as (_dynamodb, table):
        for flush, count in ((False, 0), (True, 1)):
            with pytest.raises(KeyError):  # noqa: PT012
                async with table.batch_writer(flush_on_error=flush) as batch:
                    await batch.put_item(Item={"pk": "1"})
                    raise KeyError
            assert (await table.scan())["Count"] == count


async def test_errors_of_upload_file_are_boto3s(
    ministack_url: str, tmp_path: Path, random_name: Callable[[], str]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    async with new_session().client("s3", endpoint_url=ministack_url) as s3:
        with pytest.raises(S3UploadFailedError) as caught:
            await s3.upload_file(str(path), random_name(), "k")
        assert isinstance(caught.value.__cause__, ClientError)
        with pytest.raises(ClientError):
            await s3.upload_fileobj(io.BytesIO(b"abc"), random_name(), "k")


async def test_callbacks_get_increments_and_may_raise(open_s3: Open) -> None:
    async with open_s3() as (s3, bucket):
        counts: list[int] = []
        await s3.put_object(Bucket=bucket, Key="k", Body=bytes(9 * MIB))
        await s3.download_fileobj(bucket, "k", io.BytesIO(), Callback=counts.append)
        assert (sum(counts), len(counts) > 1) == (9 * MIB, True)
        counts.clear()
        await s3.copy({"Bucket": bucket, "Key": "k"}, bucket, "k2", Callback=counts.append)
        assert sum(counts) == 9 * MIB
        counts.clear()
        await s3.upload_fileobj(io.BytesIO(), bucket, "k", Callback=counts.append)
        assert counts == []
        with pytest.raises(ZeroDivisionError):
            await s3.download_fileobj(
                bucket, "k2", io.BytesIO(), Callback=lambda count: 1 // (count - count)
            )


async def test_downloads_begin_where_the_file_object_is(open_s3: Open) -> None:
    async with open_s3() as (s3, bucket):
        await s3.put_object(Bucket=bucket, Key="k", Body=b"abc")
        memory = io.BytesIO(b"12345")
        memory.seek(5)
        await s3.download_fileobj(bucket, "k", memory)
        assert memory.getvalue() == b"12345abc"


async def test_extra_arguments_are_boto3s(open_s3: Open) -> None:
    async with open_s3() as (s3, bucket):
        with pytest.raises(ValueError, match="IfNoneMatch"):
            await s3.upload_fileobj(b"", bucket, "k", ExtraArgs={"IfNoneMatch": "*"})
        await s3.put_object(Bucket=bucket, Key="k", Body=b"", IfNoneMatch="*")


async def test_what_processing_did_a_generator_does(open_s3: Open) -> None:
    source = io.BytesIO(b"ABC" * MIB)

    async def lowered() -> AsyncIterator[bytes]:
        while piece := source.read(MIB):
            yield piece.lower()

    async with open_s3() as (s3, bucket):
        with pytest.raises(TypeError, match="Processing"):
            await s3.upload_fileobj(source, bucket, "k", Processing=bytes.lower)
        await s3.upload_fileobj(lowered(), bucket, "k")
        body = (await s3.get_object(Bucket=bucket, Key="k"))["Body"]
        assert await body.read() == b"abc" * MIB
        assert not hasattr(body, "content")


@pytest.mark.parametrize("where", ["client", "session"])
@pytest.mark.parametrize("name", ["use_dns_cache", "ttl_dns_cache", "ssl_context"])
async def test_options_of_aiohttp_are_refused_without_aiohttp(
    where: str, name: str, anyio_backend_name: str
) -> None:
    values = {"use_dns_cache": True, "ttl_dns_cache": 10}
    arguments: Any = {name: values.get(name) or ssl.create_default_context()}
    config = AioConfig(connector_args=arguments)
    session = new_session(config=config if where == "session" else None)
    with pytest.raises(ParamValidationError, match=f"{name}.*http_session_cls") as caught:
        async with session.client("s3", config=config if where == "client" else None):
            pass
    assert "Httpx" not in str(caught.value)
    if anyio_backend_name == "asyncio" and name in values:  # with the context aiohttp wants TLS
        config = AioConfig(connector_args=arguments, http_session_cls=AIOHTTPSession)
        session = new_session(config=config if where == "session" else None)
        with Recorder(AwsAnswers()) as aws:
            async with session.client(
                "s3", endpoint_url=aws.url, config=config if where == "client" else None
            ) as s3:
                await s3.list_buckets()

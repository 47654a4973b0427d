"""Clients, sessions and bodies as aioboto3's users write them, with the import changed."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiobotocore.client import AioBaseClient
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore import UNSIGNED
from botocore.exceptions import ClientError, ProfileNotFound, WaiterError

import asession
from migration.conftest import REGION, Open, new_session
from servers.answers import AwsAnswers
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio


@pytest.fixture
def aws() -> Any:
    with Recorder(AwsAnswers()) as recorder:
        yield recorder


async def test_a_client_is_aiobotocores() -> None:
    session = asession.Session()
    async with session.client("ssm", region_name=REGION) as client:
        assert isinstance(client, AioBaseClient)
    async with session.resource("dynamodb", region_name=REGION) as resource:
        assert isinstance(resource.meta.client, AioBaseClient)


async def test_the_session_class_is_where_it_was(aws: Recorder) -> None:
    from asession.session import Session

    assert Session is asession.Session
    session = Session("AKIAX", "s", None, REGION, None, None)
    async with session.client("s3", REGION, None, False, None, aws.url) as s3:
        await s3.list_buckets()


async def test_a_session_drives_an_aiobotocore_session(
    aws: Recorder, anyio_backend_name: str
) -> None:
    given = get_session()
    if anyio_backend_name == "trio":
        from aiobotocore.httpxsession import HttpxSession

        pytest.importorskip("httpx2")
        given.set_default_client_config(AioConfig(http_session_cls=HttpxSession))
    session = new_session(botocore_session=given)
    async with session.client("s3", endpoint_url=aws.url) as s3:
        await s3.list_buckets()


async def test_a_session_can_be_subclassed(aws: Recorder) -> None:
    class LocalSession(asession.Session):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.__url = aws.url

        def client(self, *args: Any, **kwargs: Any) -> Any:
            kwargs.setdefault("endpoint_url", self.__url)
            return super().client(*args, **kwargs)

    async with LocalSession("AKIAX", "s", region_name=REGION).client("s3") as s3:
        await s3.list_buckets()


async def test_openings_are_entered_on_an_exit_stack(aws: Recorder) -> None:
    session = new_session()
    stack = AsyncExitStack()
    s3 = await stack.enter_async_context(session.client("s3", endpoint_url=aws.url))
    dynamodb = await stack.enter_async_context(session.resource("dynamodb", endpoint_url=aws.url))
    table = await dynamodb.Table("orders")
    await s3.list_buckets()
    assert table.name == "orders"
    await stack.aclose()


@pytest.mark.parametrize("end", ["close", "aexit"])
async def test_a_client_lives_between_aenter_and_its_end(aws: Recorder, end: str) -> None:
    session = new_session()
    s3 = await session.client("s3", endpoint_url=aws.url).__aenter__()
    await s3.list_buckets()
    await (s3.close() if end == "close" else s3.__aexit__(None, None, None))
    assert session._live.here() == []


@pytest.mark.parametrize("end", ["close", "aexit"])
async def test_a_resource_lives_between_aenter_and_its_end(aws: Recorder, end: str) -> None:
    session = new_session()
    s3 = await session.resource("s3", endpoint_url=aws.url).__aenter__()
    assert [bucket.name async for bucket in s3.buckets.all()] == []
    await (s3.close() if end == "close" else s3.__aexit__(None, None, None))
    assert session._live.here() == []
    async with session.resource("s3", endpoint_url=aws.url) as s3, s3 as same:
        assert same is s3
    assert session._live.here() == []


async def test_handlers_of_the_session_and_of_a_client(aws: Recorder) -> None:
    seen: list[str] = []

    def before_call(model: Any, **kwargs: Any) -> None:
        seen.append(model.name)

    async def before_sign(request: Any, **kwargs: Any) -> None:
        request.headers.add_header("x-mine", "1")

    session = new_session()
    session.events.register("before-call.s3.ListBuckets", before_call)
    async with session.client("s3", endpoint_url=aws.url) as s3:
        s3.meta.events.register("before-sign.s3", before_sign)
        await s3.list_buckets()
    assert seen == ["ListBuckets"]
    assert aws.requests[-1].headers["x-mine"] == "1"


async def test_a_handler_adds_to_a_resource_class() -> None:
    def add(class_attributes: dict[str, Any], **kwargs: Any) -> None:
        class_attributes["shout"] = lambda bucket: bucket.name.upper()

    session = new_session()
    session.events.register("creating-resource-class.s3.Bucket", add)
    async with session.resource("s3") as s3:
        assert (await s3.Bucket("mine")).shout() == "MINE"


async def test_configurations_of_both_kinds_are_taken(aws: Recorder) -> None:
    retries = {"max_attempts": 2, "mode": "standard"}
    for config in (
        AioConfig(read_timeout=5, max_pool_connections=3, retries=retries),
        AioConfig(read_timeout=5, connector_args={"keepalive_timeout": 10}),
        asession.Config(read_timeout=5, s3={"addressing_style": "path"}),
    ):
        async with new_session().client("s3", endpoint_url=aws.url, config=config) as s3:
            await s3.list_buckets()
            assert s3.meta.config.read_timeout == 5
    unsigned = asession.Config(signature_version=UNSIGNED)
    async with asession.Session(region_name=REGION).client(
        "s3", endpoint_url=aws.url, config=unsigned
    ) as s3:
        with pytest.raises(ClientError):  # this server wants to know who asks
            await s3.list_buckets()
        assert "authorization" not in aws.requests[-1].headers


async def test_credentials_are_awaited() -> None:
    credentials = await new_session().get_credentials()
    frozen = await credentials.get_frozen_credentials()
    assert (credentials.access_key, credentials.method) == ("AKIAX", "explicit")
    assert (frozen.access_key, frozen.secret_key, frozen.token) == ("AKIAX", "s", None)
    assert await asession.Session(region_name=REGION).get_credentials() is None


async def test_errors_of_botocore_are_caught_as_before(open_s3: Open) -> None:
    with pytest.raises(ProfileNotFound):
        async with asession.Session(profile_name="none").client("s3"):
            pass
    async with open_s3() as (s3, bucket):
        with pytest.raises(s3.exceptions.NoSuchKey) as caught:
            await s3.get_object(Bucket=bucket, Key="none")
        assert caught.value.response["Error"]["Code"] == "NoSuchKey"
        with pytest.raises(ClientError) as missing:
            await s3.head_object(Bucket=bucket, Key="none")
        assert missing.value.response["Error"]["Code"] == "404"


async def test_bodies_are_read_in_every_way(open_s3: Open) -> None:
    data = b"line\n" * 2000
    async with open_s3() as (s3, bucket):
        await s3.put_object(Bucket=bucket, Key="k", Body=data)

        async def body() -> Any:
            return (await s3.get_object(Bucket=bucket, Key="k"))["Body"]

        assert await (await body()).read() == data
        async with await body() as stream:
            assert await stream.read(7) == data[:7]
            assert await stream.read() == data[7:]
        served = b""
        stream = await body()
        while chunk := await stream.read(1024):
            served += chunk
        assert served == data
        assert b"".join([chunk async for chunk in (await body()).iter_chunks(1000)]) == data
        assert b"".join([chunk async for chunk in await body()]) == data
        assert len([line async for line in (await body()).iter_lines()]) == 2000
        (await body()).close()


async def test_waiters_and_paginators(open_s3: Open) -> None:
    async with open_s3() as (s3, bucket):
        for number in range(3):
            await s3.put_object(Bucket=bucket, Key=f"k{number}", Body=b"")
        await s3.get_waiter("object_exists").wait(Bucket=bucket, Key="k0")
        with pytest.raises(WaiterError):
            await s3.get_waiter("object_exists").wait(
                Bucket=bucket, Key="none", WaiterConfig={"Delay": 0, "MaxAttempts": 1}
            )
        assert s3.can_paginate("list_objects_v2")
        paginator = s3.get_paginator("list_objects_v2")
        keys = []
        async for page in paginator.paginate(Bucket=bucket, PaginationConfig={"PageSize": 2}):
            keys += [item["Key"] for item in page["Contents"]]
        found = [key async for key in paginator.paginate(Bucket=bucket).search("Contents[].Key")]
        whole = await paginator.paginate(Bucket=bucket).build_full_result()
        assert keys == found == [item["Key"] for item in whole["Contents"]] == ["k0", "k1", "k2"]


async def test_presigning_is_awaited(open_s3: Open) -> None:
    async with open_s3() as (s3, bucket):
        url = await s3.generate_presigned_url(
            "get_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=60
        )
        post = await s3.generate_presigned_post(bucket, "k")
    assert f"/{bucket}/k?" in url or f"{bucket}." in url
    assert set(post) == {"url", "fields"}


async def test_regions_are_awaited() -> None:
    assert REGION in await new_session().get_available_regions("s3")


async def test_the_module_level_functions_of_old_are_back(aws: Recorder) -> None:
    asession.setup_default_session("AKIAX", "s", region_name=REGION)
    try:
        async with asession.client("s3", endpoint_url=aws.url) as s3:
            await s3.list_buckets()
        async with asession.resource("s3", endpoint_url=aws.url) as s3:
            assert [bucket.name async for bucket in s3.buckets.all()] == []
    finally:
        asession.setup_default_session()

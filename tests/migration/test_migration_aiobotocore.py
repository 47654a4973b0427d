"""What somebody who comes from aiobotocore keeps using: its session, its clients, its parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiobotocore.client import AioBaseClient
from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioCredentials
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from aiobotocore.stub import AioStubber

import asession
from asession import Credentials
from migration.conftest import Open, new_session
from servers.answers import AwsAnswers
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio


@pytest.fixture
def aws() -> Iterator[Recorder]:
    with Recorder(AwsAnswers()) as recorder:
        yield recorder


def given_session(backend: str) -> AioSession:
    session = AioSession()
    if backend == "trio":
        pytest.importorskip("httpx2")
        from aiobotocore.httpxsession import HttpxSession

        session.set_default_client_config(AioConfig(http_session_cls=HttpxSession))
    session.set_credentials("AKIAX", "s")
    session.set_config_variable("region", "eu-central-1")
    return session


async def test_an_aiobotocore_session_with_its_handlers_goes_on_inside(
    aws: Recorder, anyio_backend_name: str
) -> None:
    seen: list[str] = []

    def before_call(model: Any, **kwargs: Any) -> None:
        seen.append(model.name)

    given = given_session(anyio_backend_name)
    given.register("before-call.s3", before_call)
    async with asession.Session(botocore_session=given) as session:
        assert session.region_name == "eu-central-1"
        s3 = await session.client("s3", endpoint_url=aws.url)
        await s3.list_buckets()
        async with given.create_client("s3", endpoint_url=aws.url) as theirs:
            await theirs.list_buckets()
    assert seen == ["ListBuckets", "ListBuckets"]


async def test_clients_are_entered_on_a_stack_and_are_aiobotocores(aws: Recorder) -> None:
    stack = AsyncExitStack()
    async with stack:
        session = new_session(endpoint_url=aws.url)
        s3 = await stack.enter_async_context(session.client("s3"))
        assert isinstance(s3, AioBaseClient)
        assert s3.meta.region_name == "eu-central-1"
        with AioStubber(s3) as stub:
            stub.add_response("list_buckets", {"Buckets": []})
            assert (await s3.list_buckets())["Buckets"] == []
        await s3.list_buckets()


async def test_aiohttp_and_its_options_can_be_had(aws: Recorder, anyio_backend_name: str) -> None:
    config = AioConfig(http_session_cls=AIOHTTPSession, connector_args={"use_dns_cache": False})
    opening = new_session(endpoint_url=aws.url).client("s3", config=config)
    if anyio_backend_name == "trio":
        with pytest.raises(ValueError, match="asyncio alone"):
            await opening.__aenter__()
        return
    async with opening as s3:
        await s3.list_buckets()
        assert isinstance(s3._endpoint.http_session, AIOHTTPSession)


async def test_credentials_are_a_value_or_a_source(aws: Recorder) -> None:
    theirs = AioCredentials("AKIATHEIRS", "s", "t")

    async def load() -> Credentials:
        frozen = await theirs.get_frozen_credentials()
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)

    for source in (load, Credentials("AKIATHEIRS", "s", "t")):
        session = asession.Session(credentials=source, region_name="us-east-1")
        async with session.client("s3", endpoint_url=aws.url) as s3:
            assert (await s3.list_buckets())["Owner"]["ID"] == "AKIATHEIRS"


async def test_streams_waiters_and_paginators_are_used_as_before(open_s3: Open) -> None:
    async with open_s3() as (s3, bucket):
        await s3.put_object(Bucket=bucket, Key="k", Body=b"abc" * 100)
        answer = await s3.get_object(Bucket=bucket, Key="k")
        async with answer["Body"] as stream:
            assert await stream.read() == b"abc" * 100
        answer = await s3.get_object(Bucket=bucket, Key="k")
        assert [len(chunk) async for chunk in answer["Body"].iter_chunks(200)] == [200, 100]
        await s3.get_waiter("object_exists").wait(Bucket=bucket, Key="k")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        assert [item["Key"] async for page in pages for item in page["Contents"]] == ["k"]

"""A session given as `botocore_session=` is driven as it is, on one event loop."""

import threading

import aiobotocore.session
import anyio
import botocore.session
import pytest
from aiobotocore.config import AioConfig

from asession import Session
from asession._aws.http_session import HttpSession
from asession.exceptions import ClientClosedError, WrongEventLoopError
from servers.answers import AwsAnswers
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio


@pytest.fixture
def given(anyio_backend_name):
    session = aiobotocore.session.get_session()
    if anyio_backend_name == "trio":
        session.set_default_client_config(AioConfig(http_session_cls=HttpSession))
    return session


async def test_it_is_configured_as_boto3_configures_the_session_it_is_given(given, home):
    home.write_config("[profile dev]\nregion = eu-west-1\n")
    session = Session("AKIAGIVEN", "s", botocore_session=given, profile_name="dev")
    seen = []

    async def handler(**kwargs):
        seen.append(kwargs["event_name"])

    session.events.register("before-call.s3", handler)
    with Recorder(AwsAnswers()) as aws:
        async with session:
            assert session.profile_name == "dev"
            assert session.region_name == "eu-west-1"
            assert session.available_profiles == ["dev"]
            assert "s3" in await session.get_available_resources()
            assert await session.get_partition_for_region("cn-north-1") == "aws-cn"
            client = await session.client("s3", endpoint_url=aws.url)
            await client.list_buckets()
            async with session.resource("s3", endpoint_url=aws.url) as s3:
                assert [bucket async for bucket in s3.buckets.all()] == []
        with pytest.raises(ClientClosedError):
            await client.list_buckets()
        assert {request.access_key for request in aws.requests} == {"AKIAGIVEN"}
    assert seen == ["before-call.s3.ListBuckets"] * 2


async def test_another_loop_is_refused(given, anyio_backend_name):
    session = Session(botocore_session=given, region_name="eu-west-1")
    await session.resolve()
    errors = []

    def elsewhere():
        try:
            anyio.run(session.resolve, backend=anyio_backend_name)
        except WrongEventLoopError as error:
            errors.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    await anyio.to_thread.run_sync(thread.join)
    assert len(errors) == 1


async def test_aiohttp_on_trio_is_refused_with_the_fix(anyio_backend_name):
    session = Session(botocore_session=aiobotocore.session.get_session(), region_name="x")
    if anyio_backend_name == "trio":
        with pytest.raises(ValueError, match="HttpxSession"):
            await session.resolve()
    else:
        await session.resolve()


def test_a_sync_session_is_refused_with_the_fix():
    with pytest.raises(TypeError, match=r"aiobotocore\.session\.get_session\(\)"):
        Session(botocore_session=botocore.session.get_session())


def test_what_the_given_session_decides_cannot_be_given_too():
    with pytest.raises(ValueError, match="environ"):
        Session(botocore_session=aiobotocore.session.get_session(), environ={})

"""A warm process opens sessions and clients without touching a file on the event loop's thread."""

import threading

import pytest

import asession
from asession import Session

pytestmark = pytest.mark.anyio

_CONFIG = """
[profile dev]
region = eu-west-1
s3 =
  addressing_style = path
[profile app]
role_arn = arn:aws:iam::123456789012:role/app
source_profile = dev
region = us-east-1
"""
_CREDENTIALS = """
[dev]
aws_access_key_id = AKIADEVDEVDEVDEV
aws_secret_access_key = dev-secret
"""


async def _use(url, profile):
    async with Session(profile_name=profile, endpoint_url=url) as session:
        async with session.client("s3") as s3:
            await s3.list_buckets()
            s3.get_paginator("list_objects_v2")
            s3.get_waiter("bucket_exists")
        sqs = await session.client("sqs")
        await sqs.list_queues()
        async with session.resource("dynamodb") as dynamodb:
            async for table in dynamodb.tables.limit(1):
                assert table.name
        assert await session.get_frozen_credentials()
    async with asession.client("s3", endpoint_url=url, region_name="us-east-1") as s3:
        await s3.list_buckets()


@pytest.mark.parametrize("profile", ["dev", "app"])
async def test_a_warm_process_touches_no_file_on_the_loop_thread(
    home, moto_url, file_watch, profile, monkeypatch
):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVENVENVENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "env-secret")
    home.write_config(_CONFIG)
    home.write_credentials(_CREDENTIALS)
    await _use(moto_url, profile)
    with file_watch:
        await _use(moto_url, profile)
    assert file_watch.events, "the watch saw nothing at all, not even the stat of the files"
    on_loop = file_watch.on_thread(threading.get_ident())
    assert not on_loop, "\n".join(map(str, on_loop))


async def test_a_changed_file_is_read_again_off_the_loop(home, file_watch):
    home.write_config("[default]\nregion = eu-west-1\n")
    session = Session()
    assert (await session.resolve()).region_name == "eu-west-1"
    home.write_config("[default]\nregion = eu-central-1\nnew = 1\n")
    with file_watch:
        assert (await session.resolve()).region_name == "eu-central-1"
    assert [event for event in file_watch.events if event.path.endswith(".aws/config")]
    assert not file_watch.on_thread(threading.get_ident())

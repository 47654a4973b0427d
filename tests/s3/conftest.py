"""Fixtures of the tests of transfers: clients on both servers, a bucket, what is stored."""

import pytest

from asession import Session
from asession.s3 import plan
from s3.stored import MIB
from servers.seaweedfs import Seaweed


@pytest.fixture(params=["seaweedfs", "ministack"])
def s3_server(request):
    """The endpoint and the keys of each S3 server; of one, with indirect parameters."""
    if request.param == "ministack":
        return Seaweed(request.getfixturevalue("ministack_url"), "AKID", "secret")
    return request.getfixturevalue("seaweed")


def session_at(server):
    return Session(
        server.access_key,
        server.secret_key,
        region_name="us-east-1",
        endpoint_url=server.url,
        profiles={},
        environ={},
    )


@pytest.fixture
async def s3(s3_server, anyio_backend):
    async with session_at(s3_server) as session, session.client("s3") as client:
        yield client


@pytest.fixture
async def bucket(s3, random_name):
    name = random_name()
    await s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def small_parts(monkeypatch):
    """Parts of an upload may be of a mebibyte, as the server in memory has no least size."""
    monkeypatch.setattr(plan, "MIN_PART", MIB)

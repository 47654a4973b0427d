"""Fixtures of the tests of transfers: clients on both servers, a bucket, what is stored."""

import pytest

from asession import Session
from asession.s3 import budget, plan
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


@pytest.fixture(scope="session")
def buckets():
    """The buckets that were made, by the server's address."""
    return {}


@pytest.fixture
async def bucket(s3, s3_server, buckets, random_name):
    """An empty bucket. The tests share one of each server: SeaweedFS takes half a second to give
    a new one room for its first object.
    """
    name = buckets.get(s3_server.url)
    if name is None:
        name = buckets[s3_server.url] = random_name()
        await s3.create_bucket(Bucket=name)
    for left in (await s3.list_objects_v2(Bucket=name)).get("Contents", []):
        await s3.delete_object(Bucket=name, Key=left["Key"])
    return name


@pytest.fixture
def small_parts(monkeypatch):
    """Parts of an upload may be of a mebibyte, as the server in memory has no least size."""
    monkeypatch.setattr(plan, "MIN_PART", MIB)


@pytest.fixture
def impatient(monkeypatch):
    """The budget of transfers gives way after a moment, instead of a second."""
    monkeypatch.setattr(budget, "PATIENCE", 0.02)

"""Handlers on `session.events` touch the clients made afterwards, and no other session."""

import pytest

from asession import Session
from servers.answers import AwsAnswers
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio


@pytest.fixture
def aws():
    with Recorder(AwsAnswers()) as recorder:
        yield recorder


def session_at(aws):
    return Session("AKIAX", "s", region_name="us-east-1", endpoint_url=aws.url)


async def list_buckets(session):
    async with session.client("s3") as s3:
        return await s3.list_buckets()


async def test_sync_and_async_handlers_run_and_can_be_taken_back(aws):
    session = session_at(aws)
    calls = []

    def plain(**kwargs):
        calls.append("plain")

    async def awaited(**kwargs):
        calls.append("awaited")

    async with session:
        session.events.register("before-call.s3", plain)
        session.events.register_first("before-call.s3", awaited)
        await list_buckets(session)
        assert calls == ["awaited", "plain"]
        session.events.unregister("before-call.s3", plain)
        await list_buckets(session)
        assert calls == ["awaited", "plain", "awaited"]
        await list_buckets(session_at(aws))
        assert len(calls) == 3


async def test_a_replaced_session_copies_the_handlers_and_then_goes_its_own_way(aws):
    calls = []

    def handler(**kwargs):
        calls.append("first")

    def later(**kwargs):
        calls.append("second")

    session = session_at(aws)
    session.events.register("before-call.s3", handler)
    other = session.replace(region_name="eu-west-1")
    session.events.register("before-call.s3", later)
    await list_buckets(other)
    assert calls == ["first"]


async def test_a_handler_on_a_client_touches_that_client_alone(aws):
    calls = []

    def handler(**kwargs):
        calls.append(1)

    async with session_at(aws) as session:
        one = await session.client("s3")
        two = await session.client("s3")
        one.meta.events.register("before-call.s3", handler)
        await one.list_buckets()
        await two.list_buckets()
        assert calls == [1]


async def test_a_model_changed_by_a_handler_is_private(aws):
    def no_regions(service_data, **kwargs):
        service_data["metadata"]["endpointPrefix"] = "no-such-prefix"

    session = session_at(aws)
    session.events.register("service-data-loaded.s3", no_regions)
    assert await session.get_available_regions("s3") == []
    assert "eu-west-1" in await session_at(aws).get_available_regions("s3")


async def test_resource_classes_are_customised_for_one_session(aws):
    def shout(class_attributes, **kwargs):
        class_attributes["shout"] = lambda self: self.name.upper()

    session = session_at(aws)
    session.events.register("creating-resource-class.s3.Bucket", shout)
    async with session.resource("s3") as s3:
        assert s3.Bucket("quiet").shout() == "QUIET"
    async with session_at(aws).resource("s3") as s3:
        assert not hasattr(s3.Bucket("quiet"), "shout")


def test_wrong_handlers_are_refused_when_they_are_registered():
    session = Session()
    with pytest.raises(ValueError, match="callable"):
        session.events.register("before-call", "text")
    with pytest.raises(ValueError, match=r"\*\*kwargs"):
        session.events.register("before-call", lambda: None)

    async def awaited(**kwargs):
        pass

    with pytest.raises(TypeError, match="plain function"):
        session.events.register("creating-resource-class.s3", awaited)

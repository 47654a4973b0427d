"""Opening resources through a session: what is shared, what is not, and what is refused."""

from __future__ import annotations

from typing import Any

import boto3.exceptions
import boto3.session
import pytest

from asession import Session
from asession._resources.open import _define
from asession.exceptions import ResourceNotExistsError, UnknownAPIVersionError
from resources.models import all_versions

pytestmark = pytest.mark.anyio


def session(**more: Any) -> Session:
    return Session("AKID", "secret", region_name="us-east-1", **more)


async def test_classes_are_shared_by_all_sessions() -> None:
    async with session() as one, session(profiles={"other": {}}) as other:
        async with (
            one.resource("s3") as s3,
            other.resource("s3") as same,
            one.resource("s3") as s3b,
        ):
            assert type(s3) is type(same) is type(s3b)
            assert type(s3.Bucket("b")) is type(same.Bucket("b"))
            assert s3.meta.client is not s3b.meta.client


@pytest.mark.parametrize(("service", "version"), all_versions())
async def test_every_version_can_be_opened(service: str, version: str) -> None:
    async with session() as one, one.resource(service, api_version=version) as resource:
        assert resource.meta.service_name == service
        assert resource.meta.client.meta.service_model.api_version == version
        assert resource.get_available_subresources()


async def test_a_second_resource_asks_the_catalogue_nothing() -> None:
    async with session() as one:
        async with one.resource("sqs"):
            pass
        state = one._live.entered()
        assert state is not None
        backend = await state.backend.get()
        for version in (None, "2012-11-05"):
            await _define(backend.catalogue, "sqs", version)
            # It ends without having waited for anything.
            with pytest.raises(StopIteration):
                _define(backend.catalogue, "sqs", version).send(None)


async def test_what_a_user_adds_to_a_class_is_in_that_session_alone() -> None:
    def shout(class_attributes: dict[str, Any], **_kwargs: Any) -> None:
        class_attributes["shout"] = lambda bucket: bucket.name.upper()

    async with session() as custom, session() as plain:
        custom.events.register("creating-resource-class.s3.Bucket", shout)
        async with custom.resource("s3") as s3, plain.resource("s3") as other:
            assert s3.Bucket("b").shout() == s3.Object("b", "k").Bucket().shout() == "B"
            assert not hasattr(other.Bucket("b"), "shout")
        custom.events.unregister("creating-resource-class.s3.Bucket", shout)
        async with custom.resource("s3") as s3:
            assert not hasattr(s3.Bucket("b"), "shout")
    assert not hasattr(boto3.session.Session("a", "b").resource("s3").Bucket("b"), "shout")


@pytest.mark.parametrize(("service", "has_client"), [("lambda", True), ("nonsense", False)])
async def test_a_service_without_resources_is_refused_as_boto3_does(
    service: str, has_client: bool
) -> None:
    with pytest.raises(boto3.exceptions.ResourceNotExistsError) as theirs:
        boto3.session.Session("a", "b", region_name="us-east-1").resource(service)
    async with session() as one:
        with pytest.raises(ResourceNotExistsError) as ours:
            await one.resource(service)
        assert type(ours.value) is boto3.exceptions.ResourceNotExistsError
        # Another order, maybe, of the same services.
        assert sorted(str(ours.value).split()) == sorted(str(theirs.value).split())
        notes = getattr(ours.value, "__notes__", [])
        assert notes == ([f"in asession: `session.client({service!r})`"] if has_client else [])
        for name in await one.get_available_resources():
            assert f"- {name}" in str(ours.value)


async def test_a_version_without_resources_is_refused_as_boto3_does() -> None:
    with pytest.raises(boto3.exceptions.UnknownAPIVersionError) as theirs:
        boto3.session.Session("a", "b", region_name="us-east-1").resource("ec2", api_version="1999")
    async with session() as one:
        with pytest.raises(UnknownAPIVersionError) as ours:
            await one.resource("ec2", api_version="1999")
    assert type(ours.value) is boto3.exceptions.UnknownAPIVersionError
    assert str(ours.value) == str(theirs.value)
    assert "2016-11-15" in str(ours.value)

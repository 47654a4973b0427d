"""The way in: shared classes, customisation by users, and boto3 left as it was."""

from __future__ import annotations

import inspect
import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3.session
import pytest
from botocore.hooks import HierarchicalEmitter

from asession._resources.service import service_resource
from resources.models import definition_of

pytestmark = pytest.mark.anyio


def classes_of(s3: Any) -> list[type]:
    return [type(s3), type(s3.Bucket("b")), type(s3.Bucket("b").objects)]


async def test_classes_are_made_once_for_a_definition(open_resource: Any) -> None:
    async with open_resource("s3") as first, open_resource("s3") as second:
        assert first.meta.client is not second.meta.client
        assert classes_of(first) == classes_of(second)
        assert first.Bucket("b") == second.Bucket("b")
        assert first.Bucket("b").meta.client is first.meta.client
        assert second.Bucket("b").Object("k").meta.client is second.meta.client


async def test_handlers_of_users_touch_their_own_classes_alone(
    open_resource: Any, name: str
) -> None:
    class Counting:
        """A base class that a user adds."""

        async def count(self: Any) -> int:
            return len([item async for item in self.objects.all()])

    seen: list[str] = []

    def add_base(base_classes: list[type], event_name: str, **_kwargs: Any) -> None:
        base_classes.insert(0, Counting)
        seen.append(event_name)

    emitter = HierarchicalEmitter()
    emitter.register("creating-resource-class.s3.Bucket", add_base)
    async with open_resource("s3", emitter) as custom, open_resource("s3") as plain:
        bucket = await custom.create_bucket(Bucket=name)
        assert await bucket.count() == 0
        await bucket.Object("k").put(Body=b"")
        assert await custom.Bucket(name).count() == 1
        assert seen == ["creating-resource-class.s3.Bucket"]
        assert not hasattr(plain.Bucket(name), "count")


async def test_handlers_of_users_come_after_the_additions_of_the_package(
    open_resource: Any,
) -> None:
    def add(class_attributes: dict[str, Any], **_kwargs: Any) -> None:
        class_attributes["shout"] = lambda bucket: bucket.name.upper()

    def change(class_attributes: dict[str, Any], **_kwargs: Any) -> None:
        quiet = class_attributes["shout"]
        assert inspect.iscoroutinefunction(class_attributes["load"])
        class_attributes["shout"] = lambda bucket: quiet(bucket) + "!"

    additions = {"s3.Bucket": [add]}
    emitter = HierarchicalEmitter()
    emitter.register("creating-resource-class.s3.Bucket", change)
    async with open_resource("s3", emitter, customisations=additions) as s3:
        assert s3.Bucket("b").shout() == "B!"
    async with open_resource("s3", customisations=additions) as s3:
        assert s3.Bucket("b").shout() == "B"
        async with open_resource("s3", customisations=additions) as again:
            assert classes_of(again) == classes_of(s3)
    async with open_resource("s3") as s3:
        assert not hasattr(s3.Bucket("b"), "shout")


def test_a_resource_without_a_client_is_refused() -> None:
    client = SimpleNamespace(meta=SimpleNamespace(service_model=None))
    s3 = service_resource(client, replace(definition_of("s3")))
    with pytest.raises(TypeError, match="needs an async client"):
        type(s3)()


def boto3_modules() -> dict[str, dict[str, int]]:
    """What every attribute of boto3's modules and of their classes is."""
    found: dict[str, dict[str, int]] = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "boto3" and isinstance(module, ModuleType):
            found[name] = {key: id(value) for key, value in vars(module).items()}
            for key, value in list(vars(module).items()):
                if inspect.isclass(value) and value.__module__ == name:
                    members = {member: id(made) for member, made in vars(value).items()}
                    found[f"{name}.{key}"] = members
    return found


async def test_boto3_is_untouched_and_still_sync(
    open_resource: Any, moto_url: str, name: str
) -> None:
    session = boto3.session.Session("test", "test", region_name="us-east-1")
    sync = session.resource("s3", endpoint_url=moto_url)
    sync.create_bucket(Bucket=name)
    before = boto3_modules()
    async with open_resource("s3") as s3:
        await s3.Object(name, "key").put(Body=b"hello")
        listed = [item async for item in s3.Bucket(name).objects.all()]
        with pytest.raises(AttributeError):
            _ = s3.Object(name, "key").content_length
    async with open_resource("dynamodb") as dynamodb:
        assert dynamodb.Table("t").name == "t"
    assert boto3_modules() == before
    assert [item.key for item in sync.Bucket(name).objects.all()] == ["key"]
    assert sync.Object(name, "key").content_length == 5
    assert sync.Bucket(name).creation_date is not None
    # Resources of both kinds are equal to boto3, which compares names and identifiers.
    assert sync.ObjectSummary(name, "key") == listed[0]

"""Every class of every service has what boto3's own class has, awaited where it calls AWS."""

from __future__ import annotations

import inspect
from functools import cache
from types import SimpleNamespace
from typing import Any

import boto3.session
import pytest
from boto3.resources.factory import ResourceFactory
from boto3.resources.model import ResourceModel
from boto3.utils import ServiceContext
from botocore.hooks import HierarchicalEmitter
from botocore.model import ServiceModel

from asession._resources.customisations import BUILT_IN
from asession._resources.factory import AsyncResourceFactory, ClassEvents
from resources.models import LOADER, all_versions, latest_version, waiter_model

# What boto3 adds by hand and this room leaves to others.
TRANSFERS = {"copy", "download_file", "download_fileobj", "upload_file", "upload_fileobj"}
ELSEWHERE = {
    "s3.Bucket": TRANSFERS,
    "s3.Object": TRANSFERS,
    "dynamodb.Table": {"batch_writer"},
}


class Pair:
    """The classes of one service version, boto3's and ours."""

    def __init__(self, service: str, version: str) -> None:
        self.service = service
        self.document = LOADER.load_service_model(service, "resources-1", version)
        self.model = ServiceModel(LOADER.load_service_model(service, "service-2", version), service)
        self.context = ServiceContext(
            service_name=service,
            service_model=self.model,
            service_waiter_model=waiter_model(service, version),
            resource_json_definitions=self.document["resources"],
        )
        session = boto3.session.Session(region_name="us-east-1")
        self.theirs: Any = ResourceFactory(session.events)
        self.ours: Any = AsyncResourceFactory(ClassEvents(BUILT_IN, None, session.events))

    def names(self) -> list[str]:
        return [self.service, *sorted(self.document["resources"])]

    def definition(self, name: str) -> Any:
        service = name == self.service
        return self.document["service"] if service else self.document["resources"][name]

    def classes(self, name: str) -> tuple[Any, Any]:
        arguments = name, self.definition(name), self.context
        return self.theirs.load_from_definition(*arguments), self.ours.load_from_definition(
            *arguments
        )

    def resource_model(self, name: str) -> Any:
        model = ResourceModel(name, self.definition(name), self.document["resources"])
        shape = self.model.shape_for(model.shape) if model.shape else None
        model.load_rename_map(shape)
        return model


@cache
def pair_of(service: str, version: str) -> Pair:
    return Pair(service, version)


def all_classes() -> list[Any]:
    return [
        pytest.param(service, version, name, id=f"{service}-{version}-{name}")
        for service, version in all_versions()
        for name in pair_of(service, version).names()
    ]


# Without a docstring that boto3 generates, and with a name that differs in boto3 itself.
BY_HAND = {"load", "create_tags"}


def public(cls: Any) -> set[str]:
    return {name for name in dir(cls) if not name.startswith("_")}


# Nothing here calls AWS; DynamoDB's resources register handlers on their client.
CLIENT = SimpleNamespace(meta=SimpleNamespace(events=HierarchicalEmitter()))


def instance(cls: Any) -> Any:
    return cls(client=CLIENT, **dict.fromkeys(cls.meta.identifiers, "x"))


def test_boto3_has_the_services_that_are_compared_here() -> None:
    services = {service for service, _version in all_versions()}
    assert services >= {"cloudformation", "cloudwatch", "dynamodb", "ec2", "glacier"}
    assert services >= {"iam", "s3", "sns", "sqs"}


@pytest.mark.parametrize(("service", "version", "name"), all_classes())
def test_class_has_the_members_of_boto3s(service: str, version: str, name: str) -> None:
    theirs, ours = pair_of(service, version).classes(name)
    assert ours.__name__ == theirs.__name__
    assert public(ours) == public(theirs) - ELSEWHERE.get(ours.__name__, set())
    assert ours.meta.identifiers == theirs.meta.identifiers
    for member in public(ours) - {"meta"}:
        # A property stays a property, a method a method.
        assert type(inspect.getattr_static(ours, member)) is type(
            inspect.getattr_static(theirs, member)
        ), member
        if member not in BY_HAND:
            method = getattr(theirs, member)
            assert getattr(getattr(ours, member), "__name__", None) == getattr(
                method, "__name__", None
            )


@pytest.mark.parametrize(("service", "version", "name"), all_classes())
def test_what_calls_aws_is_awaited_and_the_rest_is_not(
    service: str, version: str, name: str
) -> None:
    pair = pair_of(service, version)
    _theirs, ours = pair.classes(name)
    model = pair.resource_model(name)
    awaited = {action.name for action in model.actions} | {waiter.name for waiter in model.waiters}
    if model.load:
        awaited |= {"load", "reload"}
    awaited |= {"load", "create_tags", "delete_tags"} & public(ours)
    found = {
        member
        for member in public(ours)
        if inspect.iscoroutinefunction(inspect.getattr_static(ours, member))
    }
    assert found == awaited
    sync = {subresource.name for subresource in model.subresources}
    assert sync | {"get_available_subresources"} <= public(ours) - found


@pytest.mark.parametrize(("service", "version", "name"), all_classes())
def test_collections_have_the_methods_and_batch_actions_of_boto3s(
    service: str, version: str, name: str
) -> None:
    pair = pair_of(service, version)
    theirs, ours = pair.classes(name)
    their_resource, our_resource = instance(theirs), instance(ours)
    for collection in pair.resource_model(name).collections:
        their_manager = getattr(their_resource, collection.name)
        our_manager = getattr(our_resource, collection.name)
        assert type(our_manager).__name__ == type(their_manager).__name__
        assert public(our_manager) == public(their_manager)
        theirs_all, ours_all = their_manager.all(), our_manager.all()
        assert type(ours_all).__name__ == type(theirs_all).__name__
        assert public(ours_all) == public(theirs_all)
        assert repr(ours_all) == repr(theirs_all)
        for batch_action in collection.batch_actions:
            for owner in (our_manager, ours_all):
                assert inspect.iscoroutinefunction(getattr(owner, batch_action.name))


@pytest.mark.parametrize(("service", "version", "name"), all_classes())
def test_instances_look_as_boto3s_do(service: str, version: str, name: str) -> None:
    theirs, ours = pair_of(service, version).classes(name)
    their_resource, our_resource = instance(theirs), instance(ours)
    assert repr(our_resource) == repr(their_resource)
    assert our_resource == instance(ours)
    assert hash(our_resource) == hash(their_resource)
    assert our_resource.get_available_subresources() == their_resource.get_available_subresources()
    assert repr(our_resource.meta) == repr(their_resource.meta)
    for missing in ours.meta.identifiers:
        identifiers = dict.fromkeys(set(ours.meta.identifiers) - {missing}, "x")
        with pytest.raises(ValueError, match=f"Required parameter {missing} not set"):
            ours(client=CLIENT, **identifiers)
    with pytest.raises(ValueError, match="Unknown keyword argument: nonsense"):
        ours(client=CLIENT, nonsense=1)


# One class of each service: docstrings are slow to make.
@pytest.mark.parametrize("service", sorted({service for service, _version in all_versions()}))
def test_docstrings_are_those_of_boto3(service: str) -> None:
    pair = pair_of(service, latest_version(service))
    name = pair.names()[-1]
    theirs, ours = pair.classes(name)
    model = pair.resource_model(name)
    members = [*model.identifiers, *model.actions, *model.waiters, *model.collections]
    members += [*model.references, *model.subresources]
    assert members
    for member in members:
        documented = inspect.getdoc(getattr(ours, member.name))
        assert documented
        assert documented == inspect.getdoc(getattr(theirs, member.name))


def test_a_class_is_made_once() -> None:
    pair = pair_of("s3", "2006-03-01")
    _theirs, ours = pair.classes("s3")
    s3 = ours(client=CLIENT)
    assert type(s3.Bucket("a")) is type(s3.Bucket("b")) is type(s3.Object("a", "b").Bucket())

"""Every class of every service has what boto3's own class has, awaited where it calls AWS.

The cases are thousands: each test loops over all of one kind, and lists those that fail.
"""

from __future__ import annotations

import inspect
import pydoc
from collections.abc import Callable, Iterator
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

from asession._additions import OF_RESOURCES
from asession._resources.customisations import BUILT_IN
from asession._resources.factory import AsyncResourceFactory, ClassEvents
from resources.models import LOADER, all_versions, latest_version, waiter_model

# What boto3 does not have.
OURS = {
    "dynamodb.ServiceResource": {"batch_get"},
    "dynamodb.Table": {"batch_get", "query_items", "scan_items"},
}
# Without a docstring that boto3 generates, and with a name that differs in boto3 itself.
TRANSFERS = {"copy", "download_file", "download_fileobj", "upload_file", "upload_fileobj"}
BY_HAND = {"load", "create_tags", "delete_tags", "batch_writer", *TRANSFERS}
APPLIED = {
    key: [*BUILT_IN.get(key, ()), *OF_RESOURCES.get(key, ())]
    for key in BUILT_IN.keys() | OF_RESOURCES.keys()
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
        self._classes: dict[str, tuple[Any, Any]] = {}
        self.ours: Any = AsyncResourceFactory(ClassEvents(APPLIED, None, session.events))

    def names(self) -> list[str]:
        return [self.service, *sorted(self.document["resources"])]

    def definition(self, name: str) -> Any:
        service = name == self.service
        return self.document["service"] if service else self.document["resources"][name]

    def classes(self, name: str) -> tuple[Any, Any]:
        if name not in self._classes:
            arguments = name, self.definition(name), self.context
            theirs = self.theirs.load_from_definition(*arguments)
            self._classes[name] = theirs, self.ours.load_from_definition(*arguments)
        return self._classes[name]

    def resource_model(self, name: str) -> Any:
        model = ResourceModel(name, self.definition(name), self.document["resources"])
        shape = self.model.shape_for(model.shape) if model.shape else None
        model.load_rename_map(shape)
        return model


@cache
def pair_of(service: str, version: str) -> Pair:
    return Pair(service, version)


def all_classes() -> Iterator[tuple[str, Pair, str]]:
    for service, version in all_versions():
        pair = pair_of(service, version)
        for name in pair.names():
            yield f"{service} {version} {name}", pair, name


def of_roots(pair: Pair, name: str) -> set[str]:
    """What we give to the resource of a whole service alone."""
    return {"close"} if name == pair.service else set()


def public(cls: Any) -> set[str]:
    return {name for name in dir(cls) if not name.startswith("_")}


# Nothing here calls AWS; DynamoDB's resources register handlers on their client.
CLIENT = SimpleNamespace(meta=SimpleNamespace(events=HierarchicalEmitter()))


def instance(cls: Any) -> Any:
    return cls(client=CLIENT, **dict.fromkeys(cls.meta.identifiers, "x"))


class Cases:
    """Counts cases and keeps those that fail; one line for each."""

    def __init__(self) -> None:
        self.count = 0
        self.failures: list[str] = []

    def equal(self, case: str, ours: Any, theirs: Any) -> None:
        self.count += 1
        if ours != theirs:
            self.failures.append(f"{case}: {ours!r}, and boto3 has {theirs!r}")

    def true(self, case: str, holds: bool) -> None:
        self.equal(case, bool(holds), True)

    def check(self, at_least: int) -> None:
        assert not self.failures, "\n".join([f"{len(self.failures)} fail:", *self.failures[:50]])
        assert self.count >= at_least


def refused(call: Callable[[], Any]) -> str:
    try:
        return f"{call()!r} was made"
    except (ValueError, IndexError) as error:
        return f"{type(error).__name__}: {error}"


def test_boto3_has_the_services_that_are_compared_here() -> None:
    services = {service for service, _version in all_versions()}
    assert services >= {"cloudformation", "cloudwatch", "dynamodb", "ec2", "glacier"}
    assert services >= {"iam", "s3", "sns", "sqs"}


def test_classes_have_the_members_of_boto3s() -> None:
    cases = Cases()
    for case, pair, name in all_classes():
        theirs, ours = pair.classes(name)
        cases.equal(case, ours.__name__, theirs.__name__)
        expected = public(theirs)
        own = OURS.get(ours.__name__, set()) | of_roots(pair, name)
        cases.equal(case, public(ours) - own, expected)
        cases.equal(case, ours.meta.identifiers, theirs.meta.identifiers)
        for member in sorted(expected - {"meta"}):
            # A property stays a property, a method a method.
            kinds = [type(inspect.getattr_static(cls, member)) for cls in (ours, theirs)]
            cases.equal(f"{case}.{member}", *kinds)
            if member not in BY_HAND:
                names = [getattr(getattr(cls, member), "__name__", None) for cls in (ours, theirs)]
                cases.equal(f"{case}.{member}", *names)
    cases.check(at_least=9_000)


def test_what_calls_aws_is_awaited_and_the_rest_is_not() -> None:
    cases = Cases()
    for case, pair, name in all_classes():
        _theirs, ours = pair.classes(name)
        model = pair.resource_model(name)
        awaited = {action.name for action in model.actions}
        awaited |= {waiter.name for waiter in model.waiters}
        awaited |= {"load", "reload"} if model.load else set()
        awaited |= {"load", "create_tags", "delete_tags", *TRANSFERS} & public(ours)
        awaited |= of_roots(pair, name)
        for member in public(ours):
            found = inspect.iscoroutinefunction(inspect.getattr_static(ours, member))
            cases.equal(f"{case}.{member} awaited", found, member in awaited)
    cases.check(at_least=4_000)


def test_subresources_and_references_lead_to_the_same_resources() -> None:
    cases = Cases()
    for case, pair, name in all_classes():
        theirs, ours = pair.classes(name)
        their_resource, our_resource = instance(theirs), instance(ours)
        model = pair.resource_model(name)
        for sub in model.subresources:
            wanted = sum(identifier.source == "input" for identifier in sub.resource.identifiers)
            arguments = ["y"] * wanted
            made = getattr(our_resource, sub.name)(*arguments)
            like = getattr(their_resource, sub.name)(*arguments)
            cases.equal(f"{case}.{sub.name}", repr(made), repr(like))
            cases.equal(f"{case}.{sub.name}", made.meta.identifiers, like.meta.identifiers)
            messages = [
                refused(lambda parent=parent, sub=sub: getattr(parent, sub.name)(*"tooMany"))
                for parent in (our_resource, their_resource)
            ]
            cases.equal(f"{case}.{sub.name}", *messages)
        for reference in model.references:
            if any(identifier.source == "data" for identifier in reference.resource.identifiers):
                continue
            found = [getattr(parent, reference.name) for parent in (our_resource, their_resource)]
            cases.equal(f"{case}.{reference.name}", *[repr(resource) for resource in found])
    cases.check(at_least=700)


def test_collections_have_the_methods_and_batch_actions_of_boto3s() -> None:
    cases = Cases()
    for case, pair, name in all_classes():
        theirs, ours = pair.classes(name)
        their_resource, our_resource = instance(theirs), instance(ours)
        for collection in pair.resource_model(name).collections:
            where = f"{case}.{collection.name}"
            managers = [getattr(one, collection.name) for one in (our_resource, their_resource)]
            everything = [manager.all() for manager in managers]
            for pair_of_both in (managers, everything):
                cases.equal(where, *[type(one).__name__ for one in pair_of_both])
                cases.equal(where, *[public(one) for one in pair_of_both])
            cases.equal(where, *[repr(one) for one in everything])
            cases.equal(where, *[repr(one.limit(3).page_size(2)) for one in everything])
            for batch_action in collection.batch_actions:
                for owner in (managers[0], everything[0]):
                    method = getattr(owner, batch_action.name)
                    cases.true(f"{where}.{batch_action.name}", inspect.iscoroutinefunction(method))
    cases.check(at_least=1_500)


def test_instances_look_as_boto3s_do() -> None:
    cases = Cases()
    for case, pair, name in all_classes():
        theirs, ours = pair.classes(name)
        one, other = instance(ours), instance(theirs)
        cases.equal(case, repr(one), repr(other))
        cases.equal(case, repr(one.meta), repr(other.meta))
        cases.equal(case, hash(one), hash(other))
        cases.true(f"{case} equal", one == instance(ours))
        cases.equal(case, one.get_available_subresources(), other.get_available_subresources())
        for missing in ours.meta.identifiers:
            given = dict.fromkeys(set(ours.meta.identifiers) - {missing}, "x")
            message = refused(lambda cls=ours, given=given: cls(client=CLIENT, **given))
            expected = f"ValueError: Required parameter {missing} not set"
            cases.equal(f"{case} without {missing}", message, expected)
        message = refused(lambda cls=ours: cls(client=CLIENT, nonsense=1))
        cases.equal(case, message, "ValueError: Unknown keyword argument: nonsense")
    cases.check(at_least=900)


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


def test_classes_say_what_they_are() -> None:
    pair = pair_of("s3", "2006-03-01")
    _theirs, s3 = pair.classes("s3")
    _theirs, bucket = pair.classes("Bucket")
    _theirs, version = pair.classes("ObjectVersion")
    assert "resources of s3" in inspect.getdoc(s3)
    assert "A Bucket of s3, known by its `name`" in inspect.getdoc(bucket)
    assert "await load()" in inspect.getdoc(bucket)
    assert "its `bucket_name`, `object_key`, `id`" in inspect.getdoc(version)
    manager = instance(bucket).objects
    for collection in (manager, manager.all()):
        assert "`async for" in inspect.getdoc(type(collection))
    # What `help` shows is all of that; lazy docstrings must not get in its way.
    shown = pydoc.plain(pydoc.render_doc(bucket))
    assert "A Bucket of s3" in shown
    assert "async put_object(" in shown


def test_a_class_is_made_once() -> None:
    pair = pair_of("s3", "2006-03-01")
    _theirs, ours = pair.classes("s3")
    s3 = ours(client=CLIENT)
    assert type(s3.Bucket("a")) is type(s3.Bucket("b")) is type(s3.Object("a", "b").Bucket())

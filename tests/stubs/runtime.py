"""The resource classes as they are at run time: what their stubs have to agree with."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import boto3
from boto3.resources.base import ServiceResource
from boto3.utils import ServiceContext

from asession import Session
from asession._additions import OF_RESOURCES
from asession._resources.customisations import BUILT_IN
from asession._resources.factory import AsyncResourceFactory, ClassEvents

SERVICE = "ServiceResource"
# Members of every resource and of every collection; the stubs have them in their base classes.
COMMON = {"close", "get_available_subresources", "meta"}
COMMON_OF_COLLECTIONS = {"all", "limit", "page_size", "pages", "iterator"}


def services() -> list[str]:
    """The services that have resources."""
    return list(boto3.Session(region_name="us-east-1").get_available_resources())


async def resources(service: str) -> dict[str, Any]:
    """A resource of each class of a service, by the class's name; for its type, not for calls."""
    session = Session("id", "secret", region_name="us-east-1", environ={}, profiles={})
    loader = boto3.Session()._session.get_component("data_loader")
    document = loader.load_service_model(service, "resources-1")
    async with session, session.client(service) as client:
        context = ServiceContext(
            service_name=service,
            service_model=client.meta.service_model,
            service_waiter_model=None,
            resource_json_definitions=document["resources"],
        )
        additions = {
            key: (*BUILT_IN.get(key, ()), *OF_RESOURCES.get(key, ()))
            for key in BUILT_IN.keys() | OF_RESOURCES.keys()
        }
        factory = AsyncResourceFactory(ClassEvents(additions, None, None))
        made = {}
        for name, definition in {SERVICE: document["service"], **document["resources"]}.items():
            made_as = service if name == SERVICE else name
            kind: Any = factory.load_from_definition(made_as, definition, context)
            made[name] = kind(*["x"] * len(kind.meta.identifiers), client=client)
        return made


def members(resource: Any) -> dict[str, Any]:
    """What is public of a resource's class, except what all have: functions and properties."""
    return {
        name: inspect.getattr_static(type(resource), name)
        for name in dir(type(resource))
        if not name.startswith("_") and name not in COMMON
    }


def collections(resource: Any) -> dict[str, Any]:
    """The collections of a resource, by the name of their attribute."""
    model = resource.meta.resource_model
    return {collection.name: getattr(resource, collection.name) for collection in model.collections}


def batch_actions(collection: Any) -> dict[str, Any]:
    """What a collection has beyond `filter` and what all have."""
    return {
        name: inspect.getattr_static(type(collection), name)
        for name in dir(type(collection))
        if not name.startswith("_") and name not in {*COMMON_OF_COLLECTIONS, "filter"}
    }


def base_of(class_name: str) -> str:
    """The name of the base class in the stubs, which stands for that of `_resources.base`."""
    return "RootResource" if class_name == SERVICE else "Resource"


def mixins(resource: Any) -> Iterator[type]:
    """The bases that asession gives a class, beyond the one of all."""
    for base in type(resource).__mro__[1:]:
        if base.__module__.startswith("asession.") and not issubclass(base, ServiceResource):
            yield base


def is_own(value: Any) -> bool:
    """Whether it is a function of this package with a signature of its own, not a generated one."""
    code = value.__code__
    return "<locals>" not in code.co_qualname and value.__module__.startswith("asession.")

"""Resource classes: boto3's factory, with awaited methods in place of blocking ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from boto3.resources.base import ServiceResource
from boto3.resources.factory import ResourceFactory

from asession._resources.action import AsyncServiceAction, AsyncWaiterAction
from asession._resources.base import (
    AsyncRootResource,
    AsyncServiceResource,
    forget_data,
    load_method,
    needs_data,
    require_data,
)
from asession._resources.collection import AsyncCollectionFactory
from asession._resources.naming import class_docstring, named_after

CREATING_CLASS = "creating-resource-class."

Customisation = Callable[..., None]
"""Changes a class before it is made; called as a handler of ``creating-resource-class.*`` is, with
``class_attributes``, ``base_classes``, ``service_context`` and ``event_name``, and with the
``event_emitter`` for docstrings."""

Customisations = Mapping[str, Sequence[Customisation]]
"""By ``"service"``, for all its classes, or by ``"service.Class"``."""


class SyncEmitter(Protocol):
    """What is needed of a sync event emitter of botocore's."""

    def emit(self, event_name: str, **kwargs: Any) -> Any:
        """Call the handlers of an event."""


class ClassEvents:
    """Stands for the emitter that boto3's factory tells about each class; lives as long as it.

    Order: the async base class, this package's customisations, the user's handlers. The events of
    docstrings, which come later, go to an emitter of their own.
    """

    def __init__(
        self,
        customisations: Customisations,
        emitter: SyncEmitter | None,
        docs_emitter: SyncEmitter | None,
    ) -> None:
        self._customisations = customisations
        self._emitter = emitter
        self._docs_emitter = docs_emitter

    def emit(self, event_name: str, **kwargs: Any) -> Any:
        """Customise a class about to be made, or a docstring about to be shown."""
        emitter = self._docs_emitter
        if event_name.startswith(CREATING_CLASS):
            emitter = self._emitter
            self._customise(event_name, kwargs)
        return [] if emitter is None else emitter.emit(event_name, **kwargs)

    def _customise(self, event_name: str, kwargs: dict[str, Any]) -> None:
        bases = kwargs["base_classes"]
        class_name = event_name.removeprefix(CREATING_CLASS)
        is_root = class_name.endswith(".ServiceResource")
        bases[bases.index(ServiceResource)] = AsyncRootResource if is_root else AsyncServiceResource
        attributes = kwargs["class_attributes"]
        attributes["__doc__"] = class_docstring(class_name, attributes["meta"].identifiers)
        for key in (class_name.partition(".")[0], class_name):
            for customise in self._customisations.get(key, ()):
                customise(event_name=event_name, event_emitter=self, **kwargs)


class AsyncResourceFactory(ResourceFactory):
    """Makes the resource classes of one service, each once; lives as long as any of them."""

    _emitter: Any

    def __init__(self, events: Any) -> None:
        super().__init__(events)
        self._collection_factory = AsyncCollectionFactory()
        self._classes: dict[str, type[ServiceResource]] = {}

    def load_from_definition(
        self, resource_name: str, single_resource_json_definition: Any, service_context: Any
    ) -> type[ServiceResource]:
        """The class of that name, made at the first call: boto3 asks again for every object."""
        made = self._classes.get(resource_name)
        if made is None:
            made = super().load_from_definition(
                resource_name, single_resource_json_definition, service_context
            )
            # Threads may race to make a class; all get the first one.
            made = self._classes.setdefault(resource_name, made)
        return made

    def _create_action(
        self, action_model: Any, resource_name: str, service_context: Any, is_load: bool = False
    ) -> Any:
        upstream: Any = super()
        documented = upstream._create_action(action_model, resource_name, service_context, is_load)
        action = AsyncServiceAction(action_model, factory=self, service_context=service_context)
        if is_load:
            return named_after(documented, load_method(action))

        async def do_action(resource: Any, /, *args: Any, **kwargs: Any) -> Any:
            response = await action(resource, *args, **kwargs)
            forget_data(resource)
            return response

        return named_after(documented, do_action)

    def _create_waiter(
        self, resource_waiter_model: Any, resource_name: str, service_context: Any
    ) -> Any:
        upstream: Any = super()
        documented = upstream._create_waiter(resource_waiter_model, resource_name, service_context)
        waiter = AsyncWaiterAction(resource_waiter_model, resource_waiter_model.name)

        async def do_waiter(resource: Any, /, *args: Any, **kwargs: Any) -> None:
            await waiter(resource, *args, **kwargs)

        return named_after(documented, do_waiter)

    def _create_autoload_property(self, *args: Any, **kwargs: Any) -> property:
        upstream: Any = super()
        return _requiring_data(upstream._create_autoload_property(*args, **kwargs))

    def _create_reference(
        self, reference_model: Any, resource_name: str, service_context: Any
    ) -> property:
        upstream: Any = super()
        reference: property = upstream._create_reference(
            reference_model, resource_name, service_context
        )
        if needs_data(reference_model.resource.identifiers):
            return _requiring_data(reference)
        return reference


def _requiring_data(loading: property) -> property:
    """A property that raises where boto3's would load."""
    get: Any = loading.fget
    name = get.__name__

    def get_loaded(resource: Any) -> Any:
        require_data(resource, name)
        return get(resource)

    return property(named_after(get, get_loaded))

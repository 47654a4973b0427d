"""What all clients of one service have in common, made once for all of them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, cast

from aiobotocore.client import AioBaseClient
from botocore import xform_name
from botocore.docs.docstring import ClientMethodDocstring
from botocore.endpoint_provider import EndpointProvider
from botocore.errorfactory import ClientExceptionsFactory
from botocore.handlers import (
    remove_accid_host_prefix_from_model,
    remove_bucket_from_url_paths_from_model,
)
from botocore.model import ServiceModel
from botocore.utils import get_service_module_name

from asession._aws.emitter import EventEmitter
from asession._aws.endpoints import Plans
from asession._aws.handlers import builtin_events, docs_events
from asession._aws.sections import Section

# botocore's handlers of requests that change the model.
_CHANGING = frozenset(
    {remove_bucket_from_url_paths_from_model, remove_accid_host_prefix_from_model}
)


class SharedServiceModel(ServiceModel):
    """botocore's model of a service, which decodes no operation or shape that nobody asks for.

    Upstream looks for errors and for endpoint discovery by making every shape and operation.
    """

    @cached_property
    def error_shapes(self) -> list[Any]:
        """The shapes that are errors."""
        names = _candidates(self._service_description.get("shapes", {}), b'"exception"')
        shapes = (self.shape_for(name) for name in names)
        return [shape for shape in shapes if shape.metadata.get("exception", False)]

    @cached_property
    def endpoint_discovery_operation(self) -> Any:
        """The operation that finds endpoints, or `None`."""
        for name in _candidates(self._operations, b'"endpointoperation"'):
            operation = self.operation_model(name)
            if operation.is_endpoint_discovery_operation:
                return operation
        return None

    @cached_property
    def endpoint_discovery_required(self) -> bool:
        """Whether some operation cannot do without a found endpoint."""
        names = _candidates(self._operations, b'"endpointdiscovery"')
        found = (self.operation_model(name).endpoint_discovery for name in names)
        return any(discovery is not None and discovery.get("required") for discovery in found)

    @property
    def _operations(self) -> Mapping[str, Any]:
        return cast("Mapping[str, Any]", self._service_description.get("operations", {}))


def _candidates(section: Mapping[str, Any], text: bytes) -> list[str]:
    return section.containing(text) if isinstance(section, Section) else list(section)


class MethodDocstring(ClientMethodDocstring):
    """The docstring of a client's method, written when it is read."""

    def _write_docstring(self, section: Any, model: ServiceModel, name: str) -> None:
        operation = model.operation_model(name)
        super()._write_docstring(
            section,
            operation_model=operation,
            method_name=name,
            event_emitter=docs_events(),
            method_description=operation.documentation,
            example_prefix=f"response = client.{xform_name(name)}",
            include_signature=False,
        )


class Service:
    """One version of a service: its model, rules of endpoints, errors and client class.

    Shared by all sessions, on any thread, and not to be changed; a session whose handlers may
    change it takes a `private` one. (Handlers that a user adds to one client come too late for
    that: they read the model alone.) Lives as long as its catalogue; nothing needs closing.

    Attributes:
        name: The service's name, for example ``"s3"``.
        model: botocore's model of it.
        rules: The rules of its endpoints, or `None` for a service that has none.
        exceptions: botocore's factory of its error classes.
        plans: How the parameters of its rules are found, for the operations that were called.
    """

    rules: EndpointProvider | None = None
    # The one whose classes a private one still uses.
    _base: Service | None = None

    def __init__(self, name: str, description: Mapping[str, Any]) -> None:
        self.name = name
        self.model = SharedServiceModel(description, service_name=name)
        self.exceptions = ClientExceptionsFactory()
        self.plans: Plans = {}
        self._description = description
        # By the handlers that it was made with: other packages may add to botocore's.
        self._client_classes: dict[EventEmitter, type] = {}
        self._retry_handlers: dict[Any, Any] = {}

    def private(self, description: Mapping[str, Any] | None = None) -> Service:
        """The same service with a model of its own.

        Args:
            description: That model; by default the same, of which nothing is shared but its text.
        """
        private = Service(
            self.name, _view(self._description) if description is None else description
        )
        private.rules = self.rules
        private.settle()
        if description is None:
            private.__dict__.update(methods=self.methods, operations=self.operations, _base=self)
        return private

    def prepare(self) -> None:
        """Make what takes long, in a worker thread: the methods, and what every client asks for."""
        model = self.model
        for _ in (self.methods, model.endpoint_discovery_operation):
            pass
        # So that there is one class of each error, whichever thread gets it first.
        self.exceptions.create_client_exceptions(model)
        self.settle()

    def settle(self) -> None:
        """Change the operations as botocore does at their first calls, before they are shared."""
        event_name = f"before-parameter-build.{self.model.service_id.hyphenize()}"
        for handler in _CHANGING.intersection(builtin_events().handlers_of(event_name)):
            for name in self.model.operation_names:
                handler(params={}, model=self.model.operation_model(name), context={})

    @cached_property
    def methods(self) -> Mapping[str, Callable[..., Any]]:
        """The methods of its clients, by name."""
        class_name = get_service_module_name(self.model)
        return {
            method_name: _method(self.model, class_name, method_name, operation_name)
            for method_name, operation_name in self.operations.items()
        }

    @cached_property
    def operations(self) -> Mapping[str, str]:
        """The operations, by the names of their methods."""
        return {xform_name(name): name for name in self.model.operation_names}

    async def client_class(self, events: EventEmitter) -> type:
        """The class of its clients: the shared one, unless a handler of `events` may change it."""
        event_name = f"creating-client-class.{self.model.service_id.hyphenize()}"
        builtin = builtin_events()
        if events.handlers_of(event_name) != builtin.handlers_of(event_name):
            return await self._make_class(event_name, events)
        if self._base is not None:
            return await self._base.client_class(builtin)
        made = self._client_classes.get(builtin)
        if made is None:
            # Two threads may both make it; both go on with the one that was there first.
            made = self._client_classes.setdefault(
                builtin, await self._make_class(event_name, builtin)
            )
        return made

    async def _make_class(self, event_name: str, events: EventEmitter) -> type:
        attributes: dict[str, Any] = {**self.methods, "_PY_TO_OP_NAME": dict(self.operations)}
        bases: list[type] = [AioBaseClient]
        await events.emit(event_name, class_attributes=attributes, base_classes=bases)
        made = type(get_service_module_name(self.model), tuple(bases), attributes)
        made.__module__ = AioBaseClient.__module__
        return made

    def retry_handler(self, config: Any, make: Callable[[], Any]) -> Any:
        """The legacy handler of retries for one configuration, which keeps nothing of a call."""
        key = tuple(sorted((config or {}).items()))
        handler = self._retry_handlers.get(key)
        if handler is None:
            handler = self._retry_handlers[key] = make()
        return handler


def _view(description: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: part.view() if isinstance(part, Section) else copy.deepcopy(part)
        for name, part in description.items()
    }


def _method(
    model: ServiceModel, class_name: str, method_name: str, operation_name: str
) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if args:
            raise TypeError(f"{method_name}() only accepts keyword arguments.")
        return self._make_api_call(operation_name, kwargs)

    call.__name__ = method_name
    call.__qualname__ = f"{class_name}.{method_name}"
    call.__doc__ = MethodDocstring(model, operation_name)
    return call

"""The way in: a service resource for a client and the model of its service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from boto3.resources.base import ServiceResource
from boto3.utils import ServiceContext

from asession._resources.customisations import BUILT_IN
from asession._resources.factory import (
    AsyncResourceFactory,
    ClassEvents,
    Customisations,
    SyncEmitter,
)


# Compared by identity and weakly referable: it is the key of the classes made from it.
@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ServiceDefinition:
    """What is known of a service's resources from model files; immutable, fit for the process.

    Keep one per service and version: the classes made from it live as long as it does.

    Attributes:
        service_name: For example ``"s3"``.
        api_version: For example ``"2006-03-01"``.
        resources: The document ``resources-1.json``, with the keys ``service`` and ``resources``.
        waiter_model: Has ``get_waiter(name)``; read for docstrings only.
        docs_emitter: A sync emitter with botocore's handlers for ``docs.*``, which leave out of
            docstrings what is filled in by itself. Without one, they list every parameter.
    """

    service_name: str
    api_version: str
    resources: Mapping[str, Any]
    waiter_model: Any
    docs_emitter: SyncEmitter | None = None


_NOTHING_MORE: Customisations = {}

# Process-wide: classes hold models, never a client or a session.
_made: WeakKeyDictionary[ServiceDefinition, tuple[Customisations, type[ServiceResource]]]
_made = WeakKeyDictionary()


def service_resource(
    client: Any,
    definition: ServiceDefinition,
    emitter: SyncEmitter | None = None,
    customisations: Customisations = _NOTHING_MORE,
) -> ServiceResource:
    """The resource of a whole service, on top of an open client.

    Args:
        client: An aiobotocore client of the service in the version of `definition`. It stays the
            caller's, who closes it; the resources made here work as long as it is open.
        definition: The model of the service's resources.
        emitter: A sync emitter with the user's handlers for ``creating-resource-class.*``. Without
            one, classes are made once for `definition` and shared.
        customisations: More of this package's own additions, applied before the user's handlers.
            Pass the same object each time, for the classes to be shared.
    """
    made = _made.get(definition) if emitter is None else None
    if made is None or made[0] is not customisations:
        made = customisations, _service_class(client, definition, emitter, customisations)
        if emitter is None:
            _made[definition] = made
    return made[1](client=client)


def _service_class(
    client: Any,
    definition: ServiceDefinition,
    emitter: SyncEmitter | None,
    customisations: Customisations,
) -> type[ServiceResource]:
    applied = {
        key: (*BUILT_IN.get(key, ()), *customisations.get(key, ()))
        for key in BUILT_IN.keys() | customisations.keys()
    }
    context = ServiceContext(
        service_name=definition.service_name,
        service_model=client.meta.service_model,
        service_waiter_model=definition.waiter_model,
        resource_json_definitions=definition.resources["resources"],
    )
    events = ClassEvents(applied, emitter, definition.docs_emitter)
    return AsyncResourceFactory(events).load_from_definition(
        definition.service_name, definition.resources["service"], context
    )

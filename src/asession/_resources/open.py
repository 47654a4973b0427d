"""Opens a service's resource: its definition from the catalogue, a client, the class on top."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from boto3.exceptions import ResourceNotExistsError, UnknownAPIVersionError

from asession._resources.factory import Customisations
from asession._resources.service import ServiceDefinition, service_resource

if TYPE_CHECKING:
    from asession._aws.backend import Backend
    from asession._aws.catalogue import Catalogue

# Process-wide: the classes made from a definition are shared by all sessions with that catalogue.
# By service and version, and by `None` for the latest.
_definitions: WeakKeyDictionary[Catalogue, dict[tuple[str, str | None], ServiceDefinition]]
_definitions = WeakKeyDictionary()


async def open_resource(
    backend: Backend,
    service_name: str,
    api_version: str | None,
    config: Any,
    arguments: Mapping[str, Any],
    customisations: Customisations,
) -> tuple[Any, Any]:
    """A resource, and the client under it; closing the client closes the resource.

    Args:
        backend: The session's way to AWS.
        service_name: For example ``"s3"``.
        api_version: A version of the resource's model; `None` for the latest.
        config: The client's configuration, or `None`.
        arguments: The other arguments of the client.
        customisations: What other rooms add to the classes; the same object each time.

    Raises:
        ResourceNotExistsError: The service has no resources.
        UnknownAPIVersionError: It has none in that version.
    """
    definition = await _define(backend.catalogue, service_name, api_version)
    client = await backend.open_client(
        service_name,
        api_version=definition.api_version,
        config=backend.resource_config(config),
        **arguments,
    )
    emitter = backend.resource_emitter()
    return service_resource(client, definition, emitter, customisations), client


def _picklable(kind: Any, **arguments: Any) -> Exception:
    error: Exception = kind(**arguments)
    # botocore's errors pickle as these; boto3's, which descend from them, leave them out.
    error.kwargs = arguments  # type: ignore[attr-defined]
    return error


async def _define(
    catalogue: Catalogue, service_name: str, api_version: str | None
) -> ServiceDefinition:
    # Each question to the catalogue takes a worker thread; asked once, a resource costs no more
    # than its client.
    definitions = _definitions.setdefault(catalogue, {})
    definition = definitions.get((service_name, api_version))
    if definition is None:
        version = await _version(catalogue, service_name, api_version)
        document = await catalogue.service_model(service_name, "resources-1", version)
        definition = definitions.setdefault(
            (service_name, version),
            ServiceDefinition(
                service_name=service_name,
                api_version=version,
                resources=document,
                waiter_model=catalogue.waiters(service_name, version),
                docs_emitter=catalogue.docs_emitter,
            ),
        )
        definitions[service_name, api_version] = definition
    return definition


async def _version(catalogue: Catalogue, service_name: str, api_version: str | None) -> str:
    available = await catalogue.services("resources-1")
    if service_name not in available:
        has_client = service_name in await catalogue.services("service-2")
        error = _picklable(
            ResourceNotExistsError,
            service_name=service_name,
            available_services=available,
            has_low_level_client=has_client,
        )
        if has_client:
            error.add_note(f"in asession: `session.client({service_name!r})`")
        raise error
    versions = await catalogue.api_versions(service_name, "resources-1")
    version = versions[-1] if api_version is None else api_version
    if version not in versions:
        raise _picklable(
            UnknownAPIVersionError,
            service_name=service_name,
            bad_api_version=version,
            available_api_versions=", ".join(versions),
        )
    return version

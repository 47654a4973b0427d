"""Everything immutable that clients are made from, read once per process, off the event loop.

Process-wide and read-only: every session with the same search path shares one `Catalogue`.
"""

from __future__ import annotations

import copy
import importlib.util
import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import BotoCoreError, DataNotFoundError, UnknownServiceError
from botocore.hooks import HierarchicalEmitter
from botocore.loaders import Loader
from botocore.regions import EndpointResolver, EndpointRulesetResolver
from botocore.waiter import WaiterModel

from asession._aws.handlers import docs_events
from asession._aws.models import ModelFiles
from asession._aws.service import Service
from asession._once import Flights
from asession._profiles.paths import expand
from asession._runtime.forks import ProcessLock
from asession._runtime.threads import in_thread

# What every client needs.
_COMMON = ("endpoints", "partitions", "sdk-default-configuration", "_retry")
# What a client of a service may ask for later, on its event loop.
_OPTIONAL = ("paginators-1", "waiters-2")

RESOURCES = "resources-1"

Key = tuple[str, str | None]

# Who is reading a service.
_reading: Flights[Service | None] = Flights("asession_services")


class Catalogue:
    """The services under one search path; lives as long as the process; nothing needs closing.

    Reading is guarded by a process lock and done in worker threads, at most one per event loop for
    a service; what has been read is looked up without a lock, on any thread.

    Attributes:
        loader: The files, in the form in which botocore asks for them.
    """

    def __init__(self, search_paths: Sequence[str]) -> None:
        self.loader: ModelFiles = ModelFiles(search_paths)
        self._lock = ProcessLock()
        self._services: dict[Key, Service] = {}
        self._endpoint_resolver: EndpointResolver | None = None

    async def service(self, name: str, api_version: str | None = None) -> Service:
        """One service, read by the first who asks while all others wait for that.

        Raises:
            botocore.exceptions.UnknownServiceError: There is no such service.
            botocore.exceptions.DataNotFoundError: It has no such version.
        """
        key = (name, api_version)
        service = self._services.get(key)
        if service is not None:
            return service
        service = await _reading.join((self, *key), lambda: in_thread(self._try, *key))
        # Each of those who asked gets an exception of its own.
        return await in_thread(self._read, *key) if service is None else service

    def _try(self, *key: *Key) -> Service | None:
        try:
            return self._read(*key)
        except (BotoCoreError, OSError, ValueError, zlib.error):
            return None

    def _read(self, name: str, api_version: str | None) -> Service:
        with self._lock:
            service = self._services.get((name, api_version))
            if service is None:
                service = self._services[name, api_version] = self._make(name, api_version)
            return service

    def _make(self, name: str, api_version: str | None) -> Service:
        description = self.loader.load_service_model(name, "service-2", api_version)
        for common in _COMMON:
            self.loader.load_data_with_path(common)
        for type_name in _OPTIONAL:
            try:
                self.loader.load_service_model(name, type_name, api_version)
            except (UnknownServiceError, DataNotFoundError):
                continue  # the client will say so
        self._resolver()
        service = Service(name, description)
        service.rules = self._rules(service, api_version)
        service.prepare()
        return service

    def _rules(self, service: Service, api_version: str | None) -> EndpointProvider | None:
        try:
            rules = self.loader.load_service_model(service.name, "endpoint-rule-set-1", api_version)
        except UnknownServiceError:
            return None
        # Upstream's resolver knows which parameters of a service its rules never look at.
        resolver = EndpointRulesetResolver(
            endpoint_ruleset_data=rules,
            partition_data=self.loader.load_data("partitions"),
            service_model=service.model,
            builtins={},
            client_context={},
            event_emitter=None,
        )
        return resolver._provider

    def _resolver(self) -> EndpointResolver:
        if self._endpoint_resolver is None:
            endpoints, path = self.loader.load_data_with_path("endpoints")
            self._endpoint_resolver = EndpointResolver(
                endpoints, uses_builtin_data=path.startswith(Loader.BUILTIN_DATA_PATH)
            )
        return self._endpoint_resolver

    @property
    def endpoint_resolver(self) -> EndpointResolver:
        """The partitions and endpoints; read together with any service."""
        return self._resolver()

    async def services(self, type_name: str) -> list[str]:
        """The services that have a model of that type, sorted."""
        return list(await in_thread(self._locked, self.loader.list_available_services, type_name))

    async def service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> Any:
        """One model, shared: not to be changed."""
        return await in_thread(
            self._locked, self.loader.load_service_model, service_name, type_name, api_version
        )

    async def private_service_model(self, service_name: str, api_version: str | None = None) -> Any:
        """A copy of a service's model, decoded whole, that its owner may change."""
        model = await self.service_model(service_name, "service-2", api_version)
        return await in_thread(copy.deepcopy, model)

    async def api_versions(self, service_name: str, type_name: str) -> list[str]:
        """The versions of a service's model of that type, sorted."""
        return list(
            await in_thread(self._locked, self.loader.list_api_versions, service_name, type_name)
        )

    async def resolver(self) -> EndpointResolver:
        """The partitions and endpoints."""
        return await in_thread(self._locked, self._resolver)

    def waiters(self, service_name: str, api_version: str) -> WaiterModels:
        """The waiters of a service, for the docstrings of its resources."""
        return WaiterModels(self.loader, service_name, api_version)

    @property
    def docs_emitter(self) -> HierarchicalEmitter:
        """A sync emitter with botocore's handlers for docstrings."""
        return docs_events()

    def _locked(self, function: Callable[..., Any], *args: Any) -> Any:
        with self._lock:
            return function(*args)


class WaiterModels:
    """The waiters of one service and version, read when a docstring is."""

    def __init__(self, loader: Loader, service_name: str, api_version: str) -> None:
        self._loader = loader
        self._key = service_name, "waiters-2", api_version

    def get_waiter(self, waiter_name: str) -> Any:
        """The configuration of a waiter."""
        return WaiterModel(self._loader.load_service_model(*self._key)).get_waiter(waiter_name)


# By search path: how the directories of the user's own were when it was made, and the catalogue.
_catalogues: dict[tuple[str, ...], tuple[Any, Catalogue]] = {}
_lock = ProcessLock()


def catalogue_for(data_path: str | None, environ: Mapping[str, str]) -> Catalogue:
    """The catalogue of a session: `data_path`, `~/.aws/models`, botocore's and boto3's data.

    Looks at the disk: the directories of one's own may have changed since another session looked.

    Args:
        data_path: Directories, separated as in `PATH`, searched first.
        environ: The environment variables, for `~` and `$NAME`.
    """
    extra = [expand(path, environ) for path in data_path.split(os.pathsep)] if data_path else []
    return catalogue_over([*extra, expand("~/.aws/models", environ), Loader.BUILTIN_DATA_PATH])


def catalogue_over(search_paths: Sequence[str]) -> Catalogue:
    """The catalogue of these directories and, after them, boto3's data."""
    states = {path: _state_of(path) for path in search_paths if path != Loader.BUILTIN_DATA_PATH}
    # Whoever has no models of his own shares one catalogue, wherever his home is.
    paths = (*(path for path in search_paths if states.get(path, True)), _boto3_data())
    state = [found for found in states.values() if found]
    with _lock:
        known = _catalogues.get(paths)
        if known is None or known[0] != state:
            known = _catalogues[paths] = state, Catalogue(paths)
    return known[1]


def _state_of(directory: str) -> Any:
    """The files below a directory and when they last changed; empty where there is none."""
    state: list[tuple[str, int]] = []
    if not os.path.isdir(directory):  # as almost always
        return state
    for where, _, names in os.walk(directory):
        for path in (os.path.join(where, name) for name in names):
            with suppress(OSError):  # it went meanwhile
                state.append((path, os.stat(path).st_mtime_ns))
    return sorted(state)


def _boto3_data() -> str:
    # The specification alone: importing boto3 takes 330 ms.
    spec = importlib.util.find_spec("boto3")
    locations = cast("list[str]", spec.submodule_search_locations if spec else None)
    return os.path.join(locations[0], "data")

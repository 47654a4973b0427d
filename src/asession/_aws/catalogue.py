"""The model files of botocore and boto3, read once per process, off the event loop.

Process-wide and read-only: every session with the same search path shares one `Catalogue`.
"""

from __future__ import annotations

import copy
import importlib.util
import os
from collections.abc import Mapping, Sequence
from typing import Any, cast

from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.handlers import BUILTIN_HANDLERS
from botocore.hooks import HierarchicalEmitter
from botocore.loaders import Loader
from botocore.regions import EndpointResolver
from botocore.waiter import WaiterModel

from asession._profiles.paths import expand
from asession._runtime.forks import ProcessLock
from asession._runtime.threads import in_thread

# What every client needs.
_COMMON = ("endpoints", "partitions", "sdk-default-configuration", "_retry")
# What a client of one service needs, now or later; the first is required.
_OF_SERVICE = ("service-2", "endpoint-rule-set-1", "paginators-1", "waiters-2")

RESOURCES = "resources-1"


class CatalogueLoader(Loader):
    """botocore's loader, remembering absent files too and asking the disk only once for each.

    Belongs to a `Catalogue`, whose lock guards it while it reads.
    """

    def __init__(self, search_paths: list[str]) -> None:
        super().__init__(extra_search_paths=search_paths, include_default_search_paths=False)
        self._data: dict[str, tuple[Any, str] | DataNotFoundError] = {}
        self._services: dict[str, list[str]] = {}
        self._versions: dict[tuple[str, str], list[str]] = {}
        self._models: dict[tuple[str, str, str], Any] = {}

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        found = self._data.get(name)
        if found is None:
            try:
                found = super().load_data_with_path(name)
            except DataNotFoundError as error:
                found = error
            self._data[name] = found
        if isinstance(found, DataNotFoundError):
            raise DataNotFoundError(data_path=name)
        return found

    def list_available_services(self, type_name: str) -> list[str]:
        services = self._services.get(type_name)
        if services is None:
            services = self._services[type_name] = super().list_available_services(type_name)
        return services

    def list_api_versions(self, service_name: str, type_name: str) -> list[str]:
        key = (service_name, type_name)
        versions = self._versions.get(key)
        if versions is None:
            versions = self._versions[key] = super().list_api_versions(service_name, type_name)
        return versions

    def determine_latest_version(self, service_name: str, type_name: str) -> str:
        return max(self.list_api_versions(service_name, type_name))

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> Any:
        known = self.list_available_services(type_name)
        if service_name not in known:
            raise UnknownServiceError(
                service_name=service_name, known_service_names=", ".join(known)
            )
        version = api_version or self.determine_latest_version(service_name, type_name)
        key = (service_name, type_name, version)
        model = self._models.get(key)
        if model is None:
            # Extras are merged into the model in place, so once only.
            model = self._models[key] = super().load_service_model(*key)
        return model


class Catalogue:
    """The models under one search path; lives as long as the process; nothing needs closing.

    Reading is guarded by a process lock and done in worker threads (`warm_up`); what has been
    read is looked up without a lock, on any thread.
    """

    def __init__(self, loader: Loader) -> None:
        self.loader = loader
        self._lock = ProcessLock()
        self._warm: set[tuple[str, str | None]] = set()
        self._endpoint_resolver: EndpointResolver | None = None
        self._docs_emitter: HierarchicalEmitter | None = None

    async def warm_up(self, service_name: str, api_version: str | None = None) -> None:
        """Read what a client of the service needs, in a worker thread, unless that was done."""
        if (service_name, api_version) not in self._warm:
            await in_thread(self._read, service_name, api_version)

    def _read(self, service_name: str, api_version: str | None) -> None:
        loader = self.loader
        with self._lock:
            for name in _COMMON:
                loader.load_data_with_path(name)
            self._resolver()
            for type_name in _OF_SERVICE:
                try:
                    loader.load_service_model(service_name, type_name, api_version)
                except (UnknownServiceError, DataNotFoundError):
                    if type_name == _OF_SERVICE[0]:
                        return  # the client will say so
            self._warm.add((service_name, api_version))

    def _resolver(self) -> EndpointResolver:
        if self._endpoint_resolver is None:
            endpoints, path = self.loader.load_data_with_path("endpoints")
            self._endpoint_resolver = EndpointResolver(
                endpoints, uses_builtin_data=path.startswith(Loader.BUILTIN_DATA_PATH)
            )
        return self._endpoint_resolver

    @property
    def endpoint_resolver(self) -> EndpointResolver:
        """The partitions and endpoints; read after a `warm_up` of any service."""
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
        """A copy of a service's model that its owner may change."""
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
        if self._docs_emitter is None:
            emitter = HierarchicalEmitter()
            for event_name, handler, *_ in BUILTIN_HANDLERS:
                if event_name.startswith("docs."):
                    emitter.register(event_name, handler)
            self._docs_emitter = emitter
        return self._docs_emitter

    def _locked(self, function: Any, *args: Any) -> Any:
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


_catalogues: dict[tuple[str, ...], Catalogue] = {}
_lock = ProcessLock()


def catalogue_for(data_path: str | None, environ: Mapping[str, str]) -> Catalogue:
    """The catalogue of a session: `data_path`, `~/.aws/models`, botocore's and boto3's data.

    Args:
        data_path: Directories, separated as in `PATH`, searched first.
        environ: The environment variables, for `~` and `$NAME`.
    """
    extra = [expand(path, environ) for path in data_path.split(os.pathsep)] if data_path else []
    return catalogue_over([*extra, expand("~/.aws/models", environ), Loader.BUILTIN_DATA_PATH])


def catalogue_over(search_paths: Sequence[str]) -> Catalogue:
    """The catalogue of these directories and, after them, boto3's data."""
    paths = (*search_paths, _boto3_data())
    with _lock:
        catalogue = _catalogues.get(paths)
        if catalogue is None:
            catalogue = _catalogues[paths] = Catalogue(CatalogueLoader(list(paths)))
    return catalogue


def _boto3_data() -> str:
    # The specification alone: importing boto3 takes 330 ms.
    spec = importlib.util.find_spec("boto3")
    locations = cast("list[str]", spec.submodule_search_locations if spec else None)
    return os.path.join(locations[0], "data")

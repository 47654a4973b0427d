"""The model files of botocore and boto3: where they are, and reading them once."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import Loader

from asession._aws.index import Index, joined
from asession._aws.sections import merge, parse, parse_endpoints

_EXTENSIONS = (".json", ".json.gz")
_GZIP = 16 + zlib.MAX_WBITS


class ModelFiles(Loader):
    """botocore's loader over an index of the services asked for, each file read once.

    Everything it returns is shared and not to be changed. Belongs to a `Catalogue`, whose lock
    guards it while it reads; what was read is looked up without.
    """

    def __init__(self, search_paths: Sequence[str]) -> None:
        super().__init__(extra_search_paths=list(search_paths), include_default_search_paths=False)
        self._indexes: list[Index] | None = None
        self._files: dict[str, Mapping[str, Mapping[str, str]]] = {}
        self._services: dict[str, list[str]] = {}
        self._found: dict[str, tuple[Any, str] | None] = {}
        self._models: dict[tuple[str, str, str], Any] = {}

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """The content of the first file of that name on the search path, and its path."""
        if name not in self._found:
            self._found[name] = self._search(name)
        found = self._found[name]
        if found is None:
            raise DataNotFoundError(data_path=name)
        return found

    def _search(self, name: str) -> tuple[Any, str] | None:
        for directory in self.search_paths:
            path = os.path.join(directory, name)
            for extension in _EXTENSIONS:
                try:
                    data = _read(path + extension)
                    return parse_endpoints(data) if name == "endpoints" else json.loads(data), path
                except (FileNotFoundError, NotADirectoryError):
                    continue
        return None

    def list_available_services(self, type_name: str) -> list[str]:
        """The services that have a model of that type, sorted; looks into every directory."""
        services = self._services.get(type_name)
        if services is None:
            names = {name for index in self._all() for name in index.services()}
            services = [name for name in sorted(names) if type_name in self._types(name)]
            self._services[type_name] = services
        return services

    def list_api_versions(self, service_name: str, type_name: str) -> list[str]:
        """The versions of a service's model of that type, sorted."""
        versions = self._types(service_name).get(type_name)
        if not versions:
            raise DataNotFoundError(data_path=service_name)
        return sorted(versions)

    def determine_latest_version(self, service_name: str, type_name: str) -> str:
        """The latest of `list_api_versions`."""
        return self.list_api_versions(service_name, type_name)[-1]

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> Any:
        """One model of a service, with botocore's extras in it.

        Raises:
            UnknownServiceError: The service has no model of that type.
            DataNotFoundError: It has none of that version.
        """
        versions = self._types(service_name).get(type_name)
        if not versions:
            known = ", ".join(self.list_available_services(type_name))
            raise UnknownServiceError(service_name=service_name, known_service_names=known)
        version = api_version or max(versions)
        key = (service_name, type_name, version)
        model = self._models.get(key)
        if model is None:
            if version not in versions:
                raise DataNotFoundError(data_path=os.path.join(service_name, version, type_name))
            model = self._models[key] = self._load(*key, versions[version])
        return model

    def _load(self, service_name: str, type_name: str, version: str, path: str) -> Any:
        model = parse(_read(path))
        for extras_type in self.extras_types:
            extras = self._types(service_name).get(f"{type_name}.{extras_type}-extras", {})
            if version in extras:
                model = merge(model, json.loads(_read(extras[version])).get("merge", {}))
        return model

    def _types(self, service_name: str) -> Mapping[str, Mapping[str, str]]:
        types = self._files.get(service_name)
        if types is None:
            types = self._files[service_name] = joined(self._all(), service_name)
        return types

    def _all(self) -> list[Index]:
        if self._indexes is None:
            self._indexes = [Index(directory) for directory in self.search_paths]
        return self._indexes


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        data = file.read()
    if not path.endswith(".gz"):
        return data
    # The last four bytes are the size, so that there is one buffer, made once.
    return zlib.decompress(data, _GZIP, int.from_bytes(data[-4:], "little"))

"""Which model files there are: by a package's own record of its files, else by looking."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from botocore import __version__ as botocore_version

# Type -> version -> path, of one service.
Types = dict[str, dict[str, str]]

_EXTENSIONS = (".json", ".json.gz")


class Index:
    """The model files below one directory of the search path, by service.

    The data of botocore has some 430 directories: a package's record of its files, one file, says
    what is in them. What is not in a record is looked for when it is asked for. Lives as long as
    its catalogue.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._package = os.path.basename(os.path.dirname(directory))
        self._record = _record(os.path.dirname(directory))
        self._all: dict[str, Types] | None = None

    def services(self) -> Mapping[str, Types]:
        """All services that have models here, with their files."""
        if self._all is None:
            found: dict[str, Types] = {}
            for path in self._recorded("") or self._present(""):
                name, inside, rest = path.partition("/")
                if inside:
                    _add(found.setdefault(name, {}), rest, os.path.join(self._directory, path))
            self._all = found
        return self._all

    def types(self, service_name: str) -> Types:
        """The files of one service."""
        if self._all is not None:
            return self._all.get(service_name, {})
        types: Types = {}
        for path in self._recorded(f"{service_name}/") or self._present(f"{service_name}/"):
            _add(types, path.removeprefix(f"{service_name}/"), os.path.join(self._directory, path))
        return types

    def _recorded(self, below: str) -> list[str]:
        paths = []
        prefix = f"{self._package}/data/"
        at = self._record.find(prefix + below)
        while at >= 0:
            end = self._record.find(",", at)
            paths.append(self._record[at + len(prefix) : end])
            at = self._record.find(prefix + below, end)
        return paths

    def _present(self, below: str) -> list[str]:
        if not below:
            return [
                path for name in _entries(self._directory) for path in self._present(f"{name}/")
            ]
        top = os.path.join(self._directory, below)
        return [
            f"{below}{version}/{name}"
            for version in _entries(top)
            for name in _entries(os.path.join(top, version))
        ]


def _add(types: Types, rest: str, path: str) -> None:
    version, _, name = rest.partition("/")
    for extension in _EXTENSIONS:
        if name.endswith(extension) and "/" not in name:
            types.setdefault(name.removesuffix(extension), {}).setdefault(version, path)


def joined(indexes: Iterable[Index], service_name: str) -> Mapping[str, Mapping[str, str]]:
    """The files of one service, of each type and version the first on the search path."""
    types: Types = {}
    for index in indexes:
        for type_name, versions in index.types(service_name).items():
            types[type_name] = {**versions, **types.get(type_name, {})}
    return types


def _record(package: str) -> str:
    """The record that came with an installed package; empty where there is none.

    https://packaging.python.org/en/latest/specifications/recording-installed-packages/
    """
    # boto3 has the version of its botocore; of any other there is no record by this name.
    path = f"{package}-{botocore_version}.dist-info/RECORD"
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return ""


def _entries(directory: str) -> list[str]:
    # Asked first, because most directories of the search path are not there.
    return sorted(os.listdir(directory)) if os.path.isdir(directory) else []

"""The models of boto3's resources, loaded without a session."""

from __future__ import annotations

import os
from functools import cache

import boto3
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.waiter import WaiterModel

from asession._resources.service import ServiceDefinition

LOADER = Loader(extra_search_paths=[os.path.join(os.path.dirname(boto3.__file__), "data")])


def all_versions() -> list[tuple[str, str]]:
    """Every service with resources, in every version."""
    return [
        (service, version)
        for service in sorted(LOADER.list_available_services("resources-1"))
        for version in LOADER.list_api_versions(service, "resources-1")
    ]


def latest_version(service: str) -> str:
    """The newest version of a service's resources."""
    version: str = LOADER.determine_latest_version(service, "resources-1")
    return version


def waiter_model(service: str, version: str) -> WaiterModel:
    """The waiters of a service; some have none."""
    try:
        return WaiterModel(LOADER.load_service_model(service, "waiters-2", version))
    except UnknownServiceError:
        return WaiterModel({"version": 2, "waiters": {}})


@cache
def definition_of(service: str) -> ServiceDefinition:
    """The definition of a service in its newest version, always the same object."""
    version = latest_version(service)
    document = LOADER.load_service_model(service, "resources-1", version)
    return ServiceDefinition(service, version, document, waiter_model(service, version))

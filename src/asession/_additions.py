"""What this package adds to the resources of single services, put together from its rooms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from asession._resources.factory import Customisations
from asession._resources.open import open_resource as _open_resource
from asession.dynamodb.table import add_to_service, add_to_table
from asession.s3.extension import CUSTOMISATIONS as OF_S3

if TYPE_CHECKING:
    from asession._aws.backend import Backend

OF_RESOURCES: Customisations = {
    "dynamodb.ServiceResource": (add_to_service,),
    "dynamodb.Table": (add_to_table,),
    **OF_S3,
}
"""Always this object: the classes made with it are shared."""


async def open_resource(
    backend: Backend,
    service_name: str,
    api_version: str | None,
    config: Any,
    arguments: Mapping[str, Any],
) -> tuple[Any, Any]:
    """A resource with the additions of all rooms; see `asession._resources.open.open_resource`."""
    return await _open_resource(backend, service_name, api_version, config, arguments, OF_RESOURCES)

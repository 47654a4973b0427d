"""What the model files know: services, resources, partitions, regions; and reading them early."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asession._clients import LiveStates


class Available:
    """The part of a session that answers from model files; they are read in worker threads."""

    _live: LiveStates

    async def warm_up(self, *services: str) -> None:
        """Read now what the first client of each service would have to wait for.

        For start-up hooks; never needed for correctness. What is read is kept for the process and
        shared by all sessions. Nothing is connected and no credentials are asked for.

        Args:
            services: For example ``"s3", "dynamodb"``; without any, what they have in common.

        Raises:
            botocore.exceptions.UnknownServiceError: There is no such service.
            ProfileNotFoundError: The profile asked for does not exist.

        Example:
            await asession.warm_up("s3", "dynamodb")
        """
        async with self._live.held() as state:
            backend = await state.backend.get()
            await backend.warm_up(services)

    async def get_available_services(self) -> list[str]:
        """The names of the services that have clients, sorted."""
        services: list[str] = await self._from_catalogue("services", "service-2")
        return services

    async def get_available_resources(self) -> list[str]:
        """The names of the services that have resources, sorted."""
        resources: list[str] = await self._from_catalogue("services", "resources-1")
        return resources

    async def get_available_partitions(self) -> list[str]:
        """The names of the partitions, for example ``["aws", "aws-cn"]``."""
        resolver = await self._from_catalogue("resolver")
        return list(resolver.get_available_partitions())

    async def get_available_regions(
        self, service_name: str, partition_name: str = "aws", allow_non_regional: bool = False
    ) -> list[str]:
        """The regions in which a service is known to exist; more may.

        Args:
            service_name: For example ``"s3"``.
            partition_name: For example ``"aws-cn"``.
            allow_non_regional: Whether endpoints that are no regions are listed too.
        """
        async with self._live.held() as state:
            backend = await state.backend.get()
            return await backend.available_regions(service_name, partition_name, allow_non_regional)

    async def get_partition_for_region(self, region_name: str) -> str:
        """The partition of a region, for example ``"aws-cn"`` for ``"cn-north-1"``.

        Raises:
            botocore.exceptions.UnknownRegionError: No partition has such a region.
        """
        resolver = await self._from_catalogue("resolver")
        return str(resolver.get_partition_for_region(region_name))

    async def _from_catalogue(self, question: str, *args: Any) -> Any:
        async with self._live.held() as state:
            backend = await state.backend.get()
            return await getattr(backend.catalogue, question)(*args)

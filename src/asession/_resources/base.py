"""What every resource object is: awaitable, loaded on request, and clear about missing data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable
from types import TracebackType
from typing import Any, Self

from boto3.exceptions import ResourceLoadException
from boto3.resources.base import ServiceResource

from asession._once import Once
from asession.exceptions import ResourceNotLoadedError

Fetch = Callable[..., Awaitable[Any]]
"""Gets the data of the resource that is its first argument."""


class _Load:
    """One `load()` under way, shared by the tasks that asked for it with the same arguments."""

    __slots__ = ("arguments", "once")

    def __init__(self, arguments: tuple[Any, ...], compute: Callable[[], Awaitable[None]]) -> None:
        self.arguments = arguments
        self.once = Once(compute)


class AsyncServiceResource(ServiceResource):
    """The base of all resource classes: boto3's `ServiceResource` on top of an async client.

    Lives as long as its owner likes and holds nothing open; works while its client is open.
    """

    _load_under_way: _Load | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # boto3 would make a client of its own here, a sync one.
        if kwargs.get("client") is None:
            raise TypeError(
                f"{type(self).__name__} needs an async client: make it from another resource, "
                "for example `s3.Bucket(...)`, or pass client="
            )
        super().__init__(*args, **kwargs)

    def __await__(self) -> Generator[Any, Any, Self]:
        """Awaiting a resource returns it unchanged: there is nothing to wait for."""
        yield from ()
        return self


class AsyncRootResource(AsyncServiceResource):
    """The base of what `session.resource(...)` opens; closed with its client.

    Its block, or its session, closes it. By hand, as after aioboto3's
    ``await session.resource("s3").__aenter__()``, `close` does, or leaving it as a block.
    """

    meta: Any

    async def close(self) -> None:
        """Close the client underneath, and all resources with it; again does nothing."""
        await self.meta.client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.meta.client.__aexit__(kind, error, traceback)


def load_method(fetch: Fetch) -> Callable[..., Awaitable[Any]]:
    """A `load()` that keeps what `fetch` returns as the data of the resource.

    Tasks that load one resource at the same time, with the same arguments, make one call; a load
    after that calls again.
    """

    async def load(resource: Any, /, *args: Any, **kwargs: Any) -> Any:
        arguments = (args, kwargs)
        under_way: _Load | None = resource._load_under_way
        if under_way is None or under_way.arguments != arguments:

            async def compute() -> None:
                data = await fetch(resource, *args, **kwargs)
                newest = resource._load_under_way is mine
                # A load that an action or a newer load has overtaken must not bring back old data,
                # but its callers are entitled to some.
                if newest or resource.meta.data is None:
                    resource.meta.data = data
                if newest:
                    resource._load_under_way = None

            mine = under_way = resource._load_under_way = _Load(arguments, compute)
        await under_way.once.get()
        return resource

    return load


def forget_data(resource: Any) -> None:
    """Drop the data of a resource that an action may have changed, if it can be loaded again."""
    if hasattr(resource, "load"):
        resource.meta.data = None
        resource._load_under_way = None


def needs_data(parameters: Iterable[Any]) -> bool:
    """Whether any of these parameters or identifiers is taken from the data of a resource."""
    return any(parameter.source == "data" for parameter in parameters)


def require_data(resource: Any, attribute: str) -> None:
    """Check that a resource has data, for a plain attribute that cannot await it.

    Raises:
        ResourceNotLoadedError: It has none, but could load it.
        ResourceLoadException: It has none, and cannot load any.
    """
    if resource.meta.data is not None:
        return
    if hasattr(resource, "load"):
        raise ResourceNotLoadedError(resource=repr(resource), attribute=attribute)
    raise _cannot_load(resource)


async def ensure_data(resource: Any, parameters: Iterable[Any]) -> None:
    """Load a resource if one of these parameters needs its data and it has none.

    Raises:
        ResourceLoadException: It has none, and cannot load any.
    """
    if resource.meta.data is None and needs_data(parameters):
        if not hasattr(resource, "load"):
            raise _cannot_load(resource)
        await resource.load()


def _cannot_load(resource: Any) -> ResourceLoadException:
    return ResourceLoadException(
        f"{type(resource).__name__} has no load method: its data comes with the action or "
        "collection that returns it"
    )

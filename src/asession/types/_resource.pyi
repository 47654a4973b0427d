"""What all resources and all collections have; the modules beside this one have the rest."""

from collections.abc import Generator
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from asession._iteration import Iteration

Client_co = TypeVar("Client_co", covariant=True)
Collection_co = TypeVar("Collection_co", covariant=True)
Item_co = TypeVar("Item_co", covariant=True)
Item = TypeVar("Item")

class ResourceMeta(Generic[Client_co]):
    """What a resource knows of itself: `resource.meta`."""

    service_name: str
    identifiers: list[str]
    data: Any
    resource_model: Any
    @property
    def client(self) -> Client_co: ...

class Resource:
    """The base of all resource classes."""

    def __await__(self) -> Generator[Any, Any, Self]: ...
    def __hash__(self) -> int: ...
    def get_available_subresources(self) -> list[str]: ...

class RootResource(Resource):
    """The base of what `resource()` opens."""

    async def close(self) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

class CollectionManager(Generic[Collection_co, Item]):
    """A collection as an attribute of a resource; not iterable itself."""

    def all(self) -> Collection_co: ...
    def limit(self, count: int) -> Collection_co: ...
    def page_size(self, count: int) -> Collection_co: ...
    def pages(self) -> Iteration[list[Item]]: ...

class Collection(Generic[Item]):
    """A view of a collection, for `async for`."""

    def __aiter__(self) -> Iteration[Item]: ...

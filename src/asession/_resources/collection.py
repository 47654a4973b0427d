"""Collections of resources, iterated with `async for`, item by item or page by page."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, NoReturn, cast

from boto3.resources.collection import CollectionFactory, CollectionManager, ResourceCollection
from boto3.resources.params import create_request_parameters

from asession._iteration import Iteration
from asession._resources._upstream import merge_dicts
from asession._resources.action import AsyncBatchAction
from asession._resources.base import ensure_data
from asession._resources.naming import named_after


class AsyncResourceCollection(ResourceCollection):
    """A filtered view of the resources that belong to another; immutable, holds nothing open."""

    _model: Any
    _parent: Any
    _handler: Any
    _params: dict[str, Any]
    _py_operation_name: str

    def __aiter__(self) -> Iteration[Any]:
        return Iteration(self._items())

    def __iter__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is iterated with `async for`")

    def pages(self) -> Iteration[list[Any]]:
        """Iterate by pages: one list of resources for each response of the service.

        Example:
            async for page in bucket.objects.pages():
                print(len(page))
        """
        return Iteration(self._pages())

    async def _items(self) -> AsyncGenerator[Any]:
        async with aclosing(self._pages()) as pages:
            async for page in pages:
                for item in page:
                    yield item

    async def _pages(self) -> AsyncGenerator[list[Any]]:
        filters = dict(self._params)
        limit = filters.pop("limit", None)
        page_size = filters.pop("page_size", None)
        parent = self._parent
        await ensure_data(parent, self._model.request.params)
        params = create_request_parameters(parent, self._model.request)
        merge_dicts(params, filters, append_lists=True)
        count = 0
        async with aclosing(self._responses(params, limit, page_size)) as responses:
            async for response in responses:
                await ensure_data(parent, self._model.resource.identifiers)
                page = list(self._handler(parent, params, response))
                if limit is not None:
                    page = page[: limit - count]
                    count += len(page)
                yield page
                if limit is not None and count >= limit:
                    return

    async def _responses(
        self, params: dict[str, Any], limit: int | None, page_size: int | None
    ) -> AsyncGenerator[Any]:
        client = self._parent.meta.client
        if not client.can_paginate(self._py_operation_name):
            yield await getattr(client, self._py_operation_name)(**params)
            return
        config = {"MaxItems": limit, "PageSize": page_size}
        paginator = client.get_paginator(self._py_operation_name)
        # aiobotocore's page iterator is no generator itself, but iterating it makes one.
        generator = aiter(paginator.paginate(PaginationConfig=config, **params))
        async with aclosing(generator) as responses:
            async for response in responses:
                yield response


class AsyncCollectionManager(CollectionManager):
    """The collection as an attribute of a resource: `all()`, `filter()` and so on start from it."""

    def __aiter__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} is not iterable itself: use `async for item in "
            "<collection>.all()`, or filter(), limit(), page_size(), pages()"
        )

    def pages(self) -> Iteration[list[Any]]:
        """Iterate by pages: one list of resources for each response of the service."""
        return cast(AsyncResourceCollection, self.iterator()).pages()


class AsyncCollectionFactory(CollectionFactory):
    """Makes the collection classes of one service; lives as long as its `ResourceFactory`."""

    def load_from_definition(self, *args: Any, **kwargs: Any) -> Any:
        """Build boto3's manager and collection classes, and put the async ones on top."""
        manager: Any = super().load_from_definition(*args, **kwargs)
        collection: Any = manager._collection_cls
        # Without these, `help` would show those of the bases, which are about all collections.
        doc = "A view of a collection; immutable. Iterate it with `async for`, or by `pages()`."
        view = type(collection.__name__, (AsyncResourceCollection, collection), {"__doc__": doc})
        doc = "A collection: `async for item in all()`, or filter(), limit(), page_size(), pages()."
        attributes = {"_collection_cls": view, "__doc__": doc}
        return type(manager.__name__, (AsyncCollectionManager, manager), attributes)

    def _create_batch_action(
        self, resource_name: str, snake_cased: str, action_model: Any, *args: Any
    ) -> Any:
        upstream: Any = super()
        documented = upstream._create_batch_action(resource_name, snake_cased, action_model, *args)
        action = AsyncBatchAction(action_model)

        async def batch_action(collection: Any, /, *args: Any, **kwargs: Any) -> list[Any]:
            return await action(collection, *args, **kwargs)

        return named_after(documented, batch_action)

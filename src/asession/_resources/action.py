"""Awaited calls: actions of a resource, batch actions of a collection, waiters."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from boto3.resources.action import BatchAction, ServiceAction, WaiterAction
from boto3.resources.params import create_request_parameters

from asession._resources._upstream import xform_name
from asession._resources.base import ensure_data


class AsyncServiceAction(ServiceAction):
    """One action of a resource class, shared by its instances; lives as long as the class."""

    _action_model: Any
    _response_handler: Any

    async def __call__(self, parent: Any, *args: Any, **kwargs: Any) -> Any:
        """Call the operation and return its response, or the resources it is about."""
        request = self._action_model.request
        await ensure_data(parent, request.params)
        params = create_request_parameters(parent, request)
        params.update(kwargs)
        operation = getattr(parent.meta.client, xform_name(request.operation))
        response = await operation(*args, **params)
        if self._action_model.resource:
            await ensure_data(parent, self._action_model.resource.identifiers)
        return self._response_handler(parent, params, response)


class AsyncBatchAction(BatchAction):
    """One batch action of a collection class; lives as long as the class."""

    _action_model: Any
    _response_handler: Any

    async def __call__(self, parent: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """Call the operation once for each page of the collection and return the responses."""
        request = self._action_model.request
        responses: list[Any] = []
        async with aclosing(parent.pages()) as pages:
            async for page in pages:
                params: dict[str, Any] = {}
                for index, resource in enumerate(page):
                    await ensure_data(resource, request.params)
                    create_request_parameters(resource, request, params=params, index=index)
                if not params:
                    break
                params.update(kwargs)
                operation = getattr(page[0].meta.client, xform_name(request.operation))
                response = await operation(*args, **params)
                responses.append(self._response_handler(parent, params, response))
        return responses


class AsyncWaiterAction(WaiterAction):
    """One waiter of a resource class, shared by its instances; lives as long as the class."""

    _waiter_model: Any

    async def __call__(self, parent: Any, *args: Any, **kwargs: Any) -> None:
        """Poll until the resource is in the state that the waiter is about."""
        await ensure_data(parent, self._waiter_model.params)
        params = create_request_parameters(parent, self._waiter_model)
        params.update(kwargs)
        waiter: Any = parent.meta.client.get_waiter(xform_name(self._waiter_model.waiter_name))
        await waiter.wait(**params)

"""Events that call their handlers without asking each result whether it can be awaited."""

from __future__ import annotations

import logging
from types import CoroutineType
from typing import Any

from aiobotocore._helpers import resolve_awaitable
from aiobotocore.hooks import AioHierarchicalEmitter

# Where botocore logs its events: whoever turned that on still sees them.
_logger = logging.getLogger("botocore.hooks")


class EventEmitter(AioHierarchicalEmitter):
    """aiobotocore's emitter, faster: a request emits 10 events to about 30 handlers.

    Almost every handler returns `None` or a coroutine of its own; only another answer is inspected.
    The session has one and each client a copy, which lives as long as the client; nothing needs
    closing.
    """

    async def _emit(
        self, event_name: str, kwargs: dict[str, Any], stop_on_response: bool = False
    ) -> list[tuple[Any, Any]]:
        handlers = self._lookup_cache.get(event_name)
        if handlers is None:
            # Never changed in place: copies of this emitter share the cache until one registers.
            handlers = self._lookup_cache[event_name] = self._handlers.prefix_search(event_name)
        responses: list[tuple[Any, Any]] = []
        if not handlers:
            return responses
        kwargs["event_name"] = event_name
        debug = _logger.isEnabledFor(logging.DEBUG)
        for handler in handlers:
            if debug:
                _logger.debug("Event %s: calling handler %s", event_name, handler)
            response = handler(**kwargs)
            if response is not None:
                if type(response) is CoroutineType:
                    response = await response
                else:
                    response = await resolve_awaitable(response)
            responses.append((handler, response))
            if stop_on_response and response is not None:
                break
        return responses

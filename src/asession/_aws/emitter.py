"""The events of sessions and clients: cheap to copy, and handlers called without inspection."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from types import CoroutineType, FunctionType, MethodType
from typing import Any

from aiobotocore._helpers import resolve_awaitable
from aiobotocore.hooks import AioHierarchicalEmitter
from botocore.hooks import EventAliaser
from botocore.utils import EVENT_ALIASES

from asession._aws.trie import Handler, HandlerTrie

# Where botocore logs its events: whoever turned that on still sees them.
_logger = logging.getLogger("botocore.hooks")

_TAKES_KEYWORDS = 0x08  # inspect.CO_VARKEYWORDS, without importing inspect for it
_LIMIT = 4096  # names remembered; a process emits a few per operation in use

_WORDS = frozenset(name for name in EVENT_ALIASES if "." not in name)
_PHRASES = tuple(name for name in EVENT_ALIASES if "." in name)

_aliases: dict[str, str] = {}
_aliaser = EventAliaser(None)


def alias(event_name: str) -> str:
    """The name under which an event is known today: ``before-call.s3control`` and the like."""
    name = _aliases.get(event_name)
    if name is None:
        if len(_aliases) >= _LIMIT:
            _aliases.clear()
            _aliaser._alias_name_cache.clear()
        name = _aliases[event_name] = _find(event_name)
    return name


def _find(event_name: str) -> str:
    # Upstream goes through all aliases word by word; almost no name has one.
    if _WORDS.isdisjoint(event_name.split(".")) and not any(map(event_name.count, _PHRASES)):
        return event_name
    return str(_aliaser._alias_event_name(event_name))


class EventEmitter(AioHierarchicalEmitter):
    """aiobotocore's emitter, faster: a request emits 10 events to about 30 handlers.

    A copy shares the handlers with its original until one of them registers another. Old names of
    events are understood. Almost every handler returns `None` or a coroutine of its own; only
    another answer is inspected.

    The process has one with botocore's handlers, each session a copy of that and each client a
    copy of its session's, which lives as long as the client; nothing needs closing.
    """

    _handlers: HandlerTrie
    # By event: its present name and its handlers. Copies share it until one of them registers.
    _lookup_cache: dict[str, tuple[str, list[Handler]]]

    def __init__(self) -> None:
        super().__init__()
        self._handlers = HandlerTrie()

    @property
    def handlers(self) -> HandlerTrie:
        """All handlers as they are now; equal to those of a copy that registered no other."""
        return copy.copy(self._handlers)

    def handlers_of(self, event_name: str) -> list[Handler]:
        """The handlers of an event, in the order in which they are called."""
        return self._look_up(event_name)[1]

    def _look_up(self, event_name: str) -> tuple[str, list[Handler]]:
        found = self._lookup_cache.get(event_name)
        if found is None:
            name = alias(event_name)
            found = self._lookup_cache[event_name] = name, self._handlers.prefix_search(name)
        return found

    def emit(self, event_name: str, **kwargs: Any) -> Any:
        """Call the handlers of an event.

        Returns:
            An awaitable list of the handlers and their answers; the list itself for the events of
            docstrings (`docs.*`), which upstream emits without awaiting.
        """
        if event_name.startswith("docs."):
            return self._emit_in_help(event_name, kwargs)
        return self._emit(event_name, kwargs)

    def _emit_in_help(self, event_name: str, kwargs: dict[str, Any]) -> Any:
        # Docstrings are written when they are read, where nobody can wait for a handler.
        name, handlers = self._look_up(event_name)
        return [(handler, handler(**kwargs, event_name=name)) for handler in handlers]

    async def _emit(
        self, event_name: str, kwargs: dict[str, Any], stop_on_response: bool = False
    ) -> list[tuple[Any, Any]]:
        name, handlers = self._lookup_cache.get(event_name) or self._look_up(event_name)
        if not handlers:
            return []
        return await self.call(handlers, name, kwargs, stop_on_response)

    async def call(
        self,
        handlers: list[Handler],
        event_name: str,
        kwargs: dict[str, Any],
        stop_on_response: bool = False,
    ) -> list[tuple[Any, Any]]:
        """Call some of the handlers of an event; returns them with what they answer."""
        responses: list[tuple[Any, Any]] = []
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

    def _verify_and_register(
        self,
        event_name: str,
        handler: Handler,
        unique_id: Any,
        register_method: Callable[..., None],
        unique_id_uses_count: bool,
    ) -> None:
        super()._verify_and_register(
            alias(event_name), handler, unique_id, register_method, unique_id_uses_count
        )

    def _verify_accept_kwargs(self, func: Handler) -> None:
        # Inspecting a signature takes 40 us; a plain function tells by itself.
        function = func.__func__ if type(func) is MethodType else func
        plain = type(function) is FunctionType and not hasattr(function, "__wrapped__")
        if not plain or not function.__code__.co_flags & _TAKES_KEYWORDS:
            super()._verify_accept_kwargs(func)

    def unregister(
        self,
        event_name: str,
        handler: Handler | None = None,
        unique_id: Any = None,
        unique_id_uses_count: bool = False,
    ) -> None:
        """Remove a handler; nothing happens if it is not registered."""
        super().unregister(alias(event_name), handler, unique_id, unique_id_uses_count)

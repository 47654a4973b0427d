"""The handlers a user registers on a session, kept as a log that each live session replays."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Handler = Callable[..., Any]
Action = Literal["register", "register_first", "register_last", "unregister"]

RESOURCE_EVENTS = "creating-resource-class"


@dataclass(frozen=True, slots=True)
class Registration:
    """One call of `SessionEvents`, to be repeated on an emitter."""

    action: Action
    event_name: str
    handler: Handler | None
    unique_id: Any
    unique_id_uses_count: bool

    def is_taken_back_by(self, other: Registration) -> bool:
        """Whether `other` unregisters this."""
        if other.event_name != self.event_name:
            return False
        if other.unique_id is not None:
            return bool(other.unique_id == self.unique_id)
        return other.handler == self.handler

    def apply(self, emitter: Any) -> None:
        """Repeat the call on `emitter`."""
        getattr(emitter, self.action)(
            self.event_name,
            self.handler,
            unique_id=self.unique_id,
            unique_id_uses_count=self.unique_id_uses_count,
        )


class SessionEvents:
    """The event handlers of a session, with botocore's names.

    Registering is sync and does no I/O; a handler may be a function or a coroutine function, must
    accept `**kwargs`, and affects the clients and resources made afterwards. Lives as long as its
    session; nothing needs closing.

    Handlers of ``creating-resource-class.*`` run while a class is built: plain functions only.

    Example:
        session.events.register("before-call.s3", handler)
    """

    __slots__ = ("_log",)

    def __init__(self, log: list[Registration] | None = None) -> None:
        self._log: list[Registration] = [] if log is None else log

    def register(
        self,
        event_name: str,
        handler: Handler,
        unique_id: Any = None,
        unique_id_uses_count: bool = False,
    ) -> None:
        """Call `handler` at each event of that name, in the order of registration.

        Raises:
            ValueError: `handler` is not callable or does not accept `**kwargs`.
            TypeError: `handler` is async and the event must be handled by a plain function.
        """
        self._register("register", event_name, handler, unique_id, unique_id_uses_count)

    def register_first(
        self,
        event_name: str,
        handler: Handler,
        unique_id: Any = None,
        unique_id_uses_count: bool = False,
    ) -> None:
        """Like `register`, before the handlers registered otherwise."""
        self._register("register_first", event_name, handler, unique_id, unique_id_uses_count)

    def register_last(
        self,
        event_name: str,
        handler: Handler,
        unique_id: Any = None,
        unique_id_uses_count: bool = False,
    ) -> None:
        """Like `register`, after the handlers registered otherwise."""
        self._register("register_last", event_name, handler, unique_id, unique_id_uses_count)

    def unregister(
        self,
        event_name: str,
        handler: Handler | None = None,
        unique_id: Any = None,
        unique_id_uses_count: bool = False,
    ) -> None:
        """Take a handler back, named by itself or by its `unique_id`; unknown ones are ignored."""
        self._log.append(
            Registration("unregister", event_name, handler, unique_id, unique_id_uses_count)
        )

    def _register(
        self, action: Action, event_name: str, handler: Handler, unique_id: Any, counted: bool
    ) -> None:
        _check(event_name, handler)
        self._log.append(Registration(action, event_name, handler, unique_id, counted))

    def copy(self) -> SessionEvents:
        """An independent log with the same handlers."""
        return SessionEvents(list(self._log))

    def check_picklable(self) -> None:
        """Make sure that nothing is lost when the session travels.

        Raises:
            pickle.PicklingError: There are handlers.
        """
        if self.in_force():
            raise pickle.PicklingError(
                "a Session pickles as its arguments, and handlers registered on session.events "
                "cannot travel: register them where the session is used"
            )

    def in_force(self) -> list[Registration]:
        """What was registered and not taken back, in order."""
        active: list[Registration] = []
        for entry in self._log:
            if entry.action != "unregister":
                active.append(entry)
                continue
            active = [other for other in active if not other.is_taken_back_by(entry)]
        return active

    def since(self, position: int) -> list[Registration]:
        """The registrations from `position` on."""
        return self._log[position:]

    def __len__(self) -> int:
        return len(self._log)

    def __repr__(self) -> str:
        return f"<SessionEvents with {len(self._log)} registrations>"


def _check(event_name: str, handler: Handler) -> None:
    if not callable(handler):
        raise ValueError(f"event handler {handler!r} for {event_name!r} must be callable")
    try:
        parameters = inspect.signature(handler).parameters.values()
    except (TypeError, ValueError):
        parameters = None  # a builtin that does not tell
    if parameters is not None and not any(p.kind is p.VAR_KEYWORD for p in parameters):
        raise ValueError(f"event handler {handler!r} for {event_name!r} must accept **kwargs")
    is_async = inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(
        getattr(handler, "__call__", None)  # noqa: B004
    )
    if is_async and event_name.partition(".")[0] == RESOURCE_EVENTS:
        raise TypeError(
            f"event handler {handler!r} for {event_name!r} must be a plain function: resource "
            "classes are built without awaiting"
        )

"""The session of one request: checked, asked of its factory, put in force."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ParamSpec

from asession._default import use_session
from asession.session import Session

P = ParamSpec("P")


def check_given(given: object) -> None:
    """Refuse what is neither a session nor a function that returns one.

    Raises:
        TypeError: It is something else, and what to give instead.
    """
    if inspect.isgeneratorfunction(given) or inspect.isasyncgenfunction(given):
        raise TypeError(
            f"{_name(given)} is a generator function: give a function that returns the session "
            "(enter=True enters it for the request)"
        )
    if isinstance(given, type) and issubclass(given, Session):
        raise TypeError(f"give a session, {given.__name__}(...), not the class")
    if not isinstance(given, Session) and not callable(given):
        raise TypeError(
            f"give a Session or a function that returns one, not {type(given).__qualname__}"
        )


async def ask(
    factory: Callable[P, Session | Awaitable[Session]], *args: P.args, **kwargs: P.kwargs
) -> Session:
    """The session that a factory has for a request.

    Raises:
        TypeError: It returned something else. `None` too: a tenant nobody knows must not be served
            with the identity of the process.
        Exception: What the factory raised.
    """
    made = factory(*args, **kwargs)
    if not isinstance(made, Session) and inspect.isawaitable(made):
        made = await made
    if not isinstance(made, Session):
        raise TypeError(
            f"the session factory {_name(factory)} returned {type(made).__qualname__}, not a "
            "Session; for a request without a session of its own return asession.current_session()"
        )
    return made


@asynccontextmanager
async def in_force(session: Session, enter: bool) -> AsyncGenerator[None, None]:
    """Make the session the current one of the running task, entered or not, for the block."""
    if enter:
        async with session:
            yield
    else:
        with use_session(session):
            yield


def _name(thing: object) -> str:
    return str(getattr(thing, "__qualname__", type(thing).__qualname__))

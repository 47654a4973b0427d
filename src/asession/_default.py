"""The session in force where nobody names one: the current session of the task, or the default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from asession._runtime.forks import ProcessLock
from asession._scope import Frame, choose, current_frame, leave, push
from asession.session import Session

if TYPE_CHECKING:
    from types import TracebackType


_default: Session | None = None
_lock = ProcessLock()


def setup_default_session(*args: Any, **kwargs: Any) -> None:
    """Replace the default session of the process; no I/O is done.

    There is no need to call this unless the default session should have arguments.

    Args:
        args: Positional arguments of `Session`.
        kwargs: Keyword arguments of `Session`.
    """
    global _default
    session = Session(*args, **kwargs)
    with _lock:
        _default = session


def _default_session() -> Session:
    global _default
    with _lock:
        if _default is None:
            _default = Session()
        return _default


def current_session() -> Session:
    """The session entered or put in force around this task, else the default session.

    The default session is made when it is first needed and is never entered.
    """
    frame = current_frame()
    return _default_session() if frame is None else cast("Session", frame.session)


async def warm_up(*services: str) -> None:
    """`Session.warm_up` of the current session.

    Args:
        services: For example ``"s3", "dynamodb"``.
    """
    await current_session().warm_up(*services)


class use_session:  # noqa: N801 - read as a statement: `with use_session(session):`
    """Makes a session the current one for a block, without entering it; in sync code too.

    Lives for the block; nothing is opened and nothing closed.

    Args:
        session: The session to put in force.

    Example:
        with use_session(tenant_session):
            async with asession.client("s3") as s3: ...
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._frames: list[Frame[Session]] = []

    def __enter__(self) -> Session:
        self._frames.append(push(self._session))
        return self._session

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        frame = choose(self._frames)
        if frame is not None:
            self._frames.remove(frame)
            leave(frame)

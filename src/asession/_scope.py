"""Which session is current in this task: linked frames on one context variable.

Theory of operation. Entering a session pushes a `Frame` onto the context's chain; leaving marks the
frame exited. A context variable is copied into child tasks and threads, so a child starts with its
parent's frame and siblings never see each other's. A frame can be left in another context than the
one it was pushed in (another task, a generator closed by the garbage collector); then the opener
still holds it, exited. Reading therefore skips frames that are exited *and* owned by the reading
task: the opener sees its parent. A child that outlives the scope holds the same exited frame but
does not own it, so it keeps its session. `ContextVar.reset` is never used: it fails in exactly
these cases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Generic, TypeVar
from weakref import ref

from asession._runtime.loops import LoopToken, current_task, is_done

S = TypeVar("S")


class Frame(Generic[S]):
    """One entry of one session; lives as long as a context or a later frame refers to it."""

    __slots__ = ("_owner", "exited", "loop", "parent", "session")

    def __init__(self, session: S, parent: Frame[S] | None, loop: LoopToken | None) -> None:
        self.session = session
        self.parent = parent
        self.loop = loop
        self.exited = False
        task = current_task()
        self._owner = None if task is None else ref(task)

    @property
    def is_mine(self) -> bool:
        """Whether the running task pushed the frame; outside event loops, whether no task did."""
        return (None if self._owner is None else self._owner()) is current_task()

    @property
    def is_orphan(self) -> bool:
        """Whether the task that pushed the frame has ended."""
        task = None if self._owner is None else self._owner()
        return self._owner is not None and (task is None or is_done(task))

    def __repr__(self) -> str:
        return f"<Frame of {self.session!r}{', exited' if self.exited else ''}>"


_current: ContextVar[Frame[object] | None] = ContextVar("asession_frame", default=None)


def _visible(frame: Frame[object] | None) -> Frame[object] | None:
    while frame is not None and frame.exited and frame.is_mine:
        frame = frame.parent
    return frame


def current_frame() -> Frame[object] | None:
    """The frame in force for the running task, or `None`."""
    return _visible(_current.get())


def push(session: S, loop: LoopToken | None) -> Frame[S]:
    """Make `session` the current one in this context.

    Args:
        session: What to make current.
        loop: The event loop the entry belongs to; `None` for a scope without live state.
    """
    frame: Frame[S] = Frame(session, current_frame(), loop)  # type: ignore[arg-type]
    _current.set(frame)  # type: ignore[arg-type]
    return frame


def leave(frame: Frame[S]) -> None:
    """Mark a frame exited and, where it is this context's current one, go back to its parent."""
    frame.exited = True
    if _current.get() is frame:
        _current.set(_visible(frame.parent))  # type: ignore[arg-type]
        if frame.is_mine:
            # Nobody reads through this frame any more; do not keep a chain of dead scopes alive.
            frame.parent = None


def choose(frames: Iterable[Frame[S]]) -> Frame[S] | None:
    """The frame that a leaving task most likely means, of several open ones of one session.

    Its own innermost frame; else one whose task has ended; else one of its context; else the
    newest.
    """
    open_frames = list(frames)
    inherited = [frame for frame in _chain() if frame in open_frames]
    mine = [frame for frame in inherited if frame.is_mine]
    orphans = [frame for frame in open_frames if frame.is_orphan]
    for candidates in (mine, orphans, inherited, open_frames[::-1]):
        if candidates:
            return candidates[0]  # type: ignore[return-value]
    return None


def _chain() -> Iterator[Frame[object]]:
    frame = _current.get()
    while frame is not None:
        yield frame
        frame = frame.parent

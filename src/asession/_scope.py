"""Which session is current in this task: linked frames on one context variable.

Theory of operation. Entering a session pushes a `Frame` onto the context's chain; leaving marks the
frame exited. A context variable is copied into child tasks and threads, so a child starts with its
parent's frame and siblings never see each other's. A frame can be left in another context than the
one it was pushed in (another task, a generator closed by the garbage collector); then the opener
still holds it, exited. Reading therefore skips frames that are exited *and* owned by the reading
task, and mends the context: the opener sees its parent, and so do the children it starts next. A
child that outlives the scope holds the same exited frame but does not own it, so it keeps its
session. `ContextVar.reset` is never used: it fails in exactly these cases.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from types import FrameType
from typing import Generic, TypeVar
from weakref import ref

from asession._runtime.loops import current_task, is_done

S = TypeVar("S")


class Frame(Generic[S]):
    """One entry of one session; lives as long as a context or a later frame refers to it."""

    __slots__ = ("_owner", "_site", "exited", "parent", "session")

    def __init__(self, session: S, parent: Frame[S] | None, site: FrameType | None) -> None:
        self.session = session
        self.parent = parent
        self.exited = False
        self._owner = ref(_owner())
        self._site = _site(site)

    @property
    def is_mine(self) -> bool:
        """Whether the running task pushed the frame, or, outside event loops, this thread."""
        return self._owner() is _owner()

    @property
    def is_orphan(self) -> bool:
        """Whether the task or thread that pushed the frame has ended."""
        owner = self._owner()
        if owner is None:
            return True
        return not owner.is_alive() if isinstance(owner, threading.Thread) else is_done(owner)

    def has_owner_of(self, other: Frame[S]) -> bool:
        """Whether the same task pushed both."""
        return self._owner() is other._owner()

    def is_from(self, site: FrameType | None) -> bool:
        """Whether the frame was pushed by that very run of that very function."""
        return site is not None and self._site == _site(site)

    def __repr__(self) -> str:
        return f"<Frame of {self.session!r}{', exited' if self.exited else ''}>"


def _owner() -> object:
    task = current_task()
    return threading.current_thread() if task is None else task


def _site(site: FrameType | None) -> tuple[int, object] | None:
    # Not the frame itself, which would keep its variables alive. The code guards against an id
    # used again: a function that has a session open is still there, and so is its frame.
    return None if site is None else (id(site), site.f_code)


_current: ContextVar[Frame[object] | None] = ContextVar("asession_frame", default=None)


def _visible(frame: Frame[object] | None) -> Frame[object] | None:
    while frame is not None and frame.exited and frame.is_mine:
        frame = frame.parent
    return frame


def current_frame() -> Frame[object] | None:
    """The frame in force for the running task, or `None`."""
    held = _current.get()
    frame = _visible(held)
    if frame is not held:
        _current.set(frame)
    return frame


def push(session: S, site: FrameType | None = None) -> Frame[S]:
    """Make `session` the current one in this context.

    Args:
        session: What to make current.
        site: The run of the function that enters, to know it again when it leaves.
    """
    frame: Frame[S] = Frame(session, current_frame(), site)  # type: ignore[arg-type]
    _current.set(frame)  # type: ignore[arg-type]
    return frame


def leave(frame: Frame[S]) -> None:
    """Mark a frame exited and, where it is this context's current one, go back to its parent."""
    frame.exited = True
    at_home = _current.get() is frame and frame.is_mine
    if _current.get() is frame:
        _current.set(_visible(frame.parent))  # type: ignore[arg-type]
    # Only its owner reads past an exited frame, to its parent. What is left behind must not become
    # a chain of dead scopes, which would grow with every task that starts the next.
    if frame.is_orphan:
        frame.parent = None
    while (
        frame.parent is not None
        and frame.parent.exited
        and (at_home or frame.parent.has_owner_of(frame))
    ):
        frame.parent = frame.parent.parent


def choose(frames: Iterable[Frame[S]], site: FrameType | None = None) -> Frame[S] | None:
    """The frame that is being left, of several open ones of one session.

    The one pushed by this run of this function. Where there is none (exit stacks, wrappers), what
    is most likely meant: the task's own innermost frame; else one whose task has ended; else one of
    its context; else the newest.
    """
    open_frames = list(frames)
    inherited = [frame for frame in _chain() if frame in open_frames]
    for candidates in (
        [frame for frame in open_frames[::-1] if frame.is_from(site)],
        [frame for frame in inherited if frame.is_mine],
        [frame for frame in open_frames[::-1] if frame.is_mine],
        [frame for frame in open_frames if frame.is_orphan],
        inherited,
        open_frames[::-1],
    ):
        if candidates:
            return candidates[0]  # type: ignore[return-value]
    return None


def _chain() -> Iterator[Frame[object]]:
    frame = _current.get()
    while frame is not None:
        yield frame
        frame = frame.parent

"""Records which thread touches which file, to prove that an event loop never does."""

from __future__ import annotations

import contextlib
import genericpath
import linecache
import os
import posixpath
import ssl
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import pytest

_AUDITED = frozenset({"open", "os.listdir", "os.scandir"})
_STAT_CALLS = ("stat", "lstat", "access")
_PATH_CALLS = ("exists", "isfile", "isdir")
_TLS_CALLS = (
    "load_verify_locations",
    "load_cert_chain",
    "load_default_certs",
    "set_default_verify_paths",
)
_DEPTH = 14
# asyncio's debug mode notes where each callback comes from, which looks at source files.
IGNORED = (f"({linecache.__file__}:",)


@dataclass(frozen=True, slots=True)
class FileEvent:
    """One touch of the file system; a value.

    Attributes:
        call: For example ``"open"`` or ``"os.path.isfile"``.
        path: What was touched, as text; for TLS calls the arguments.
        thread: The ident of the thread.
        stack: Who asked, innermost first: ``"function (path of the file:line)"``.
    """

    call: str
    path: str
    thread: int
    stack: tuple[str, ...]

    def comes_from(self, *snippets: str) -> bool:
        """Whether a line of the stack contains one of the snippets."""
        return any(snippet in line for line in self.stack for snippet in snippets)

    def __str__(self) -> str:
        return "\n    ".join((f"{self.call} {self.path}", *self.stack))


class FileWatch:
    """Records while its `with` block runs; one test's, usable for several blocks.

    Only one watch records at a time. Events of all threads are kept; `on_thread` selects.

    Example:
        with file_watch:
            await session.resolve()
        assert file_watch.on_thread(threading.get_ident()) == []
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: list[FileEvent] = []
        self._patches: contextlib.ExitStack | None = None

    @property
    def events(self) -> list[FileEvent]:
        """A copy of what was recorded so far."""
        with self._lock:
            return list(self._events)

    def on_thread(self, ident: int, ignore: Sequence[str] = IGNORED) -> list[FileEvent]:
        """The events of one thread, in order.

        Args:
            ignore: Leaves out events with one of these snippets in their stack.
        """
        mine = (event for event in self.events if event.thread == ident)
        return [event for event in mine if not event.comes_from(*ignore)]

    def clear(self) -> None:
        """Forget what was recorded."""
        with self._lock:
            self._events.clear()

    def __enter__(self) -> FileWatch:
        if _RECORDING.watch is not None:
            raise RuntimeError("another watch is recording")
        _RECORDING.install()
        with contextlib.ExitStack() as stack:
            stack.enter_context(_wrapped_functions())
            self._patches = stack.pop_all()
        _RECORDING.watch = self
        return self

    def __exit__(self, *_: object) -> None:
        _RECORDING.watch = None
        assert self._patches is not None
        self._patches.close()

    def add(self, call: str, path: str, frame: FrameType | None) -> None:
        """Record an event of this thread; for the hook and the wrapped functions."""
        event = FileEvent(call, path, threading.get_ident(), tuple(_stack(frame)))
        with self._lock:
            self._events.append(event)


class _Recording:
    """Which watch records now; one per process, because audit hooks cannot be removed."""

    def __init__(self) -> None:
        self.watch: FileWatch | None = None
        self.inside = threading.local()
        self._installed = False

    def install(self) -> None:
        """Install the hook; again does nothing."""
        if not self._installed:
            self._installed = True
            sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        watch = self.watch
        if watch is not None and event in _AUDITED:
            # One frame up: a hook is called as if by the function that touches the file.
            watch.add(event, str(arguments[0]), sys._getframe(1))


_RECORDING = _Recording()


def _stack(frame: FrameType | None) -> Iterator[str]:
    for _ in range(_DEPTH):
        if frame is None:
            return
        code = frame.f_code
        yield f"{code.co_name} ({code.co_filename}:{frame.f_lineno})"
        frame = frame.f_back


@contextlib.contextmanager
def _wrapped_functions() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in _STAT_CALLS:
            original = getattr(os, name)
            wrapper = _wrapped(f"os.{name}", original)
            # shutil asks these sets whether a function has a feature.
            for features in ("supports_fd", "supports_dir_fd", "supports_follow_symlinks"):
                supported = getattr(os, features)
                if original in supported:
                    patch.setattr(os, features, supported | {wrapper})
            patch.setattr(os, name, wrapper)
        for name in _PATH_CALLS:
            wrapper = _wrapped(f"os.path.{name}", getattr(os.path, name))
            for module in {genericpath, posixpath, os.path}:
                patch.setattr(module, name, wrapper)
        for name in _TLS_CALLS:
            original = getattr(ssl.SSLContext, name)
            patch.setattr(ssl.SSLContext, name, _wrapped(f"ssl.{name}", original, skip=1))
        yield


def _wrapped(call: str, original: Callable[..., Any], skip: int = 0) -> Callable[..., Any]:
    def wrapper(*arguments: Any, **options: Any) -> Any:
        watch = _RECORDING.watch
        # isfile() calls stat(), load_default_certs() calls others: the outer call counts.
        if watch is None or getattr(_RECORDING.inside, "call", False):
            return original(*arguments, **options)
        shown = [str(value) for value in (*arguments[skip:], *options.values())]
        watch.add(call, " ".join(shown), sys._getframe(1))
        _RECORDING.inside.call = True
        try:
            return original(*arguments, **options)
        finally:
            _RECORDING.inside.call = False

    return wrapper

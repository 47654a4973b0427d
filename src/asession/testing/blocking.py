"""Notices when an event loop is held for too long, and by what.

While it watches, a thread hands the loop a call every few milliseconds and measures how long the
loop takes to get to it. That is wall time, because `time.sleep` and blocking sockets use no CPU.
A busy machine must not look like a blocked loop, so a delay only counts

- without the time in which the loop's thread was ready and not run by the kernel (Linux), and
- if the watching thread saw the loop held several times meanwhile, or the loop's thread used that
  much CPU itself (an extension that keeps the GIL stops the watching thread too).
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from asession._runtime.posting import poster

LIMIT = 0.1
_SEEN = 3  # how often the loop has to be found held
_PAUSES = 8  # calls per limit
_FRAMES = 12


class BlockedLoopError(AssertionError):
    """An event loop was held for longer than the limit; the message has the stack that held it."""


class _Probe:
    """One call through the loop; lives until the loop has got to it, or the block has ended."""

    __slots__ = ("_answered", "at", "cpu")

    def __init__(self) -> None:
        self._answered = threading.Event()
        self.at = 0.0
        self.cpu = 0.0

    def answer(self) -> None:
        """On the loop's thread: the loop has got here."""
        if not self._answered.is_set():
            self.at, self.cpu = time.perf_counter(), time.thread_time()
            self._answered.set()

    def wait(self, seconds: float) -> bool:
        """Whether it is answered."""
        return self._answered.wait(seconds)


class LoopWatch:
    """Watches the loop it is started on, from a thread of its own; lives as long as its block.

    Attributes:
        blocked: For each time the loop was held: the seconds, and the stack of its thread.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._post = poster()
        self._loop_thread = threading.get_ident()
        self._native = threading.get_native_id()
        self._ended = threading.Event()
        self._probe = _Probe()
        self._cpu = time.thread_time()
        self._thread = threading.Thread(target=self._run, name="asession-loop-watch", daemon=True)
        self.blocked: list[tuple[float, str]] = []

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End; called on the loop's thread, which is here because nothing holds it."""
        self._ended.set()
        self._probe.answer()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._limit / _PAUSES):
            probe = self._probe = _Probe()
            waited = self._ready_and_not_run()
            try:
                self._post(probe.answer)
            except RuntimeError:
                return  # the loop has ended
            posted = time.perf_counter()  # not before: this thread may be kept waiting as well
            if self._ended.is_set():
                return  # `stop` may have answered the probe before this one
            self._follow(probe, posted, waited)
            self._cpu = probe.cpu

    def _follow(self, probe: _Probe, posted: float, waited: float) -> None:
        seen, stack = 0, ""
        while not probe.wait(self._limit / _SEEN / 2):
            seen += 1
            if time.perf_counter() - posted > self._limit / 2 and not stack:
                stack = self._stack()
            if self._ended.is_set():
                probe.wait(self._limit)
                break
        if not probe.at:
            return
        held = probe.at - posted - (self._ready_and_not_run() - waited)
        if held > self._limit and (seen >= _SEEN or probe.cpu - self._cpu > self._limit):
            self.blocked.append((held, stack or "  (in code that kept the GIL)\n"))

    def _ready_and_not_run(self) -> float:
        """For how long the kernel has let the loop's thread wait for a processor, in seconds."""
        try:
            # /proc/<pid>/schedstat: nanoseconds on a processor, nanoseconds waiting for one.
            with open(f"/proc/self/task/{self._native}/schedstat", "rb") as file:
                return int(file.read().split()[1]) / 1e9
        except (OSError, IndexError, ValueError):
            return 0.0  # not Linux

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._loop_thread)
        return "".join(traceback.format_stack(frame, _FRAMES)) if frame is not None else ""


@contextmanager
def never_blocking(limit: float = LIMIT) -> Iterator[LoopWatch]:
    """Fail if the event loop that runs here is held for longer than a limit within the block.

    Held means: it did not get to a call handed to it, be it one step of a task that blocks or many
    short ones in a row. Measured in wall time, without the time in which the kernel did not run the
    loop's thread though it was ready (see the module). While it watches, the loop wakes up several
    times per limit: trio's `wait_all_tasks_blocked(cushion)` needs a smaller cushion than that.

    Args:
        limit: Seconds, at least 0.01.

    Yields:
        The watch, whose `blocked` can be looked at.

    Raises:
        BlockedLoopError: At the end of the block, if that ended without another error.
        ValueError: The limit is too small to be measured.

    Example:
        ::

            async def main():
                with never_blocking():
                    await handle(request)
    """
    if not limit >= 0.01:
        raise ValueError(f"limit={limit!r}: give seconds, at least 0.01")
    watch = LoopWatch(limit)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()
    if watch.blocked:
        longest, stack = max(watch.blocked)
        raise BlockedLoopError(
            f"the event loop of process {os.getpid()} was held {len(watch.blocked)} time(s), "
            f"longest for {longest * 1000:.0f} ms (limit {limit * 1000:.0f} ms); it was here:\n"
            f"{stack}"
        )

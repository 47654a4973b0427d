"""One awaited computation shared by many tasks; a cancelled leader hands over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Generic, TypeVar

import anyio
from anyio.lowlevel import RunVar

T = TypeVar("T")
E = TypeVar("E", bound=Exception)


class Flight(Generic[T]):
    """One run of a computation by one task, for which others wait.

    Lives as long as the run, on one event loop; nothing needs closing. A leader that is cancelled
    leaves neither value nor error, nor does one whose error is its own: the first waiter to wake
    leads another flight.

    Attributes:
        value: The result in a tuple of one, `None` before that or without one.
        error: What the computation raised, or `None`; for the waiters, `raise_for_waiter`.
    """

    __slots__ = ("_landed", "_traceback", "error", "value")

    def __init__(self) -> None:
        self._landed = anyio.Event()
        self.value: tuple[T] | None = None
        self.error: Exception | None = None
        self._traceback: TracebackType | None = None

    async def lead(
        self,
        compute: Callable[[], Awaitable[T]],
        ended: Callable[[], object],
        is_own: Callable[[Exception], bool] | None = None,
    ) -> T:
        """Run the computation inside this call.

        Args:
            compute: The computation.
            ended: Called before the waiters wake, however it ended.
            is_own: Whether an error concerns this caller alone; the waiters then go on as if it had
                been cancelled.

        Raises:
            Exception: What the computation raised.
        """
        _leading.set((*_leading.get(), self))
        try:
            value = await compute()
            self.value = (value,)
            return value
        except Exception as error:
            if is_own is None or not is_own(error):
                # As it is now: the leader's callers write into theirs before the waiters wake.
                self.error = _twin(error)
                self._traceback = error.__traceback__
            raise
        finally:
            _leading.set(tuple(other for other in _leading.get() if other is not self))
            ended()
            self._landed.set()

    async def wait(self) -> None:
        """Wait until the run has ended, in whatever way.

        Raises:
            RuntimeError: The computation waits for itself.
        """
        if self in _leading.get():
            raise RuntimeError(
                "a value was asked for while it is being computed, by the computation itself: "
                "credentials of a session, say, that are read with that session"
            )
        await self._landed.wait()

    def raise_for_waiter(self) -> None:
        """Raise what the computation raised, if it did, as an exception of the caller's own.

        Python writes into an exception as it passes: traceback, context, notes. One that several
        tasks raised would show each of them where the others were.
        """
        if self.error is not None:
            raise _twin(self.error).with_traceback(self._traceback)


# Those that keep something in C, where only their own way of being pickled finds it.
_IN_C = (OSError, ImportError, SyntaxError, UnicodeError, NameError, AttributeError)


def _twin(error: E) -> E:
    """Another exception like this one; the same where its class does not let itself be copied."""
    kind = type(error)
    twin: Any
    try:
        if isinstance(error, _IN_C):
            # Not `copy`: others register ways of pickling, which share the dictionary.
            reduced = error.__reduce__()
            assert not isinstance(reduced, str)
            make, values, *state = reduced
            twin = make(*values)
            if state and state[0]:
                twin.__setstate__(state[0])
        else:
            # Copied, botocore's service errors would all become plain `ClientError`.
            twin = kind.__new__(kind, *error.args)
            twin.__dict__.update(error.__dict__)
    except Exception:
        return error
    if type(twin) is not kind or any(getattr(base, "__slots__", ()) for base in kind.__mro__):
        return error
    if hasattr(error, "__notes__"):
        twin.__notes__ = list(error.__notes__)
    twin.__cause__, twin.__context__ = error.__cause__, error.__context__
    twin.__suppress_context__ = error.__suppress_context__
    return twin


# The runs that this task, or one that it was started by, is in the middle of.
_leading: ContextVar[tuple[Flight[Any], ...]] = ContextVar("asession_leading", default=())


class Flights(Generic[T]):
    """The computations under way on each event loop, by key; the callers of each wait for one.

    Lives as long as its module; what belongs to an event loop goes with it.

    Args:
        name: A name of its own.
    """

    def __init__(self, name: str) -> None:
        self._flying: RunVar[dict[Any, Flight[T]]] = RunVar(name)

    def __contains__(self, key: object) -> bool:
        return key in self._here()

    async def join(
        self,
        key: object,
        compute: Callable[[], Awaitable[T]],
        is_own: Callable[[Exception], bool] | None = None,
    ) -> T:
        """Compute, or wait for whoever computes already.

        Args:
            key: What is computed.
            compute: The computation.
            is_own: Whether an error of it concerns this caller alone: then the next one computes.

        Raises:
            Exception: What the computation raised.
            RuntimeError: The computation waits for itself.
        """
        flying = self._here()
        while (flight := flying.get(key)) is not None:
            await flight.wait()
            flight.raise_for_waiter()
            if flight.value is not None:
                return flight.value[0]
        flight = flying[key] = Flight()
        return await flight.lead(compute, lambda: flying.pop(key), is_own)

    def _here(self) -> dict[Any, Flight[T]]:
        try:
            return self._flying.get()
        except LookupError:
            flying: dict[Any, Flight[T]] = {}
            self._flying.set(flying)
            return flying


class Once(Generic[T]):
    """A value computed at most once, by the first of the tasks that ask for it.

    The first caller computes inside its own call; the others wait for it. If that caller is
    cancelled, the next waiter takes the computation over. If it fails, every waiter of that run
    gets the error and the next call tries again. No task is started.

    Lives as long as its owner, on one event loop; nothing needs closing.

    Example:
        once = Once(load)
        value = await once.get()
    """

    __slots__ = ("_compute", "_flight", "_value")

    def __init__(self, compute: Callable[[], Awaitable[T]]) -> None:
        self._compute = compute
        self._flight: Flight[T] | None = None
        self._value: tuple[T] | None = None

    @property
    def value(self) -> T | None:
        """The computed value, or `None` before that."""
        return self._value[0] if self._value else None

    async def get(self) -> T:
        """The value, computed now if nobody has.

        Raises:
            Exception: What the computation raised.
            RuntimeError: The computation asks for its own value.
        """
        while self._value is None:
            flight = self._flight
            if flight is None:
                flight = self._flight = Flight()
                return await flight.lead(self._compute, self._end)
            await flight.wait()
            flight.raise_for_waiter()
        return self._value[0]

    def _end(self) -> None:
        assert self._flight is not None
        self._value = self._flight.value
        self._flight = None

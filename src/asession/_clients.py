"""A session's live state on one event loop: its way to AWS and the clients it has to close."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Generator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakKeyDictionary, ref

import anyio

from asession._logging import log
from asession._once import Once
from asession._runtime.loops import LoopToken, current_loop
from asession.exceptions import SessionNotEnteredError

if TYPE_CHECKING:
    from types import TracebackType

    from asession._aws.backend import Backend

T_co = TypeVar("T_co", covariant=True)

logger = logging.getLogger("asession.session")

WhenClosed = Callable[[Any, Callable[[], Awaitable[None]]], None]
"""Has a function awaited once a client has been closed, by whomever."""

# How long closing one client may take before it is given up, in seconds.
CLOSE_TIMEOUT = 10.0
# How often closing one client is begun anew when its task is cancelled meanwhile.
_CLOSE_ATTEMPTS = 5


class LiveState:
    """What a session has open on one event loop.

    Made by the first entry, or the first client opened alone; left by whoever holds it. Clients
    that the session owns are closed when the last entry leaves, the connections when nobody uses
    them any more; a client opened for a block is closed by its block, or by `close`.
    """

    __slots__ = ("__weakref__", "_clients", "backend", "closed", "frames", "holds")

    def __init__(self, connect: Callable[[], Awaitable[Backend]]) -> None:
        self.backend: Once[Backend] = Once(connect)
        # One for each entry; what a frame is, only the session knows.
        self.frames: list[Any] = []
        self.holds: int = 0
        self.closed: bool = False
        # In the order of opening; whether the session owns it, or a block does.
        self._clients: dict[Any, bool] = {}

    def own(self, client: Any, when_closed: WhenClosed) -> None:
        """Close the client when the session is left, unless it is closed by hand before."""
        self._clients[client] = True
        # Weakly, both: what a loop leaves open goes with it, without waiting for the collector.
        mine, closed = ref(self), ref(client)

        async def forget() -> None:
            state = mine()
            if state is not None:
                state._clients.pop(closed(), None)

        when_closed(client, forget)

    def lend(
        self, client: Any, when_closed: WhenClosed, hold: Hold
    ) -> Callable[..., Awaitable[None]]:
        """Remember a client that a block has; returns how the block closes it at its exit.

        A block need not be one of the language: `await client.__aexit__(...)`, or `close`, at the
        end of what `await session.client(...).__aenter__()` began, gives up the hold as well, and
        keeps it until then, whatever becomes of the session.
        """
        self._clients[client] = False

        async def give_up() -> None:
            if self._clients.pop(client, None) is not None:
                await hold.release(None)

        async def take_back(_kind: object, error: BaseException | None, _traceback: object) -> None:
            self._clients.pop(client, None)
            await close_all([client], error)

        when_closed(client, give_up)
        return take_back

    async def end(self, error: BaseException | None) -> None:
        """Close what nobody needs any more, the newest first; no entry is left."""
        self.closed = True
        owned = [client for client, is_owned in self._clients.items() if is_owned]
        for client in owned:
            del self._clients[client]
        await close_all([*([] if self.holds else self._connections()), *owned], error)

    async def close(self) -> None:
        """Close everything that is open, the newest first."""
        self.closed = True
        clients, self._clients = self._clients, {}
        await close_all([*self._connections(), *clients], None)

    def _connections(self) -> list[Backend]:
        return [] if self.backend.value is None else [self.backend.value]

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<LiveState {state}: {len(self.frames)} entries, {len(self._clients)} clients>"


async def close_all(clients: list[Any], error: BaseException | None) -> None:
    """Close clients and connections, the newest first, each within `CLOSE_TIMEOUT` seconds.

    Args:
        clients: What to close, in the order of opening.
        error: The exception that ends the body. It wins: what goes wrong here becomes its notes.

    Raises:
        Exception: The single error of closing, where the body had none.
        ExceptionGroup: Several such errors.
    """
    errors: list[Exception] = []
    interruption: BaseException | None = None
    for client in reversed(clients):
        try:
            interruption = await _close(client) or interruption
        except Exception as caught:
            errors.append(caught)
    if interruption is not None:
        for failure in errors:
            _warn(failure)
        raise interruption
    if not errors:
        return
    if isinstance(error, anyio.get_cancelled_exc_class()):  # goes on as it is
        for failure in errors:
            _warn(failure)
    elif error is not None:
        for failure in errors:
            error.add_note(f"closing an AWS client failed too: {failure!r}")
    elif len(errors) == 1:
        raise errors[0]
    else:
        raise ExceptionGroup("closing AWS clients failed", errors)


def _warn(failure: Exception) -> None:
    message = "closing an AWS client failed: %(error)s"
    log(logger, logging.WARNING, "client.not_closed", message, error=repr(failure))


async def _close(client: Any) -> BaseException | None:
    """Close one client; returns what must go on once all are closed."""
    interruption: BaseException | None = None
    for _ in range(_CLOSE_ATTEMPTS):
        try:
            with anyio.fail_after(CLOSE_TIMEOUT, shield=True):
                await client.close()
            break
        except anyio.get_cancelled_exc_class() as cancelled:
            interruption = cancelled  # a task of asyncio was cancelled past the shield
        except (KeyboardInterrupt, SystemExit) as interrupt:
            return interrupt
    return interruption


class LiveStates:
    """The live states of one session, by event loop; lives as long as the session.

    What belongs to a loop disappears with it: an entry on one loop does not count on another.
    """

    __slots__ = ("_connect", "_states")

    def __init__(self, connect: Callable[[], Awaitable[Backend]]) -> None:
        self._connect = connect
        # The newest last; older ones have entries or blocks that outlive an `aclose` or an entry.
        self._states: WeakKeyDictionary[LoopToken, list[LiveState]] = WeakKeyDictionary()

    def here(self) -> list[LiveState]:
        """The states of this loop, the newest last."""
        return self._states.setdefault(current_loop(), [])

    def hold(self, state: LiveState) -> Hold:
        """Keep a state's connections, even if the session is left, for as long as a block lasts."""
        return Hold(self, state)

    def entered(self) -> LiveState | None:
        """The state of this loop if the session is entered here, or `None`."""
        return next((state for state in self.here() if state.frames and not state.closed), None)

    def enter(self) -> LiveState:
        """The state for one more entry on this loop."""
        # A first entry looks at the files again; what is lent to a block lives on there.
        return self.entered() or self._new()

    async def leave(self, state: LiveState, error: BaseException | None) -> None:
        """After an entry has left: the last one closes what the session owns."""
        if not state.frames:
            if not state.holds:
                self._forget(state)
            await state.end(error)

    def held(self) -> Hold:
        """The state of this loop, made if need be, for as long as a block lasts."""
        state = next((state for state in self.here()[::-1] if not state.closed), None)
        return Hold(self, self._new() if state is None else state)

    async def release(self, state: LiveState, error: BaseException | None) -> None:
        """After a block has left: the last one closes what nobody entered."""
        if not state.holds and not state.frames:
            self._forget(state)
            await state.end(error)

    async def aclose(self) -> None:
        """Close what is open on this loop."""
        for state in self.here()[::-1]:
            if not state.frames:
                self._forget(state)
            await state.close()

    def _new(self) -> LiveState:
        state = LiveState(self._connect)
        self.here().append(state)
        return state

    def _forget(self, state: LiveState) -> None:
        states = self.here()
        if state in states:
            states.remove(state)


class Hold:
    """One block's claim on a live state, from entering to leaving it, or to its release."""

    __slots__ = ("_is_held", "_state", "_states")

    def __init__(self, states: LiveStates, state: LiveState) -> None:
        self._states = states
        self._state = state
        self._is_held = False

    async def __aenter__(self) -> LiveState:
        self._state.holds += 1
        self._is_held = True
        return self._state

    async def release(self, error: BaseException | None) -> None:
        """Give the claim up, with the exception that ends the block; again does nothing."""
        if self._is_held:
            self._is_held = False
            self._state.holds -= 1
            await self._states.release(self._state, error)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.release(error)


class Opening(Generic[T_co]):
    """A client or resource about to be opened: for a block, or for the session's life.

    ``async with session.client(...) as client`` opens one and closes it at the end of the block.
    ``await session.client(...)`` opens one that the session closes when it is left. Each object
    opens once; nothing needs closing before that.
    """

    __slots__ = ("_block", "_kind", "_open", "_service_name", "_states", "_used")

    def __init__(
        self,
        states: LiveStates,
        kind: str,
        service_name: str,
        open_: Callable[[Backend], Awaitable[tuple[T_co, Any]]],
    ) -> None:
        self._states = states
        self._kind = kind
        self._service_name = service_name
        self._open = open_
        self._used = False
        self._block: AsyncExitStack | None = None

    def __await__(self) -> Generator[Any, Any, T_co]:
        return self._for_session().__await__()

    async def _for_session(self) -> T_co:
        self._use()
        state = self._states.entered()
        if state is None:
            raise SessionNotEnteredError(service_name=self._service_name, kind=self._kind)
        async with self._states.hold(state):
            backend = await state.backend.get()
            value, client = await self._open(backend)
            if state.closed:  # the session was left meanwhile: nobody would close the client
                await close_all([client], None)
                raise SessionNotEnteredError(service_name=self._service_name, kind=self._kind)
            state.own(client, backend.when_closed)
        return value

    async def __aenter__(self) -> T_co:
        self._use()
        async with AsyncExitStack() as block:
            hold = self._states.held()
            state = await block.enter_async_context(hold)
            backend = await state.backend.get()
            value, client = await self._open(backend)
            block.push_async_exit(state.lend(client, backend.when_closed, hold))
            self._block = block.pop_all()
            return value

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        block, self._block = self._block, None
        if block is not None:
            await block.__aexit__(kind, error, traceback)

    def _use(self) -> None:
        if self._used:
            raise RuntimeError(
                f"this session.{self._kind}({self._service_name!r}) has been opened before: call "
                f"session.{self._kind}(...) again for another"
            )
        self._used = True

    if not TYPE_CHECKING:  # for type checkers, what it has not is an error

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            raise AttributeError(
                f"session.{self._kind}({self._service_name!r}) is not open yet and has no "
                f"{name!r}: use `async with session.{self._kind}(...) as {self._kind}:`, or "
                f"`{self._kind} = await session.{self._kind}(...)` in an entered session"
            )

    def __repr__(self) -> str:
        state = "used" if self._used else "not open yet"
        return f"<{self._kind} {self._service_name!r}, {state}>"

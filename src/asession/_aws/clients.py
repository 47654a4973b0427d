"""What asession adds to aiobotocore's clients: they know their loop and that they are closed."""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any
from weakref import ref

from asession._logging import log
from asession._runtime.loops import LoopToken, current_loop
from asession.exceptions import ClientClosedError, WrongEventLoopError

_logger = logging.getLogger("asession.client")


class Lease:
    """The right to use one client: on one event loop, in one process, until it is closed."""

    __slots__ = ("_home", "_loop", "closed", "on_release", "pid", "released", "then", "what")

    def __init__(
        self, what: str, loop: LoopToken, on_release: Callable[[], None] | None = None
    ) -> None:
        self.what = what
        self.on_release = on_release
        self.pid = loop.pid
        self.closed = False
        # Whether closing has come to its end; an interrupted one can be repeated.
        self.released = False
        # Awaited after that, once.
        self.then: Callable[[], Awaitable[None]] | None = None
        # Weakly: what is left open must go with its loop.
        self._loop = ref(loop)
        self._home = repr(loop)

    @property
    def is_abroad(self) -> bool:
        """Whether this is a fork of the client's process."""
        return os.getpid() != self.pid

    def check(self, **_: object) -> None:
        """Refuse a use that would hang or leak.

        Raises:
            ClientClosedError: The client is closed.
            WrongEventLoopError: This is another event loop, or a forked process.
        """
        if self.is_abroad:
            raise WrongEventLoopError(
                what=self.what,
                reason=f"was made in process {self.pid} and is used in its fork {os.getpid()}",
            )
        if self.closed:
            raise ClientClosedError(what=self.what)
        here = current_loop()
        if here is not self._loop():
            raise WrongEventLoopError(
                what=self.what, reason=f"belongs to {self._home} and is used on {here!r}"
            )


class LeasedClient:
    """Mixed into the class of each client, in front of `AioBaseClient`."""

    _lease: Lease | None = None
    # What the clients of one session on one event loop share, by who keeps it there.
    _shared: dict[Any, Any]

    async def _make_api_call(self, operation_name: str, api_params: Any) -> Any:
        if self._lease is not None:
            self._lease.check()
        if _logger.isEnabledFor(logging.DEBUG):
            return await self._logged_call(operation_name, api_params)
        return await super()._make_api_call(operation_name, api_params)  # type: ignore[misc]

    async def _logged_call(self, operation_name: str, api_params: Any) -> Any:
        began, answer, failure = perf_counter(), None, None
        try:
            answer = await super()._make_api_call(operation_name, api_params)  # type: ignore[misc]
            return answer
        except BaseException as error:
            answer, failure = getattr(error, "response", None), type(error).__name__
            raise
        finally:
            _log_call(self, operation_name, perf_counter() - began, answer, failure)

    async def close(self) -> None:
        """Close this client alone; closing again does nothing."""
        if self._may_release():
            await super().close()  # type: ignore[misc]
            await self._released()

    async def __aexit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if self._may_release():
            await super().__aexit__(kind, error, traceback)  # type: ignore[misc]
            await self._released()

    def _may_release(self) -> bool:
        lease = self._lease
        if lease is None:
            return True
        # In a fork the connections are the parent's.
        if lease.released or lease.is_abroad:
            return False
        if not lease.closed:
            lease.check()
        lease.closed = True
        return True

    async def _released(self) -> None:
        lease = self._lease
        if lease is not None:
            lease.released = True
            if lease.on_release is not None:
                lease.on_release()
            then, lease.then = lease.then, None
            if then is not None:
                await then()


def _log_call(
    client: Any, operation: str, duration: float, answer: Any, failure: str | None
) -> None:
    metadata = answer.get("ResponseMetadata", {}) if isinstance(answer, dict) else {}
    told = {
        "service": client.meta.service_model.service_name,
        "operation": operation,
        "region": client.meta.region_name,
        "duration": duration,
        "status": metadata.get("HTTPStatusCode"),
        "request_id": metadata.get("RequestId"),
        "retries": metadata.get("RetryAttempts"),
        "error": failure,
    }
    message = "called %(service)s.%(operation)s in %(region)s: %(status)s"
    log(_logger, logging.DEBUG, "client.called", message, **told)


# Process-wide: by service, what its clients have beyond its operations. Filled when the modules
# that say so are imported, which is before any client class is made, and not changed afterwards.
_additions: dict[str, Callable[[], type]] = {}


def add_to_clients(service_name: str, load: Callable[[], type]) -> None:
    """Put a class in front of the client class of a service, in every session.

    Args:
        service_name: As in the names of events, for example ``"s3"``.
        load: Imports the class when the first client class of the service is made.
    """
    _additions[service_name] = load


def mix_in(base_classes: list[type], event_name: str = "", **_: Any) -> None:
    """Handler of ``creating-client-class``: put `LeasedClient` and the additions in front."""
    if LeasedClient not in base_classes:
        load = _additions.get(event_name.rpartition(".")[2])
        if load is not None:
            base_classes.insert(0, load())
        base_classes.insert(0, LeasedClient)


def lease(
    client: Any,
    service_name: str,
    shared: dict[Any, Any],
    on_release: Callable[[], None] | None = None,
) -> None:
    """Bind a new client to this event loop, and to what it shares with others."""
    client._shared = shared
    client._lease = Lease(f"{service_name} client", current_loop(), on_release)
    # Presigning makes no API call, but may wait for credentials as one does. Below the service's
    # name, because a handler there may answer first.
    service_id = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register_first(f"choose-signer.{service_id}", client._lease.check)

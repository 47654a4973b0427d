"""What asession adds to aiobotocore's clients: they know their loop and that they are closed."""

from __future__ import annotations

import os
from typing import Any
from weakref import ref

from asession._runtime.loops import LoopToken, current_loop
from asession.exceptions import ClientClosedError, WrongEventLoopError


class Lease:
    """The right to use one client: on one event loop, in one process, until it is closed."""

    __slots__ = ("_home", "_loop", "closed", "pid", "released", "what")

    def __init__(self, what: str, loop: LoopToken) -> None:
        self.what = what
        self.pid = loop.pid
        self.closed = False
        # Whether closing has come to its end; an interrupted one can be repeated.
        self.released = False
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

    async def _make_api_call(self, operation_name: str, api_params: Any) -> Any:
        if self._lease is not None:
            self._lease.check()
        return await super()._make_api_call(operation_name, api_params)  # type: ignore[misc]

    async def close(self) -> None:
        """Close this client alone; closing again does nothing."""
        if self._may_release():
            await super().close()  # type: ignore[misc]
            self._released()

    async def __aexit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if self._may_release():
            await super().__aexit__(kind, error, traceback)  # type: ignore[misc]
            self._released()

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

    def _released(self) -> None:
        if self._lease is not None:
            self._lease.released = True


def mix_in(base_classes: list[type], **_: Any) -> None:
    """Handler of ``creating-client-class``: put `LeasedClient` in front."""
    if LeasedClient not in base_classes:
        base_classes.insert(0, LeasedClient)


def lease(client: Any, service_name: str) -> None:
    """Bind a new client to this event loop."""
    client._lease = Lease(f"{service_name} client", current_loop())
    # Presigning makes no API call, but may wait for credentials as one does. Below the service's
    # name, because a handler there may answer first.
    service_id = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register_first(f"choose-signer.{service_id}", client._lease.check)

"""From a session's description to its way to AWS: resolving and connecting."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, cast

from asession._events import SessionEvents
from asession._logging import log
from asession._options import SessionOptions
from asession._runtime.threads import import_module
from asession._runtime.turns import turn
from asession.credentials.providers import check_inserts

if TYPE_CHECKING:
    from asession._aws.backend import Backend
    from asession._aws.resolve import Facts
    from asession._settings.settings import Resolution
    from asession.credentials.identity import Identity
    from asession.observe.reporting import Reporter

logger = logging.getLogger("asession.session")


class Connector:
    """Resolves one session, and connects it on an event loop; lives as long as the session.

    Attributes:
        facts: What the session knows about itself, `None` before it is first resolved.
    """

    __slots__ = (
        "_events",
        "_identity",
        "_options",
        "_private",
        "_reporter",
        "_resolution",
        "_warned",
        "facts",
    )

    def __init__(self, options: SessionOptions, events: SessionEvents) -> None:
        self._options = options
        self._events = events
        self._resolution: Resolution | None = None
        # What the session's handlers may change, and so is no other session's.
        self._private: dict[Any, Any] = {}
        self._warned = False
        self.facts: Facts | None = None
        # At most one of each, made when it is first needed; one step of a dictionary, for threads.
        self._identity: dict[None, Identity] = {}
        self._reporter: dict[None, Reporter] = {}
        check_inserts(options.credentials)

    async def identity(self) -> Identity:
        """Who the session is."""
        if not self._identity:
            module = await import_module("asession.credentials.identity")
            self._identity.setdefault(None, module.Identity(self._options, events=self._events))
        return self._identity[None]

    async def source_key(self) -> bytes:
        """A digest of everything that decides who the session is."""
        return await (await self.identity()).key(self.resolved)

    async def resolved(self) -> Resolution:
        """What was found out, now if it was not before."""
        return await self._resolve() if self._resolution is None else self._resolution

    async def resolve(self) -> None:
        """Read the files and the environment; what has not changed is not read again."""
        if self._options.botocore_session is None:
            await self._resolve()
        else:
            await self._drive()

    async def connect(self) -> Backend:
        """Resolve, and make the way to AWS on this event loop."""
        if self._options.botocore_session is not None:
            return await self._drive()
        await turn()  # a worker thread may have to be started
        resolution = await self._resolve()
        module = await import_module("asession._aws.backend")
        identify = (await self.identity()).connect
        backend = await module.connect(
            self._options,
            resolution,
            self._events,
            identify,
            self._private,
            await self._told(),
        )
        return cast("Backend", backend)

    async def _told(self) -> Reporter:
        if not self._reporter:
            module = await import_module("asession.observe.reporting")
            self._reporter.setdefault(None, module.Reporter(self._options.observers))
        return self._reporter[None]

    async def _resolve(self) -> Resolution:
        module = await import_module("asession._aws.resolve")
        resolution: Resolution = await module.resolve(self._options, self._resolution)
        self._resolution = resolution
        self.facts = module.facts(resolution)
        self._warn_of_missing_profile(resolution)
        return resolution

    async def _drive(self) -> Backend:
        module = await import_module("asession._aws.backend")
        reporter = await self._told()
        backend, self.facts = await module.drive(self._options, self._events, reporter)
        return cast("Backend", backend)

    def _warn_of_missing_profile(self, resolution: Resolution) -> None:
        profile = resolution.profile
        if profile.missing and not self._warned:
            self._warned = True
            log(
                logger,
                logging.WARNING,
                "profile.missing",
                "the profile %(profile)r (from %(origin)s) does not exist; explicit keys were "
                "given, so the session goes on with an empty profile",
                profile=profile.name,
                origin=str(profile.origin),
            )

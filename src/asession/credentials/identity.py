"""Who a session is: its credentials on each event loop, and the key by which others share them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from asession._events import SessionEvents
from asession._options import SessionOptions
from asession.credentials.chain import Chain, Step, Workshop
from asession.credentials.custom import Given
from asession.credentials.inputs import Inputs
from asession.credentials.keys import digest, may_concern_sources
from asession.credentials.mfa import asker
from asession.credentials.session_credentials import SessionCredentials

if TYPE_CHECKING:
    from asession._aws.session import AwsSession
    from asession._settings.settings import Resolution

PROCESS = Workshop()


class Identity:
    """Who a session is; lives as long as the session, on all its event loops.

    Nothing is looked at before credentials are asked for. Nothing needs closing.

    Args:
        options: The session's arguments.
        workshop: What its sources are made with.
        events: Its event handlers.
    """

    __slots__ = ("__weakref__", "_events", "_given", "_options", "_workshop")

    def __init__(
        self,
        options: SessionOptions,
        workshop: Workshop = PROCESS,
        events: SessionEvents | None = None,
    ) -> None:
        self._options = options
        self._events = SessionEvents() if events is None else events
        self._workshop = workshop
        self._given = None if options.credentials is None else Given(options.credentials)

    async def connect(self, aws: AwsSession) -> SessionCredentials:
        """The credentials for the session's clients on this event loop; no source is asked yet."""
        role_key: bytes | None = None

        def arrange(chain: Chain) -> Sequence[Step]:
            if self._given is None:
                return list(chain.usual_steps())
            return self._given.arrange(chain, role_key)

        ask = asker(self._options.mfa)
        chain = Chain(aws, self._workshop, ask, arrange, self._handlers)
        if self._given is not None and self._given.role is not None:
            role_key = await self._given.role.key(chain.inputs, self)
        return SessionCredentials(chain, self._workshop.clock)

    async def key(self, resolve: Callable[[], Awaitable[Resolution]]) -> bytes:
        """A digest of everything that decides who the session is.

        Args:
            resolve: Reads the session's files and environment, or remembers them.
        """
        if self._options.botocore_session is not None:
            return digest(self)
        found = await resolve()
        inputs = Inputs(
            self._options,
            found.environ,
            found.snapshot,
            found.profile.section,
            found.settings["region"].value,
            self._handlers(),
        )
        if self._given is None:
            return digest(inputs.whole())
        role = self._given.role
        return digest(inputs.whole(), self if role is None else await role.key(inputs, self))

    def _handlers(self) -> list[object]:
        """The event handlers that may change the requests of sources."""
        return [
            (entry.action, entry.event_name, entry.handler)
            for entry in self._events.in_force()
            if may_concern_sources(entry.event_name)
        ]

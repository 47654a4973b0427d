"""What a session's clients sign with: the chosen source, asked again before its keys end."""

from __future__ import annotations

import logging
import time

from asession._logging import log
from asession.credentials.chain import Chain
from asession.credentials.refresh import Clock
from asession.credentials.source import Source
from asession.credentials.source_credentials import SourceCredentials
from asession.credentials.values import FrozenCredentials
from asession.exceptions import ClientClosedError, ConfigParseError, NoCredentialsError

_log = logging.getLogger("asession.credentials")

# How often, at most, files are looked at while credentials are about to be replaced, in seconds.
_LOOK_SECONDS = 1.0


class SessionCredentials(SourceCredentials):
    """The credentials of a session on one event loop: those of the first source that has any.

    Lives as long as the session's live state there; nothing needs closing.

    Attributes:
        chain: The sources.
    """

    def __init__(self, chain: Chain, clock: Clock = time.time) -> None:
        super().__init__(None, clock)
        self.chain = chain
        self._looked_at = clock()

    async def select(self) -> bool:
        """Look for a source, unless one is chosen; returns whether there is one.

        Raises:
            Exception: The first source that is configured failed.
        """
        if self._source is None:
            self._source = await self.chain.select()
        return self._source is not None

    async def get_frozen_credentials(self) -> FrozenCredentials:
        """Keys to sign with now, replaced if it is time to.

        Raises:
            NoCredentialsError: No source has any.
            ClientClosedError: The session was closed meanwhile.
            Exception: The source failed; a note says what to do, where that is known.
        """
        try:
            return await super().get_frozen_credentials()
        except Exception as error:
            if self.chain.aws.is_dissolved:  # it tells of the insides of what was closed
                raise ClientClosedError(what="client") from error
            self.chain.advise(error)
            raise

    async def get_account_id(self) -> str | None:
        """The account of the keys, or `None` if unknown or there are no keys."""
        return await super().get_account_id() if await self.select() else None

    async def replace(self, refused: FrozenCredentials, *, ask: bool = True) -> bool:
        """Get other keys in place of those that a service has refused.

        Files that have changed are read again first, at most once a second unless the source is
        to be asked.

        Args:
            refused: Those keys.
            ask: Whether to ask the source for others, or take what is there already.

        Returns:
            Whether there are others.
        """
        if ask:
            await self._look_at_files()
        return await super().replace(refused, ask=ask)

    async def _current_source(self) -> Source:
        since = self._clock() - self._looked_at
        if self._value is not None and not 0 <= since < _LOOK_SECONDS:
            await self._look_at_files()
        if not await self.select():
            raise self.missing()
        assert self._source is not None
        return self._source

    async def _look_at_files(self) -> None:
        self._looked_at = self._clock()
        try:
            if await self.chain.reload():
                self._source = None
        except ConfigParseError as error:  # it may be half written; what was read before counts
            log(
                _log,
                logging.WARNING,
                "profiles.kept",
                "the profile files are not read again: %(error)s",
                error=str(error),
            )

    def missing(self) -> NoCredentialsError:
        """The error for those who need credentials."""
        return NoCredentialsError(
            reason="no source has any",
            tried=tuple(map(str, self.chain.trail)),
            next_step=self.chain.next_step(),
        )

"""Who a session is: the credentials it signs with, and what AWS says about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asession.credentials.values import Credentials, FrozenCredentials, LiveCredentials
from asession.exceptions import NoCredentialsError

if TYPE_CHECKING:
    from asession._clients import LiveStates
    from asession._connector import Connector


class Identified:
    """The part of a session that knows who it is."""

    _live: LiveStates
    _connector: Connector

    async def get_credentials(self) -> Credentials | None:
        """The session's credentials, loaded; `None` if no source has any, as in boto3.

        Returns:
            A handle bound to this event loop; its attributes are plain, and its
            `get_frozen_credentials` refreshes them when needed.

        Raises:
            Exception: A source is configured and fails.
        """
        async with self._live.held() as state:
            source = await (await state.backend.get()).get_credentials()
            return None if source is None else await LiveCredentials.over(source)

    async def get_frozen_credentials(self) -> FrozenCredentials:
        """The keys to sign with now.

        Raises:
            NoCredentialsError: No source has any; it lists them, with what to do next.
        """
        async with self._live.held() as state:
            backend = await state.backend.get()
            source = await backend.get_credentials()
            if source is not None:
                return await (await LiveCredentials.over(source)).get_frozen_credentials()
            identity = await backend.identity()
            if identity is None:
                raise NoCredentialsError(reason="botocore_session= has none", tried=())
            raise identity.missing()

    async def _source_key(self) -> bytes:
        return await self._connector.source_key()

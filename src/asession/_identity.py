"""Who a session is: the credentials it signs with, and what AWS says about them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from asession._once import Flights
from asession._profiles.cache import Recent
from asession._runtime.threads import import_module
from asession.credentials.caller import CallerIdentity
from asession.credentials.values import Credentials, FrozenCredentials, LiveCredentials
from asession.exceptions import NoCredentialsError

if TYPE_CHECKING:
    from botocore.config import Config

    from asession._clients import LiveStates
    from asession._connector import Connector
    from asession._options import SessionOptions
    from asession.credentials.explanation import Explanation
    from asession.session import Session


# What STS said, by a digest of the session and its keys. It does not change while they work.
_callers: Recent[bytes, CallerIdentity] = Recent(1024)
_asking: Flights[CallerIdentity] = Flights("asession_callers")


class Identified:
    """The part of a session that knows who it is."""

    _live: LiveStates
    _connector: Connector
    _options: SessionOptions

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
            with backend.using():
                source = await backend.identity()
                if source is None:
                    source = await backend.get_credentials()
                if source is None:
                    raise NoCredentialsError(reason="botocore_session= has none", tried=())
                found = await source.get_frozen_credentials()
            return FrozenCredentials(
                found.access_key, found.secret_key, found.token, found.account_id
            )

    async def caller_identity(self) -> CallerIdentity:
        """Whom AWS takes the session for; asked once for the same keys.

        Raises:
            NoCredentialsError: No source has any.
            ClientError: STS refuses the keys.
        """
        return await self._caller(None)

    async def _caller(self, config: Config | None) -> CallerIdentity:
        """`caller_identity`, asked with a client configuration."""
        frozen = await self.get_frozen_credentials()
        digest = (await import_module("asession.credentials.keys")).digest
        key = digest(await self._source_key(), tuple(frozen))
        known = _callers.get(key)
        return await _asking.join(key, partial(self._ask, key, config)) if known is None else known

    async def _ask(self, key: bytes, config: Config | None) -> CallerIdentity:
        async with cast("Session", self).client("sts", config=config) as sts:
            answer = await sts.get_caller_identity()
        told = CallerIdentity(answer["Account"], answer["Arn"], answer["UserId"])
        _callers.put(key, told)
        return told

    async def account_id(self) -> str:
        """The number of the account; asked for only if the credentials do not tell.

        Raises:
            NoCredentialsError: No source has any.
            ClientError: STS refuses the keys.
        """
        account = (await self.get_frozen_credentials()).account_id
        return (await self.caller_identity()).account if account is None else account

    async def explain(self, *, check: bool = False) -> Explanation:
        """What the session is made of, and what is wrong with it; no secrets.

        Every setting with its origin, what became of each source of credentials, and findings, each
        with its cause and what to do. What a set-up can cause (a missing profile, a file that
        cannot be parsed, a source that fails) is a finding, not an exception.

        Sources are asked as for a client, but nothing is signed: no role is assumed, unless
        `check` is true. Nothing is waited for longer than 90 seconds, or five minutes if a code of
        an MFA device has to be typed.

        Args:
            check: Whether to get the keys as well, and ask STS whom AWS takes the session for.

        Returns:
            A value to print, or to turn into JSON with `to_dict`.

        Example:
            print(await Session(profile_name="dev").explain(check=True))
        """
        examine = (await import_module("asession._explain.examine")).examine
        return cast("Explanation", await examine(self, check=check))

    async def _replace_keys(self, refused: FrozenCredentials) -> bool:
        """Get other keys in place of refused ones, if there are any."""
        async with self._live.held() as state:
            backend = await state.backend.get()
            with backend.using():
                identity = await backend.identity()
                return identity is not None and await identity.replace(refused)

    async def _source_key(self) -> bytes:
        return await self._connector.source_key()

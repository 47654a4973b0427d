"""`Session`: what a session was made with, and what it has open on each event loop."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, cast

from asession._available import Available
from asession._clients import LiveState, LiveStates
from asession._connector import Connector
from asession._events import SessionEvents
from asession._identity import Identified
from asession._opens import Opens
from asession._options import SessionOptions
from asession._roles import Assuming
from asession._scope import choose, leave, push
from asession.credentials.mfa import MFAPrompt
from asession.exceptions import SessionNotResolvedError

if TYPE_CHECKING:
    from types import TracebackType

    from aiobotocore.session import AioSession
    from botocore.config import Config

    from asession.credentials.providers import CredentialSource
    from asession.observe.events import Observer

__all__ = ["Session"]


class Session(Opens, Identified, Assuming, Available):
    """AWS credentials, region and profile, and the clients made from them.

    A session is a description: making one does no I/O, it never changes, and it may be shared by
    tasks, threads, event loops and processes. What it has open (clients, connections) belongs to
    the event loop it was opened on and is closed when the session is left there.

    Entering it (``async with Session(...)``) reads the profile files and makes it the current
    session of the running task and its children. It may be entered again, and by many tasks at
    once; live state on a loop is closed when the last of them leaves.

    Without any argument, and without a default profile, the configuration is empty, as in boto3.

    Args:
        aws_access_key_id: Explicit access key id; needs `aws_secret_access_key`.
        aws_secret_access_key: Explicit secret access key.
        aws_session_token: Session token that belongs to the explicit keys.
        region_name: Region of the clients; before `AWS_DEFAULT_REGION`, `AWS_REGION` and the
            profile's `region`.
        botocore_session: An `aiobotocore.session.AioSession` to drive instead of one's own.
        profile_name: Profile to use; must exist. Before `AWS_DEFAULT_PROFILE` and `AWS_PROFILE`.
        aws_account_id: Account of the explicit keys.
        config: Default client configuration, a botocore `Config` or aiobotocore `AioConfig`.
        endpoint_url: Endpoint of every client, also of those made for roles and SSO.
        verify: `False` to check no TLS certificate, or the path of a CA bundle.
        credentials: Where credentials come from, instead of the usual sources: a `Credentials`, an
            object with `async def load()`, an async callable, or a list of these; wrapped in
            `asession.credentials.Insert`, they are asked among the usual sources.
        credential_cache: Where credentials of assumed roles are kept: ``"memory"``, ``"cli"`` for
            the AWS CLI's files, or a directory.
        config_file: Config file, before `AWS_CONFIG_FILE` and ``~/.aws/config``.
        credentials_file: Credentials file, before `AWS_SHARED_CREDENTIALS_FILE` and
            ``~/.aws/credentials``.
        profiles: Profiles in place of both files: profile name -> keys, nested sections as
            mappings; ``"sso-session NAME"`` and ``"services NAME"`` as in the file.
        environ: Environment variables in place of `os.environ`.
        mfa: Called with the serial of an MFA device, returns a code. Without it the terminal asks.
        observers: Functions that are told what credentials, clients and connections do, see
            `asession.observe`; sessions made from this one have them too.

    Raises:
        PartialCredentialsError: One of the two keys is missing.
        NoCredentialsError: `aws_account_id` was given without keys.
        ValueError: Arguments exclude each other.
        TypeError: `botocore_session` is not an aiobotocore session, or an observer is no plain
            function.

    Example:
        async with Session(profile_name="dev") as session:
            async with session.client("s3") as s3:
                await s3.list_buckets()
    """

    def __init__(
        self,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        region_name: str | None = None,
        botocore_session: AioSession | None = None,
        profile_name: str | None = None,
        aws_account_id: str | None = None,
        *,
        config: Config | None = None,
        endpoint_url: str | None = None,
        verify: bool | str | None = None,
        credentials: CredentialSource | None = None,
        credential_cache: str | os.PathLike[str] = "memory",
        config_file: str | os.PathLike[str] | None = None,
        credentials_file: str | os.PathLike[str] | None = None,
        profiles: Mapping[str, Mapping[str, Any]] | None = None,
        environ: Mapping[str, str] | None = None,
        mfa: MFAPrompt | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._setup(
            SessionOptions(
                aws_access_key_id=aws_access_key_id,
                aws_secret_access_key=aws_secret_access_key,
                aws_session_token=aws_session_token,
                region_name=region_name,
                botocore_session=botocore_session,
                profile_name=profile_name,
                aws_account_id=aws_account_id,
                config=config,
                endpoint_url=endpoint_url,
                verify=verify,
                credentials=credentials,
                credential_cache=credential_cache,
                config_file=config_file,
                credentials_file=credentials_file,
                profiles=profiles,
                environ=environ,
                mfa=mfa,
                observers=observers,
            ),
            SessionEvents(),
        )

    def _setup(self, options: SessionOptions, events: SessionEvents) -> None:
        self._options = options
        self._events = events
        self._connector = Connector(options, events)
        self._live = LiveStates(self._connector.connect)

    @property
    def profile_name(self) -> str:
        """The profile in force, ``"default"`` when nobody chose one.

        Raises:
            SessionNotResolvedError: It was not given, and the session is not resolved yet.
        """
        if self._connector.facts is not None:
            return self._connector.facts.profile_name
        if self._options.profile_name is not None:
            return self._options.profile_name
        raise SessionNotResolvedError(attribute="profile_name")

    @property
    def region_name(self) -> str | None:
        """The region of clients that are not given one, or `None`.

        Raises:
            SessionNotResolvedError: It was not given, and the session is not resolved yet.
        """
        if self._connector.facts is not None:
            return self._connector.facts.region_name
        if self._options.region_name is not None:
            return self._options.region_name
        raise SessionNotResolvedError(attribute="region_name")

    @property
    def available_profiles(self) -> list[str]:
        """The names of all profiles.

        Raises:
            SessionNotResolvedError: The session is not resolved yet.
        """
        if self._connector.facts is None:
            raise SessionNotResolvedError(attribute="available_profiles")
        return list(self._connector.facts.available_profiles)

    @property
    def events(self) -> SessionEvents:
        """The handlers of botocore's events, for clients and resources made afterwards."""
        return self._events

    def replace(self, **changes: Any) -> Session:
        """A new, un-entered session with some arguments changed; handlers are copied.

        Args:
            changes: Arguments of `Session`, by name.

        Raises:
            TypeError: There is no such argument.
            PartialCredentialsError: See `Session`, as for all its errors.

        Example:
            frankfurt = session.replace(region_name="eu-central-1")
        """
        unknown = [name for name in changes if name not in SessionOptions.__slots__]
        if unknown:
            raise TypeError(f"Session has no argument {', '.join(map(repr, unknown))}")
        other = Session.__new__(type(self))
        other._setup(self._options.replace(changes), self._events.copy())
        return other

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._options.describe()})"

    def __reduce__(self) -> tuple[Any, ...]:
        self._options.check_picklable(sys._getframe(1))
        self._events.check_picklable()
        return _restore, (type(self), self._options.given())

    async def resolve(self) -> Self:
        """Read the profile files and the environment, without entering.

        Files that have not changed are not read again. Afterwards the properties are plain values.

        Returns:
            The session itself.

        Raises:
            ProfileNotFoundError: The profile asked for does not exist.
            ConfigParseError: A file cannot be parsed.
        """
        state = self._live.entered()
        if state is None:
            await self._connector.resolve()
        else:
            async with self._live.hold(state):
                await state.backend.get()
        return self

    async def __aenter__(self) -> Self:
        state = self._live.enter()
        frame = push(cast("Session", self), sys._getframe(1))
        state.frames.append(frame)
        try:
            await state.backend.get()
        except BaseException as error:
            await self._leave(state, frame, error)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        entries = {frame: state for state in self._live.here() for frame in state.frames}
        frame = choose(entries, sys._getframe(1))
        if frame is not None:
            await self._leave(entries[frame], frame, error)

    async def _leave(self, state: LiveState, frame: Any, error: BaseException | None) -> None:
        leave(frame)
        state.frames.remove(frame)
        await self._live.leave(state, error)

    async def aclose(self) -> None:
        """Close what the session has open on this event loop, now, whoever entered it.

        Its clients raise `ClientClosedError` afterwards. The session may be entered again.

        Raises:
            Exception: What closing a client raised; an `ExceptionGroup` if several did.
        """
        await self._live.aclose()


def _restore(kind: type[Session], arguments: dict[str, Any]) -> Session:
    return kind(**arguments)

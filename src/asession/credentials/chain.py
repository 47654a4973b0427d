"""The sources of a session in order: which one answers, and why the others did not."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from asession._profiles.load import load_profiles
from asession._settings.advice import advice_for, annotate
from asession.credentials.cache import PROCESS_CACHE, Cache, Entry
from asession.credentials.inputs import Inputs
from asession.credentials.keys import SourceKey, profile_inputs
from asession.credentials.refresh import Clock, Random
from asession.credentials.reports import Refreshes
from asession.credentials.source import Source
from asession.credentials.source_credentials import SourceCredentials
from asession.credentials.trail import (
    DEFERRED,
    EMPTY,
    SHARED,
    SOURCES,
    STABLE,
    Attempt,
    Situation,
)

if TYPE_CHECKING:
    from asession._aws.chain import Prepare, Providers
    from asession._aws.session import AwsSession
    from asession.credentials.mfa import MFAPrompt


@dataclass(frozen=True, slots=True)
class Workshop:
    """What sources are made with; lives as long as the process, or a test.

    Attributes:
        cache: What is known about source keys.
        clock: Tells the time.
        random: Makes the jitter.
    """

    cache: Cache = PROCESS_CACHE
    clock: Clock = time.time
    random: Random = random.random

    def source(
        self, name: str, key: SourceKey | object, entry: Entry, prepare: Prepare, **kwargs: Any
    ) -> Source:
        """A source.

        Args:
            name: Its name.
            key: Its key.
            entry: What is known about it.
            prepare: How to ask it.
            kwargs: Further arguments of `Source`.
        """
        from asession._aws.exchanges import is_terminal

        return Source(
            name,
            key,
            entry,
            prepare,
            is_terminal=is_terminal,
            clock=self.clock,
            random=self.random,
            **kwargs,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One source of a chain; a value.

    Attributes:
        name: Its name.
        why_not: Why it is not configured, or `None` if it may be.
        source: Makes it.
    """

    name: str
    why_not: str | None
    source: Callable[[], Source]


class Chain:
    """The sources of one session on one event loop.

    Lives as long as the session's live state there; nothing needs closing. The first source that
    has credentials is taken; one that is configured and fails ends the search.

    Args:
        aws: The session's way to AWS.
        workshop: What sources are made with.
        ask: Called with the serial of an MFA device, returns a code.
        arrange: Puts the sources that the user gave in the place of the usual ones, or among them.
        handlers: Tells the session's event handlers that may change the requests of sources.
    """

    def __init__(
        self,
        aws: AwsSession,
        workshop: Workshop,
        ask: MFAPrompt,
        arrange: Callable[[Chain], Sequence[Step]],
        handlers: Callable[[], Sequence[object]] = tuple,
    ) -> None:
        self.aws = aws
        self.workshop = workshop
        self.ask = ask
        self._snapshot = aws.snapshot
        self._arrange = arrange
        self._handlers = handlers
        self._reporter = aws.reporter
        self._error: BaseException | None = None
        self._made: tuple[Providers, Inputs] | None = None
        self.trail: tuple[Attempt, ...] = ()

    @property
    def inputs(self) -> Inputs:
        """What may reach the requests of the sources."""
        return self._making()[1]

    def source(
        self,
        name: str,
        key: SourceKey | object,
        entry: Entry,
        prepare: Prepare,
        *,
        profile: str | None = None,
        **kwargs: Any,
    ) -> Source:
        """A source of this chain.

        Args:
            name: Its name.
            key: Its key.
            entry: What is known about it.
            prepare: How to ask it.
            profile: The profile that it belongs to, if not the one in force.
            kwargs: Further arguments of `Source`.
        """
        in_force = self.aws.profile_in_force.section
        report = Refreshes(self._reporter, name, in_force if profile is None else profile)
        return self.workshop.source(
            name, key, entry, prepare, is_own=self.is_own, report=report, **kwargs
        )

    def usual_steps(self) -> Iterator[Step]:
        """The usual sources in botocore's order."""
        situation = self._situation()
        for name in SOURCES:
            yield Step(name, situation.why_not(name), partial(self._usual, name))

    async def select(self) -> Source | None:
        """The first source that has credentials, or `None`; the `trail` tells the rest.

        Raises:
            Exception: A source that is configured failed.
        """
        self._error = None
        trail: list[Attempt] = []
        chosen: Source | None = None
        steps = list(self._arrange(self))
        asked = ""
        try:
            for step in steps:
                if chosen is not None:
                    trail.append(Attempt(step.name, "not asked", "not asked"))
                elif step.why_not is not None:
                    trail.append(Attempt(step.name, "skipped", step.why_not))
                else:
                    asked = step.name
                    source = step.source()
                    if await source.select():
                        chosen = source
                        trail.append(Attempt(step.name, "found", "has credentials"))
                    else:
                        detail = EMPTY.get(step.name, "has none")
                        trail.append(Attempt(step.name, "empty", detail))
                    asked = ""
        except Exception as error:
            self._error = error
            # Errors of sources may quote what they were given: their class says enough.
            trail.append(Attempt(asked, "failed", f"failed with {type(error).__name__}"))
            asked = ""
            self.advise(error)
            raise
        finally:
            if asked:  # and cancelled meanwhile
                trail.append(Attempt(asked, "failed", "was not done when the search was ended"))
            self.trail = tuple(trail)
        return chosen

    def advise(self, error: Exception) -> None:
        """Add to an error of a source what to do about it, where that is known."""
        if not self.aws.is_dissolved:
            annotate(error, self.aws.profile_in_force.section)

    def is_own(self, error: Exception) -> bool:
        """Whether an error of a source is this session's alone, because the session was closed."""
        from asession._aws.exchanges import is_interruption

        return self.aws.is_dissolved or is_interruption(error)

    async def reload(self) -> bool:
        """Look whether the profile files have changed; returns whether they have."""
        options = self.aws.options
        if options.profiles is not None:
            return False
        snapshot = await load_profiles(
            self.aws.environ,
            config_file=options.config_file,
            credentials_file=options.credentials_file,
        )
        if snapshot is self._snapshot:
            return False
        self._snapshot = snapshot
        self._made = None
        return True

    def next_step(self) -> str:
        """What to do when there are no credentials, or the last search failed."""
        profile = self.aws.profile_in_force.section
        step = None if self._error is None else advice_for(self._error, profile)
        return self._situation().next_step() if step is None else step

    # -- the usual sources --------------------------------------------------------------------

    def _situation(self, source_profile: str | None = None) -> Situation:
        """What decides which sources are configured, by the profile in force or one below it."""
        snapshot, profile = self._snapshot, self.aws.profile_in_force
        name = profile.section if source_profile is None else source_profile
        return Situation(
            environ=self.aws.environ,
            profile_name=name,
            is_explicit=source_profile is not None or profile.origin.kind == "argument",
            profile=snapshot.profiles.get(name, {}),
            in_credentials=snapshot.credentials.get(name, {}),
            in_config=snapshot.config["profiles"].get(name, {}),
            files=snapshot.searched,
        )

    def _usual(self, name: str) -> Source:
        providers, _ = self._making()
        prepare = partial(providers.prepare, name)
        if name not in SHARED:  # costs no call, and must not outlive its file
            return self.source(name, object(), Entry(), prepare)
        profile = self.aws.profile_in_force
        reads_environ = profile.origin.kind != "argument"
        return self._shared(name, profile.section, prepare, reads_environ=reads_environ)

    def _shared(self, name: str, profile: str, prepare: Prepare, *, reads_environ: bool) -> Source:
        key = self.inputs.key(name, profile, reads_environ=reads_environ)
        return self.source(
            name,
            key,
            self.workshop.cache.entry(key),
            prepare,
            profile=profile,
            deferred=name in DEFERRED,
            stable=name in STABLE,
        )

    async def _offer(self, name: str, profile: str, prepare: Prepare) -> Any:
        """The shared credentials of a source of a role."""
        if self._situation(profile or None).why_not(name) is not None:
            return None  # and nothing to remember
        source = self._shared(name, profile, prepare, reads_environ=False)
        return SourceCredentials(source, self.workshop.clock) if await source.select() else None

    def _making(self) -> tuple[Providers, Inputs]:
        if self._made is None:
            from asession._aws.chain import Providers
            from asession._aws.providers import role_cache

            aws = self.aws
            name = aws.profile_in_force.section
            cache = role_cache(aws.options.credential_cache, aws.environ, self._file_scope())
            providers = Providers(
                aws, snapshot=self._snapshot, ask=self.ask, cache=cache, offer=self._offer
            )
            region = providers.region_name or aws.settings["region"].value
            handlers = self._handlers()
            inputs = Inputs(aws.options, aws.environ, self._snapshot, name, region, handlers)
            self._made = providers, inputs
        return self._made

    def _file_scope(self) -> str:
        """What the names of files with role credentials depend on, without any secret.

        Empty for the AWS CLI's own files: it tells roles apart by the role's parameters alone.
        """
        options = self.aws.options
        own = (options.profiles, options.config_file, options.credentials_file, options.environ)
        if options.credential_cache == "cli" and own == (None,) * 4:
            return ""
        name = self.aws.profile_in_force.section
        found = profile_inputs(name, self._snapshot.profiles, self._snapshot.config["sso_sessions"])
        for values in found.values():
            values["keys"].pop("aws_secret_access_key", None)
            values["keys"].pop("aws_session_token", None)
        who = [found, options.endpoint_url, self.aws.environ.get("AWS_ACCESS_KEY_ID")]
        return sha256(json.dumps(who, sort_keys=True, default=dict).encode()).hexdigest()

"""Looking at a session: what it is made of, what becomes of its sources, what is wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import anyio

from asession._aws.config import Config
from asession._aws.resolve import salvage
from asession._explain import checks, mistakes
from asession._explain.errors import finding_of
from asession._explain.masking import Secrets, masked
from asession._explain.places import Places
from asession._explain.situation import Situation
from asession._logging import log
from asession._settings.endpoints import NAME, endpoints_of
from asession._settings.settings import Resolution
from asession.credentials.caller import CallerIdentity
from asession.credentials.explanation import Explanation, Finding, Setting
from asession.credentials.trail import Attempt
from asession.exceptions import NoCredentialsError

if TYPE_CHECKING:
    from asession.session import Session

_log = logging.getLogger("asession.explain")

# How long, at most, a session's sources are looked at, its keys are waited for, and STS; in
# seconds. A credential_process alone may take 60.
_SOURCES_SECONDS = 90.0
_CALLER_SECONDS = 60.0
# Somebody has to find the device and type.
_CODE_SECONDS = 300.0
# The settings whose values may hold passwords, in the addresses of proxies for example.
_OPAQUE = frozenset({"proxies_config.proxy_client_cert", "plugins"})


def patience() -> Config:
    """A client configuration for who waits in front of a terminal."""
    return Config(
        connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 2, "mode": "standard"}
    )


@dataclass(slots=True)
class _Seen:
    """What became of the sources; filled while one looks."""

    credentials: tuple[Attempt, ...] = ()
    method: str | None = None
    access_key: str | None = None
    asked: str | None = None  # who was asked last, if it is not the source
    caller: CallerIdentity | None = None
    findings: list[Finding] = field(default_factory=list)


async def examine(session: Session, *, check: bool) -> Explanation:
    """Look at a session; raises nothing that its set-up can cause.

    Args:
        session: The session.
        check: Whether to get the keys that it would sign with, and ask STS whose they are.
    """
    options = session._options
    if options.botocore_session is not None:
        return await _examine_given(session, check=check)
    seen = _Seen()
    failure: Exception | None = None
    try:
        await session.resolve()
        resolution = await session._connector.resolved()
    except Exception as error:
        log(
            _log,
            logging.DEBUG,
            "explain.resolving",
            "the session cannot be resolved: %(error)s",
            exc_info=True,
            error=type(error).__name__,
        )
        failure = error
        resolution = await salvage(options)
    secrets = Secrets.of(options, resolution)
    at = Situation(
        profile_name=resolution.profile.section,
        snapshot=resolution.snapshot,
        environ=resolution.environ,
        endpoints=endpoints_of(resolution, options.endpoint_url),
        places=await Places.of(resolution.snapshot),
        resolution=resolution,
    )
    regions: list[str] = []
    if failure is None:
        async with session._live.held():  # for all that follows
            await _look(session, at, seen)
            if check and seen.method is not None and not seen.findings:
                await _ask(session, replace(at, source=seen.method), seen, secrets)
            regions = await _regions(session)
    else:
        seen.findings.append(finding_of(failure, at))
    works = seen.caller is not None or (not check and seen.method is not None)
    findings = await _findings(at, seen, regions, works=works)
    told = Explanation(
        profile_name=at.profile_name,
        files=resolution.snapshot.searched,
        settings=_settings(resolution, at, given=True),
        defaults=_settings(resolution, at, given=False),
        endpoints=[
            Setting(name, str(it.value), str(it.origin), _line(at, name, str(it.origin)))
            for name, it in at.endpoints.items()
        ],
        credentials=seen.credentials,
        method=seen.method,
        access_key=seen.access_key,
        caller=seen.caller,
        findings=findings,
    )
    return _without_secrets(told, secrets.mask)


async def _examine_given(session: Session, *, check: bool) -> Explanation:
    """Of a session that drives one of aiobotocore's, which has its own settings and sources."""
    found = Attempt("botocore_session", "found", "has its own sources")
    seen = _Seen((found,), "botocore_session")
    # Which files and variables it reads is its own affair; most likely these.
    secrets = Secrets.of(session._options, await salvage(session._options))
    try:
        await session.resolve()
        name = session.profile_name
    except Exception as error:
        seen.findings.append(finding_of(error))
        name, check = session._options.profile_name or "default", False
    if check:
        await _ask(session, Situation(profile_name=name), seen, secrets)
    told = Explanation(
        profile_name=name,
        credentials=seen.credentials,
        method=seen.method,
        caller=seen.caller,
        findings=seen.findings,
    )
    return _without_secrets(told, secrets.mask)


async def _look(session: Session, at: Situation, seen: _Seen) -> None:
    """See which source has credentials, and why the others have none."""
    try:
        async with session._live.held() as state:
            backend = await state.backend.get()
            with backend.using():
                identity = await backend.identity()
                if identity is None:
                    given = Attempt("explicit", "found", "keys were given to the Session")
                    seen.credentials, seen.method = (given,), "explicit"
                    seen.access_key = masked(session._options.aws_access_key_id or "")
                    return
                try:
                    with anyio.fail_after(_patience_for(_SOURCES_SECONDS, at)):
                        if not await identity.select():
                            seen.findings.append(_nothing(identity.missing(), at))
                finally:
                    seen.credentials, seen.method = identity.chain.trail, identity.method
                key = identity.access_key
                seen.access_key = None if key is None else masked(key)
    except TimeoutError as error:
        seen.findings.append(_late(error, at, seen))
    except Exception as error:
        log(
            _log,
            logging.DEBUG,
            "explain.sources",
            "a source of credentials failed: %(error)s",
            exc_info=True,
            error=type(error).__name__,
        )
        asked = next((it.source for it in seen.credentials if it.outcome == "failed"), "")
        seen.findings.append(finding_of(error, replace(at, source=asked)))


async def _ask(session: Session, at: Situation, seen: _Seen, secrets: Secrets) -> None:
    """Get keys, and ask STS whom AWS takes the session for."""
    try:
        with anyio.fail_after(_patience_for(_SOURCES_SECONDS, at)):
            keys = await session.get_frozen_credentials()
        secrets.add(keys.secret_key, keys.token)
        seen.access_key, seen.asked = masked(keys.access_key), "STS"
        with anyio.fail_after(_CALLER_SECONDS):
            seen.caller = await session._caller(patience())
    except TimeoutError as error:
        seen.findings.append(_late(error, at, seen))
    except Exception as error:
        log(
            _log,
            logging.DEBUG,
            "explain.keys",
            "the credentials do not work: %(error)s",
            exc_info=True,
            error=type(error).__name__,
        )
        seen.findings.append(finding_of(error, at))


async def _findings(
    at: Situation, seen: _Seen, regions: list[str], *, works: bool
) -> list[Finding]:
    """All findings, the causes of others before them, errors first."""
    plain = checks.Known
    known = [
        *map(plain, mistakes.of_files(at.snapshot)),
        *checks.of_settings(at),
        *await checks.of_ca_bundle(at),
        *map(plain, mistakes.of_environment(at.environ)),
        *map(plain, mistakes.of_keys(at, works=works)),
        *checks.of_region(at, regions, works=seen.caller is not None),
        *checks.of_clashes(seen.method, at),
    ]
    first = [it.finding for it in known]
    others = [it for it in seen.findings if not any(one.explains(it) for one in known)]
    places = {it.where for it in others}
    sections = [it for it in mistakes.of_sections(at.snapshot, at.places) if it.where not in places]
    unique = {it.cause: it for it in [*first, *others, *sections]}
    return sorted(unique.values(), key=lambda it: it.severity)


def _nothing(error: NoCredentialsError, at: Situation) -> Finding:
    cause = f"no credentials: no source has any for the profile {at.profile_name!r}"
    if at.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        cause += " (instance metadata is not asked: AWS_EC2_METADATA_DISABLED is true)"
    return Finding("error", cause, error.next_step, at.places.of_profile(at.profile_name))


def _late(error: TimeoutError, at: Situation, seen: _Seen) -> Finding:
    asked = next((it.source for it in seen.credentials if it.outcome == "failed"), None)
    asked = asked or seen.asked or seen.method
    told = finding_of(error, at)
    return replace(told, cause=f"{asked or 'the session'} did not answer in time")


def _patience_for(seconds: float, at: Situation) -> float:
    types_code = any("mfa_serial" in at.profile(name) for name in at.chain())
    return _CODE_SECONDS if types_code else seconds


async def _regions(session: Session) -> list[str]:
    found: list[str] = []
    try:
        for partition in await session.get_available_partitions():
            found += await session.get_available_regions("sts", partition)
    except Exception as error:
        log(
            _log,
            logging.DEBUG,
            "explain.regions",
            "the regions are not known: %(error)s",
            exc_info=True,
            error=type(error).__name__,
        )
    return found


def _settings(resolution: Resolution, at: Situation, *, given: bool) -> list[Setting]:
    """The settings that somebody gave, or the others."""
    found: list[Setting] = []
    for name in sorted(resolution.settings):
        try:
            resolved = resolution.settings[name]
        except ValueError as error:  # a broken value hurts only who uses it
            if given:
                origin = str(getattr(error, "origin", ""))
                found.append(Setting(name, "unusable", origin, _line(at, name, origin)))
            continue
        if (resolved.origin.kind != "default") is given:
            origin = str(resolved.origin)
            value = "***" if name in _OPAQUE else str(resolved.value)
            found.append(Setting(name, value, origin, _line(at, name, origin)))
    return found


def _line(at: Situation, name: str, origin: str) -> int | None:
    outer, dot, inner = name.partition(".")
    if not dot:
        return at.places.line(origin, name)
    if outer == NAME:  # the key of a service stands below the service
        outer, inner = inner, outer
    return at.places.line(origin, (outer, inner))


def _without_secrets(told: Explanation, mask: Callable[[str], str]) -> Explanation:
    def text(value: Any) -> Any:
        return mask(value) if isinstance(value, str) else value

    def each(values: Any) -> tuple[Any, ...]:
        return tuple(
            replace(it, **{name: text(getattr(it, name)) for name in it.__slots__}) for it in values
        )

    return replace(
        told,
        files=tuple(map(text, told.files)),
        settings=each(told.settings),
        defaults=each(told.defaults),
        endpoints=each(told.endpoints),
        credentials=each(told.credentials),
        findings=each(told.findings),
    )

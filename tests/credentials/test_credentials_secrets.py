"""Secrets show in no repr, log, message, pickle or file, whatever comes of a case."""

from __future__ import annotations

import json
import logging
import pickle
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from asession import Session, fan_out
from asession._logging import RedactingFormatter
from asession.credentials.cache import PROCESS_CACHE
from credentials.cases import CASES, Case, Stage, all_cases
from credentials.run_case import give_code, link_local
from servers.identity import IdentityServer

# Whatever is secret in the files of the cases is named so.
_STATIC = re.compile(
    r"\b(?:[a-z0-9]+-)+(?:secret|token)(?:-\d+)?\b|\blogin-refresh-\d+|Basic abc|secret-of-the-pod"
)
_PUBLIC = {"access-token", "refresh-token", "web-identity-token"}


class Kept(logging.Handler):
    """Keeps what it is given, raw and as our formatter prints it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.raw: list[tuple[str, str]] = []
        self.printed: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = logging.Formatter().format(record)
        self.raw.append((record.name, f"{text} {vars(record)}"))
        self.printed.append(RedactingFormatter().format(record))


@contextmanager
def logged() -> Iterator[Kept]:
    """Everything at DEBUG."""
    root, kept = logging.getLogger(), Kept()
    level = root.level
    root.addHandler(kept)
    root.setLevel(logging.DEBUG)
    try:
        yield kept
    finally:
        root.removeHandler(kept)
        root.setLevel(level)


def secrets_of(staged: Stage) -> set[str]:
    """What may show nowhere: the secrets of the case, and those the server handed out."""
    found: set[str] = set()
    for path in (CASES / staged.case.name).rglob("*"):
        if path.is_file() and path.name != "expect.json":
            found |= set(_STATIC.findall(path.read_text("utf-8")))
    for path in staged.home.rglob("*"):
        if path.is_file():
            text = path.read_text("utf-8")
            found |= set(re.findall(r"[A-Za-z0-9+/]{60,}", text.replace("\\n", "\n")))  # keys
    for keys in staged.server.mint.issued:
        found |= {keys.secret_key, keys.token}
    for call in staged.server.calls:
        found |= {call.token} if call.token else set()
    return found - _PUBLIC


async def everything_shown(staged: Stage) -> list[str]:
    """What the session and its credentials or its error show of themselves."""
    session = Session(**staged.session, environ=staged.environ, mfa=give_code)
    shown = [repr(session)]
    try:
        async with session:
            if staged.ask is not None:
                async with session.client(staged.ask["service"]) as client:
                    shown += [repr(client), repr(client.meta)]
                    await getattr(client, staged.ask["operation"])()
            credentials = await session.get_credentials()
            shown += [repr(session), repr(credentials), str(credentials)]
            if credentials is not None:
                frozen = await credentials.get_frozen_credentials()
                shown += [repr(frozen), str(frozen), repr([frozen]), repr(credentials)]
                with pytest.raises(pickle.PicklingError) as refused:
                    pickle.dumps(credentials)
                shown.append(str(refused.value))
    except Exception as error:
        shown += [repr(error), str(error), *traceback.format_exception(error)]
    return [*shown, repr(session)]


def files(home: Path) -> dict[Path, str]:
    return {path: path.read_text("utf-8") for path in home.rglob("*") if path.is_file()}


def showing(secrets: set[str], texts: list[str]) -> list[tuple[str, str]]:
    return [(secret, text[:400]) for text in texts for secret in secrets if secret in text]


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_secrets_show_nowhere(case: Case, stage: Callable[[Case], Stage]) -> None:
    if case.missing:
        pytest.skip(case.missing)
    staged = stage(case)
    before = files(staged.home)
    with link_local(staged), logged() as log:
        shown = anyio.run(everything_shown, staged)
    secrets = secrets_of(staged)
    assert not showing(secrets, shown)
    assert not showing(secrets, [text for name, text in log.raw if name.startswith("asession")])
    assert not showing(secrets, log.printed)
    kept = case.expected().get("files", {})
    written = {p for p, text in files(staged.home).items() if before.get(p) != text}
    assert {str(path.relative_to(staged.home)) for path in written} <= set(kept)


def test_the_cases_have_secrets_and_botocore_logs_them(stage: Callable[[Case], Stage]) -> None:
    staged = stage(Case("role-chain-of-three"))
    with link_local(staged), logged() as log:
        anyio.run(everything_shown, staged)
    secrets = secrets_of(staged)
    assert "static-secret" in secrets
    assert len(secrets) >= 7
    assert showing(secrets, [text for _, text in log.raw]), "there was nothing to mask"


@pytest.mark.anyio
async def test_a_pickled_session_holds_no_resolved_secret(stage: Callable[[Case], Stage]) -> None:
    staged = stage(Case("sso-session-token-renewed"))
    environ: dict[str, Any] = staged.environ
    async with Session(**staged.session, environ=environ) as session:
        await session.get_frozen_credentials()
        pickled = pickle.dumps(session)
    assert not [secret for secret in secrets_of(staged) if secret.encode() in pickled]


@pytest.mark.anyio
async def test_chains_of_roles_and_what_fails_in_a_fan_out_show_no_secret(
    identity: IdentityServer,
) -> None:
    role = "arn:aws:iam::123456789012:role/"
    shown: list[str] = []

    async def code(_serial: str) -> str:
        return "654321"

    async def look(session: Session) -> str:
        shown.append(repr(session))
        explanation = await session.explain()
        shown.extend([str(explanation), repr(explanation), json.dumps(explanation.to_dict())])
        async with session.client("sts") as sts:
            return repr(await sts.get_caller_identity())

    with logged() as log:
        user = Session(
            endpoint_url=identity.url,
            region_name="us-east-1",
            profiles={},
            aws_access_key_id="AKIAUSER",
            aws_secret_access_key="the-user-secret",
            aws_session_token="the-user-token",
            mfa=code,
        )
        first = user.assume_role(
            role + "first", SerialNumber="arn:aws:iam::1:mfa/me", ExternalId="the-external-id"
        )
        sessions = [
            user,
            first,
            first.assume_role(role + "second"),
            first.assume_role(role + "second").assume_role(role + "third"),
            user.assume_role_with_web_identity(role + "web", "the-web-token"),
            user.get_session_token(),
        ]
        for refuse in (False, True):
            if refuse:
                PROCESS_CACHE.clear()
                identity.fail("sts:*", "ExpiredToken")
            failed = 0
            async for result in fan_out([one.replace() for one in sessions], look):
                shown.append(repr(result))
                if result.error is not None:
                    failed += 1
                    shown += [repr(result.error), *traceback.format_exception(result.error)]
            assert failed == (len(sessions) if refuse else 0)
    secrets = {"the-user-secret", "the-user-token", "the-web-token", "654321"}
    for keys in identity.mint.issued:
        secrets |= {keys.secret_key, keys.token}
    assert len(secrets) >= 4 + 2 * 5
    assert not showing(secrets, shown)
    assert not showing(secrets, [text for name, text in log.raw if name.startswith("asession")])
    assert not showing(secrets, log.printed)

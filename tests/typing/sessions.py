"""What type checkers make of a user's code; checked, never run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, assert_type

import asession
from asession import Credentials, Session
from asession.credentials import (
    Attempt,
    CallerIdentity,
    CredentialProvider,
    Explanation,
    Finding,
    FrozenCredentials,
    Insert,
)
from asession.observe import ConnectionEvent, CredentialsRefreshed, Event
from asession.observe.otel import OpenTelemetryObserver


class Vault:
    """A provider by its shape alone."""

    async def load(self) -> Credentials | None:
        return Credentials("id", "secret")


async def ask(serial: str) -> str:
    return "123456"


async def keys() -> Credentials | None:
    return None


def watch(event: Event) -> None:
    match event:
        case CredentialsRefreshed():
            assert_type(event.duration, float)
        case ConnectionEvent():
            assert_type(event.host, str)
        case _:
            assert_type(event.fields(), dict[str, Any])


provider: CredentialProvider = Vault()


async def sessions() -> None:
    session = Session("id", "secret", region_name="eu-west-1", credentials=None, mfa=ask)
    Session(credentials=[Vault(), keys, Credentials("id", "secret")], credential_cache="cli")
    Session(profiles={"dev": {"region": "eu-west-1", "s3": {"addressing_style": "path"}}})
    Session(observers=[watch, print, OpenTelemetryObserver()])
    async with session as entered:
        assert_type(entered, Session)
        assert_type(entered.profile_name, str)
        assert_type(entered.region_name, str | None)
        assert_type(entered.available_profiles, list[str])
    assert_type(await session.resolve(), Session)
    assert_type(session.replace(region_name="us-east-1"), Session)
    assert_type(await session.get_credentials(), Credentials | None)
    assert_type(await session.get_frozen_credentials(), FrozenCredentials)
    assert_type(await session.get_available_regions("s3"), list[str])
    assert_type(asession.current_session(), Session)
    with asession.use_session(session) as used:
        assert_type(used, Session)


async def count(session: Session) -> int:
    return len(session.available_profiles)


async def identities(session: Session) -> None:
    role = session.assume_role("arn", DurationSeconds=timedelta(hours=1), Policy={}, mfa=ask)
    assert_type(role, Session)
    assert_type(role.assume_role("arn", Tags={"a": "b"}), Session)
    assert_type(session.assume_role_with_web_identity("arn", "token"), Session)
    assert_type(session.get_session_token(), Session)
    assert_type(await session.caller_identity(), CallerIdentity)
    assert_type(await session.account_id(), str)
    explanation = await session.explain()
    assert_type(explanation, Explanation)
    assert_type(explanation.credentials[0], Attempt)
    assert_type((await session.explain(check=True)).findings[0], Finding)
    assert_type(explanation.caller, CallerIdentity | None)
    Session(credentials=Insert(Vault(), before="sso"))
    Session(credentials=[Insert(Vault()), Insert(keys, after="env")])
    async with asession.fan_out([session, role], count, limit=2) as results:
        async for result in results:
            assert_type(result.value, int | None)
            assert_type(result.unwrap(), int)
    async for direct in asession.fan_out([session], count):
        assert_type(direct.error, Exception | None)


def misuse(session: Session) -> None:
    session.profile_name = "other"  # wrong
    Session(profile="dev")  # wrong

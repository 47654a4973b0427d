"""`repr` of sessions and of what they hand out never raises and shows no secret."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
from botocore.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st

import asession
from asession import Credentials, Session
from session.conftest import Make

SECRET = "sEcReT/wJalrXUtnFEMI"
TEXT = st.text(max_size=40)


class Provider:
    """Shows its secret to whoever asks."""

    async def load(self) -> None:
        return None

    def __repr__(self) -> str:
        return SECRET


class Raises(Provider):
    """Has no `repr`."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


def secret_source() -> Any:
    sources = st.sampled_from([Provider(), Raises(), Credentials("AKIDEXAMPLE", SECRET, SECRET)])
    return st.one_of(sources, st.lists(sources, max_size=3))


keys = st.fixed_dictionaries(
    {"aws_access_key_id": TEXT.filter(bool), "aws_secret_access_key": st.just(SECRET)},
    optional={"aws_session_token": st.just(SECRET), "aws_account_id": TEXT},
)
no_keys = st.fixed_dictionaries({}, optional={"credentials": secret_source()})
files = st.fixed_dictionaries(
    {},
    optional={
        "config_file": st.one_of(TEXT, TEXT.map(pathlib.PurePosixPath)),
        "credentials_file": TEXT,
    },
)
mapping = st.fixed_dictionaries(
    {
        "profiles": st.dictionaries(
            TEXT, st.fixed_dictionaries({"aws_secret_access_key": st.just(SECRET)})
        )
    }
)
others = st.fixed_dictionaries(
    {},
    optional={
        "region_name": TEXT,
        "profile_name": TEXT,
        "config": st.just(Config(user_agent=SECRET)),
        "endpoint_url": TEXT,
        "verify": st.one_of(st.booleans(), TEXT),
        "credential_cache": TEXT,
        "environ": st.dictionaries(TEXT, st.just(SECRET), max_size=3),
        "mfa": st.sampled_from([Provider(), Raises()]),
    },
)


@given(st.one_of(keys, no_keys), st.one_of(files, mapping), others)
@settings(max_examples=300, deadline=None)
def test_a_session_shows_no_secret(
    identity: dict[str, Any], where: dict[str, Any], more: dict[str, Any]
) -> None:
    session = Session(**identity, **where, **more)
    shown = repr(session)
    assert shown.startswith("Session(")
    assert SECRET not in shown
    assert SECRET not in repr(session._options)
    key = identity.get("aws_access_key_id", "")
    if key != "***":
        assert f"aws_access_key_id={key!r}" not in shown
    assert SECRET not in repr(session.client("s3"))
    for name in {**identity, **where, **more}:
        if not (name == "credential_cache" and more[name] == "memory"):
            assert f"{name}=" in shown


def test_a_session_says_what_it_is() -> None:
    assert repr(Session()) == "Session()"
    session = Session("AKIDEXAMPLE12345", SECRET, region_name="eu-west-1", environ={"A": "b"})
    assert repr(session) == (
        "Session(aws_access_key_id='AKID***2345', aws_secret_access_key='***', "
        "region_name='eu-west-1', environ=<1 variables>)"
    )


def test_a_password_in_the_endpoint_is_not_shown() -> None:
    session = Session(endpoint_url=f"https://user:{SECRET}@127.0.0.1:9000/path")
    assert SECRET not in repr(session)
    assert "127.0.0.1:9000" in repr(session)


@pytest.mark.anyio
async def test_what_a_session_hands_out_shows_no_secret(make: Make) -> None:
    async with make(aws_session_token=SECRET) as session:
        credentials = await session.get_credentials()
        frozen = await session.get_frozen_credentials()
        client = await session.client("s3")
        live = session._live.entered()
        for it in (credentials, frozen, client, session.events, live, session):
            assert SECRET not in repr(it)
            assert "'secret'" not in repr(it)
    assert SECRET not in repr(Credentials("AKIDEXAMPLE", SECRET, SECRET))
    assert repr(asession.current_session()) == "Session()"

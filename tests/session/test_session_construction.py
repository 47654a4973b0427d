"""Constructing a session is cheap: no I/O, no event loop, any thread; and it never changes."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import threading
import time
from types import MappingProxyType
from typing import Any

import anyio
import pytest
from botocore.config import Config

import asession
from asession import Session
from asession.exceptions import (
    NoCredentialsError,
    PartialCredentialsError,
    SessionNotResolvedError,
)

Arguments = dict[str, Any]

EVERYTHING: Arguments = {
    "region_name": "eu-west-1",
    "profile_name": "nope",
    "endpoint_url": "http://127.0.0.1:1",
    "verify": "/nowhere/ca.pem",
    "config": Config(),
    "credential_cache": "/nowhere/cache",
    "environ": {"AWS_PROFILE": "nope"},
}


def test_constructing_touches_no_file(home: Any, file_watch: Any) -> None:
    home.write_config("[default]\nregion = eu-west-1\n")
    Session(profile_name="nope").client("s3")  # imports what there is to import
    asession.current_session()
    with file_watch:
        session = Session("AKIDEXAMPLE", "secret", **EVERYTHING)
        other = Session(config_file="/nowhere/config", credentials_file="/nowhere/credentials")
        session.replace(region_name="eu-north-1")
        session.client("s3")
        session.resource("s3")
        session.events.register("before-call", lambda **_: None)
        asession.setup_default_session(profile_name="nope")
        asession.current_session()
        repr((session, other))
    asession.setup_default_session()
    assert file_watch.events == []


def test_constructing_works_in_many_threads_at_once() -> None:
    made: list[Session] = []
    barrier = threading.Barrier(16)

    def work() -> None:
        barrier.wait(10)
        made.extend(Session("AKIDEXAMPLE", "secret", **EVERYTHING) for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(set(made)) == 800


def test_constructing_is_cheap() -> None:
    Session("AKIDEXAMPLE", "secret", **EVERYTHING)
    best = 1.0
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(100):
            Session("AKIDEXAMPLE", "secret", **EVERYTHING)
        best = min(best, (time.perf_counter() - started) / 100)
    assert best < 0.001


def test_constructing_imports_no_event_loop_and_none_of_upstreams_sessions() -> None:
    script = (
        "import sys, asession\n"
        "asession.Session('AKID', 'secret', region_name='x').client('s3')\n"
        "asession.setup_default_session(); asession.current_session()\n"
        "slow = {'aiobotocore', 'boto3', 'aiohttp', 'trio', 'botocore.session'}\n"
        "assert not slow & set(sys.modules), slow & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_positional_arguments_are_boto3s_in_boto3s_order() -> None:
    import inspect

    import boto3.session

    theirs = list(inspect.signature(boto3.session.Session.__init__).parameters)
    ours = inspect.signature(Session.__init__).parameters
    positional = [n for n, p in ours.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == theirs


def test_values_given_as_arguments_are_known_at_once() -> None:
    session = Session(region_name="eu-west-1", profile_name="dev")
    assert (session.region_name, session.profile_name) == ("eu-west-1", "dev")
    with pytest.raises(SessionNotResolvedError, match=r"async with session.*await session.resolve"):
        _ = session.available_profiles


def test_what_contradicts_itself_is_refused_at_once() -> None:
    halves: list[Arguments] = [{"aws_access_key_id": "AKID"}, {"aws_secret_access_key": "s"}]
    for half in halves:
        with pytest.raises(PartialCredentialsError) as caught:
            Session(**half)
        assert caught.value.provider == "explicit"
    with pytest.raises(PartialCredentialsError):
        Session(aws_session_token="token")
    with pytest.raises(NoCredentialsError):
        Session(aws_account_id="123456789012")
    with pytest.raises(ValueError, match="credentials="):
        Session("AKID", "secret", credentials=asession.Credentials("AKID", "secret"))
    given: list[Arguments] = [{"config_file": "x"}, {"credentials_file": "x"}]
    for files in given:
        with pytest.raises(ValueError, match="profiles="):
            Session(profiles={}, **files)
    with pytest.raises(TypeError, match=r"AioSession.*get_session"):
        Session(botocore_session=given)  # type: ignore[arg-type,unused-ignore]


def test_no_error_of_construction_shows_a_secret() -> None:
    secret = "SECRETSECRETSECRET"
    halves: list[Arguments] = [
        {"aws_secret_access_key": secret},
        {"aws_session_token": secret},
        {"aws_access_key_id": "AKID", "aws_session_token": secret},
    ]
    for arguments in halves:
        with pytest.raises(PartialCredentialsError) as caught:
            Session(**arguments)
        assert secret not in str(caught.value) + repr(caught.value)


def test_a_sync_botocore_session_is_refused_with_the_fix() -> None:
    import botocore.session

    sync: Any = botocore.session.Session()
    with pytest.raises(TypeError, match="get_session"):
        Session(botocore_session=sync)
    with pytest.raises(TypeError, match="get_session"):
        Session().replace(botocore_session=sync)


def test_a_session_does_not_change_with_the_mappings_it_was_given() -> None:
    environ = {"AWS_REGION": "eu-west-1"}
    profiles: dict[str, dict[str, Any]] = {"default": {"output": "json", "s3": {"a": "1"}}}
    session = Session(environ=environ, profiles=profiles)
    environ["AWS_REGION"] = "us-east-1"
    profiles["default"]["region"] = "us-east-1"
    profiles["default"]["s3"]["a"] = "2"
    profiles["other"] = {}

    async def main() -> tuple[str | None, list[str]]:
        await session.resolve()
        return session.region_name, session.available_profiles

    assert anyio.run(main) == ("eu-west-1", ["default"])


def test_any_mapping_does_for_profiles_and_environ() -> None:
    section = MappingProxyType({"region": "eu-west-3", "s3": MappingProxyType({"a": "1"})})
    session = Session(
        profiles=MappingProxyType({"default": section}), environ=MappingProxyType({"HOME": "/x"})
    )

    async def main() -> str | None:
        return (await session.resolve()).region_name

    assert anyio.run(main) == "eu-west-3"


def test_replace_changes_one_argument_and_copies_the_rest() -> None:
    session = Session("AKIDEXAMPLE", "secret", region_name="eu-west-1")
    calls: list[str] = []
    session.events.register("before-call", lambda **_: calls.append("x"))
    other = session.replace(region_name="eu-north-1")
    assert (session.region_name, other.region_name) == ("eu-west-1", "eu-north-1")
    assert len(other.events) == 1
    other.events.register("before-call", lambda **_: calls.append("y"))
    assert len(session.events) == 1
    with pytest.raises(TypeError, match="nonsense"):
        session.replace(nonsense=1)
    with pytest.raises(PartialCredentialsError):
        session.replace(aws_secret_access_key=None)
    assert type(session.replace()) is Session


def test_the_options_are_frozen() -> None:
    session = Session(region_name="eu-west-1")
    with pytest.raises(dataclasses.FrozenInstanceError):
        session._options.region_name = "us-east-1"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        session.region_name = "us-east-1"  # type: ignore[misc]


@pytest.mark.anyio
async def test_the_environment_is_copied_when_resolving(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    async with session:
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
        assert session.region_name == "eu-west-1"
        async with session:
            assert session.region_name == "eu-west-1"
    assert session.region_name == "eu-west-1"
    await session.resolve()
    assert session.region_name == "eu-west-2"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    async with session:
        assert session.region_name == "eu-west-3"


@pytest.mark.anyio
async def test_sessions_with_environments_of_their_own_ignore_the_process_and_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-poison-1")
    monkeypatch.setenv("AWS_PROFILE", "poison")
    before = dict(os.environ)
    async with (
        Session(environ={"AWS_REGION": "eu-west-1"}, profiles={}) as first,
        Session(environ={"AWS_REGION": "eu-west-2"}, profiles={}) as second,
    ):
        assert (first.region_name, second.region_name) == ("eu-west-1", "eu-west-2")
        assert (first.profile_name, second.profile_name) == ("default", "default")
    assert dict(os.environ) == before

"""The default session of the process: made when needed, once, and replaced on request."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest

import asession
from asession import Session, _default
from asession.exceptions import PartialCredentialsError, SessionNotEnteredError
from servers.recorder import Recorder

KEYS = "[default]\nregion = eu-west-1\naws_access_key_id = {}\naws_secret_access_key = secret\n"


@pytest.fixture(autouse=True)
def no_default_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not needed one yet."""
    monkeypatch.setattr(_default, "_default", None)


def test_it_is_made_when_first_needed() -> None:
    before: Any = _default._default
    assert before is None
    session = asession.current_session()
    assert _default._default is session
    assert repr(session) == "Session()"


def test_it_is_not_made_while_another_session_is_current() -> None:
    with asession.use_session(Session()):
        asession.current_session()
        asession.client("s3")
    assert _default._default is None


@pytest.mark.parametrize("ask", ["current_session", "client", "resource"])
def test_threads_that_need_it_at_once_get_the_same(
    ask: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(20):
            monkeypatch.setattr(_default, "_default", None)
            barrier = threading.Barrier(16)
            seen: list[Session] = []

            def work(barrier: threading.Barrier = barrier, seen: list[Session] = seen) -> None:
                barrier.wait(10)
                if ask != "current_session":
                    getattr(asession, ask)("s3")
                seen.append(asession.current_session())

            threads = [threading.Thread(target=work) for _ in range(16)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(10)
            assert len(seen) == 16
            assert len(set(seen)) == 1
    finally:
        sys.setswitchinterval(interval)


def test_setting_it_up_replaces_it_and_returns_none() -> None:
    first = asession.current_session()
    returned: Any = asession.setup_default_session(region_name="eu-west-1")  # type: ignore[func-returns-value]
    assert returned is None
    second = asession.current_session()
    assert second is not first
    assert second.region_name == "eu-west-1"
    asession.setup_default_session("AKIDEXAMPLE", "secret", None, "eu-north-1")
    assert asession.current_session().region_name == "eu-north-1"


def test_a_set_up_that_fails_keeps_the_old_one() -> None:
    asession.setup_default_session(region_name="eu-west-1")
    before = asession.current_session()
    with pytest.raises(PartialCredentialsError):
        asession.setup_default_session("AKIDEXAMPLE")
    with pytest.raises(TypeError):
        asession.setup_default_session(nonsense=1)
    assert asession.current_session() is before


def test_setting_it_up_does_not_touch_the_current_session() -> None:
    session = Session()
    with asession.use_session(session):
        asession.setup_default_session(region_name="eu-west-1")
        assert asession.current_session() is session
    assert asession.current_session().region_name == "eu-west-1"


@pytest.mark.anyio
async def test_it_opens_clients_and_resources_without_being_entered(
    home: Any, aws: Recorder
) -> None:
    home.write_config(KEYS.format("AKIDDEFAULT"))
    async with asession.client("s3", endpoint_url=aws.url) as client:
        assert (await client.list_buckets())["Owner"]["ID"] == "AKIDDEFAULT"
        async with asession.resource("s3", endpoint_url=aws.url) as s3:
            assert [bucket async for bucket in s3.buckets.all()] == []
        with pytest.raises(SessionNotEnteredError):
            await asession.client("s3")
    assert {request.access_key for request in aws.requests} == {"AKIDDEFAULT"}
    # Never entered, and it sees what has changed.
    home.write_config(KEYS.format("AKIDCHANGED"))
    async with asession.client("s3", endpoint_url=aws.url) as client:
        assert (await client.list_buckets())["Owner"]["ID"] == "AKIDCHANGED"


@pytest.mark.anyio
async def test_replacing_it_leaves_what_the_old_one_opened(aws: Recorder) -> None:
    asession.setup_default_session("AKIDOLD", "secret", region_name="eu-west-1")
    async with asession.client("s3", endpoint_url=aws.url) as old:
        asession.setup_default_session("AKIDNEW", "secret", region_name="eu-west-1")
        async with asession.client("s3", endpoint_url=aws.url) as new:
            assert (await new.list_buckets())["Owner"]["ID"] == "AKIDNEW"
        assert (await old.list_buckets())["Owner"]["ID"] == "AKIDOLD"

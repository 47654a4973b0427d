"""Observers are told of attempts that fail, and of credentials that are refreshed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import anyio
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from asession import Config, Credentials, Session
from asession.observe import (
    AttemptFailed,
    CredentialsRefreshed,
    CredentialsRefreshing,
)
from observe.seen import ROLE, Seen, session_to
from servers.identity import IdentityServer
from servers.recorder import Recorder, Reply

pytestmark = pytest.mark.anyio


def throttle(code: str) -> Reply:
    body = f'{{"__type": "{code}"}}'.encode()
    return Reply(400, {"content-type": "application/x-amz-json-1.0"}, body)


@pytest.mark.parametrize("mode", ["legacy", "standard"])
async def test_throttles_and_retries_are_told_attempt_by_attempt(seen: Seen, mode: str) -> None:
    replies = iter([throttle("ThrottlingException"), Reply.json({"TableNames": []})])
    config = Config(retries={"mode": mode, "max_attempts": 3})
    with Recorder(lambda _: next(replies)) as server:
        async with session_to(server.url, seen, config=config) as session:
            async with session.client("dynamodb") as dynamodb:
                await dynamodb.list_tables()
    [failed] = seen.of(AttemptFailed)
    assert failed.delay is not None
    assert failed.delay >= 0
    assert failed.fields() | {"delay": 0} == {
        "service": "dynamodb",
        "operation": "ListTables",
        "region": "eu-west-1",
        "attempt": 1,
        "status": 400,
        "error": "ThrottlingException",
        "throttled": True,
        "delay": 0,
    }


@pytest.mark.parametrize("mode", ["legacy", "standard"])
async def test_the_attempt_after_which_nothing_is_tried_is_told(seen: Seen, mode: str) -> None:
    config = Config(retries={"mode": mode, "total_max_attempts": 1})
    with Recorder(lambda _: throttle("ValidationException")) as server:
        async with session_to(server.url, seen, config=config) as session:
            async with session.client("dynamodb") as dynamodb:
                with pytest.raises(ClientError):
                    await dynamodb.list_tables()
    [failed] = seen.of(AttemptFailed)
    assert (failed.error, failed.throttled, failed.delay) == ("ValidationException", False, None)


@pytest.mark.parametrize("mode", ["legacy", "standard"])
async def test_an_attempt_without_an_answer_is_told(seen: Seen, mode: str) -> None:
    config = Config(retries={"mode": mode, "total_max_attempts": 1})
    with Recorder() as server:
        gone = server.url
    async with session_to(gone, seen, config=config) as session, session.client("s3") as s3:
        with pytest.raises(EndpointConnectionError):
            await s3.list_buckets()
    [failed] = seen.of(AttemptFailed)
    assert (failed.error, failed.status, failed.delay) == ("EndpointConnectionError", None, None)


async def test_a_refresh_is_told_to_the_session_that_asks(
    seen: Seen, identity: IdentityServer
) -> None:
    audit = session_to(identity.url, seen).assume_role(ROLE)
    async with audit, audit.client("sts") as sts:
        await sts.get_caller_identity()
        await sts.get_caller_identity()
    [begun], [ended] = seen.of(CredentialsRefreshing), seen.of(CredentialsRefreshed)
    assert begun == CredentialsRefreshing(source="assume-role", profile="default", reason="first")
    assert (ended.source, ended.reason, ended.outcome, ended.error) == (
        "assume-role",
        "first",
        "refreshed",
        None,
    )
    assert ended.expires_at is not None
    assert ended.expires_at.tzinfo is not None
    assert ended.duration > 0


async def test_many_tasks_wait_for_one_refresh(seen: Seen, identity: IdentityServer) -> None:
    audit = session_to(identity.url, seen).assume_role(ROLE)
    async with audit, audit.client("sts") as sts, anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(sts.get_caller_identity)
    assert len(seen.of(CredentialsRefreshed)) == 1


async def test_keys_that_ended_are_told_as_such(seen: Seen) -> None:
    lifetime = timedelta(seconds=0.5)

    async def short() -> Credentials:
        return Credentials("AKIASHORT", "secret", "t", expires_at=datetime.now(UTC) + lifetime)

    session = Session(region_name="eu-west-1", environ={}, credentials=short, observers=[seen])
    async with session:
        await session.get_frozen_credentials()
        await anyio.sleep(0.6)
        await session.get_frozen_credentials()
    reasons = [event.reason for event in seen.of(CredentialsRefreshed)]
    assert (reasons[0], reasons[-1]) == ("first", "expired")


async def test_keys_that_were_refused_are_told_as_such(
    seen: Seen, identity: IdentityServer
) -> None:
    audit = session_to(identity.url, seen).assume_role(ROLE)
    async with audit, audit.client("sts") as sts:
        identity.fail("sts:GetCallerIdentity", times=1, code="ExpiredToken", status=403)
        await sts.get_caller_identity()
    assert [event.reason for event in seen.of(CredentialsRefreshed)] == ["first", "refused"]


async def test_sources_without_keys_and_failures_are_told(seen: Seen) -> None:
    async def nothing() -> None:
        return None

    async def broken() -> Credentials:
        raise OSError("the vault is sealed")

    session = Session(
        region_name="eu-west-1", environ={}, credentials=[nothing, broken], observers=[seen]
    )
    async with session:
        with pytest.raises(OSError, match="sealed"):
            await session.get_frozen_credentials()
    told = [(event.source, event.outcome, event.error) for event in seen.of(CredentialsRefreshed)]
    assert told == [("nothing", "nothing", None), ("broken", "failed", "OSError")]


async def test_a_refresh_that_is_cancelled_is_told_as_ended(seen: Seen) -> None:
    async def slow() -> Credentials:
        await anyio.sleep(60)
        raise AssertionError

    session = Session(region_name="eu-west-1", environ={}, credentials=slow, observers=[seen])
    async with session:
        with anyio.move_on_after(0.05):
            await session.get_frozen_credentials()
    [ended] = seen.of(CredentialsRefreshed)
    assert ended.outcome == "cancelled"

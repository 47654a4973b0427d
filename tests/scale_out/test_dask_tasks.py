"""Sessions in the tasks of Dask's workers, which are processes with event loops of their own."""

from __future__ import annotations

import os
import traceback
from typing import Any

import anyio
import anyio.to_thread
import pytest
from botocore.exceptions import EndpointConnectionError
from dask.base import tokenize
from distributed import Client, LocalCluster

from asession import Credentials, Session
from asession.exceptions import ClientError, ProfileNotFoundError
from scale_out import jobs
from scale_out.conftest import Answers
from servers.answers import access_key_for
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio

KINDS = ("nothing", "profile", "keys", "credentials", "mappings", "config", "role")
SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"


@pytest.fixture
async def worker_session(client: Client, session: Session) -> Session:
    """The session, entered on each worker."""
    await client.register_plugin(jobs.Entered(session))
    return session


async def on_all(client: Client, function: Any, items: Any) -> list[Any]:
    """What the function returns for each item; Dask spreads them over its workers."""
    return list(await client.gather([client.submit(function, each, pure=False) for each in items]))


@pytest.mark.usefixtures("worker_session")
async def test_an_async_task_runs_on_the_loop_of_its_worker_and_finds_its_session_there(
    client: Client,
) -> None:
    futures = [client.submit(jobs.where, pure=False) for _ in range(8)]
    found = await client.gather(futures)
    assert os.getpid() not in {each.pop("pid") for each in found}
    for each in found:
        assert each == {
            "in main thread": True,
            "on the loop of the plugin": True,
            "library": "asyncio",
            "current is the plugin's": False,
            "entered": "default",
        }


@pytest.mark.usefixtures("worker_session")
@pytest.mark.parametrize("task", [jobs.signer_here, jobs.signer_of_the_current])
async def test_all_tasks_of_a_worker_share_its_session_and_its_connections(
    client: Client, aws: Recorder, task: Any
) -> None:
    assert set(await on_all(client, task, range(40))) == {"AKIDDASK"}
    assert len(aws.requests) == 40
    assert aws.connections_opened <= 8  # two workers, four tasks at once on each


async def test_a_session_that_is_sent_serves_its_task(client: Client, session: Session) -> None:
    sessions = [session.replace(aws_access_key_id=f"AKIDSENT{n}") for n in range(12)]
    found = await on_all(client, jobs.signer_sent, sessions)
    assert found == [f"AKIDSENT{n}" for n in range(12)]


async def test_a_session_with_a_profile_finds_it_on_the_worker(
    client: Client, session: Session, aws: Recorder, home: Any
) -> None:
    home.write_config("[profile dev]\nregion = us-west-2\n")
    home.write_credentials("[dev]\naws_access_key_id = AKIDHERE\naws_secret_access_key = secret\n")
    dev = Session(profile_name="dev", endpoint_url=aws.url)
    async with dev:
        assert await jobs.signer_of(dev) == "AKIDHERE"
        assert await client.submit(jobs.signer_sent, dev, pure=False) == "AKIDWORKER"
    assert {request.region for request in aws.requests} == {"us-west-2", "eu-west-1"}


async def test_a_worker_asks_for_a_role_once_for_all_its_tasks(
    client: Client, session: Session, aws: Recorder
) -> None:
    roles = [f"arn:aws:iam::{n}11111111111:role/audit" for n in (1, 2, 3)]
    sessions = [session.assume_role(role) for role in roles] * 8
    found = await on_all(client, jobs.identity, sessions)
    for (_, arn), role in zip(found, roles * 8, strict=True):
        assert arn.endswith(access_key_for(role))
    asked = [request for request in aws.requests if request.action == "AssumeRole"]
    pairs = {(pid, arn) for pid, arn in found}
    assert len(asked) == len(pairs) <= 6  # a worker, a role


async def test_each_task_sees_its_own_current_session_and_leaves_none_behind(
    client: Client, session: Session
) -> None:
    names = [f"tenant-{n}" for n in range(4)]
    [worker, *_] = await client.nthreads()
    futures = [
        client.submit(
            jobs.currents,
            Session(profile_name=name, profiles={name: {}}),
            0.05 * (n + 1),
            pure=False,
            workers=[worker],
        )
        for n, name in enumerate(names)
    ]
    for name, found in zip(names, await client.gather(futures), strict=True):
        assert found == ["Session()", *[name] * 5, "Session()"]


@pytest.mark.usefixtures("worker_session")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
async def test_a_plain_task_runs_an_event_loop_of_its_own_in_a_thread(
    client: Client, backend: str
) -> None:
    found = await on_all(client, jobs.in_thread, [backend] * 8)
    assert found == [("AKIDDASK", False)] * 8


async def test_a_worker_has_as_many_async_tasks_in_hand_as_it_has_threads(client: Client) -> None:
    [worker, *_] = await client.nthreads()
    futures = client.map(jobs.in_hand, [0.1] * 12, pure=False, workers=[worker])
    assert max(await client.gather(futures)) == 4


def test_on_trio_the_client_is_used_from_a_thread(cluster: LocalCluster, session: Session) -> None:
    async def main() -> list[str]:
        in_thread = anyio.to_thread.run_sync
        client = await in_thread(Client, cluster.scheduler_address)
        try:
            await in_thread(client.register_plugin, jobs.Entered(session))
            futures = client.map(jobs.signer_here, range(8), pure=False)
            found: list[str] = await in_thread(client.gather, futures)
            return found
        finally:
            with anyio.CancelScope(shield=True):
                await in_thread(client.close)

    assert anyio.run(main, backend="trio") == ["AKIDDASK"] * 8


@pytest.mark.usefixtures("worker_session")
async def test_errors_come_back_whole(client: Client) -> None:
    def outcome(kind: str) -> Any:
        return client.submit(jobs.fails, kind, pure=False)

    with pytest.raises(ClientError) as refused:
        await outcome("ClientError")
    assert refused.value.operation_name == "HeadBucket"
    with pytest.raises(ClientError, match="GetObject") as modelled:
        await outcome("NoSuchKey")
    assert modelled.value.response["Error"]["Code"] == "UnknownOperation"
    with pytest.raises(ProfileNotFoundError, match="Did you mean 'nape'") as missing:
        await outcome("ProfileNotFoundError")
    assert (missing.value.profile, list(missing.value.available)) == ("nope", ["nape"])
    with pytest.raises(EndpointConnectionError, match=r"http://127\.0\.0\.1:1/"):
        await outcome("EndpointConnectionError")
    with pytest.RaisesGroup(ProfileNotFoundError):
        await outcome("ExceptionGroup")


@pytest.mark.usefixtures("worker_session")
async def test_a_client_stays_where_it_is(client: Client) -> None:
    with pytest.raises(TypeError, match="Could not serialize object of type S3"):
        await client.submit(jobs.client_itself, pure=False)
    assert await client.submit(jobs.signer_here, pure=False) == "AKIDDASK"


@pytest.mark.usefixtures("worker_session")
async def test_a_task_whose_deadline_passes_amid_a_request_leaves_the_session_in_order(
    client: Client, answers: Answers
) -> None:
    answers.delay = 0.5
    futures = [client.submit(jobs.with_deadline, 0.05, pure=False) for _ in range(4)]
    for future in futures:
        with pytest.raises(TimeoutError):
            await future
    answers.delay = 0.0
    assert await on_all(client, jobs.with_deadline, [20.0] * 8) == ["AKIDDASK"] * 8


@pytest.mark.usefixtures("worker_session")
async def test_a_future_cancelled_amid_a_request_leaves_the_session_in_order(
    client: Client, answers: Answers, aws: Recorder
) -> None:
    answers.delay = 0.3
    future = client.submit(jobs.signer_here, pure=False)
    with anyio.fail_after(20):
        while not aws.requests:
            await anyio.sleep(0.01)
    await future.cancel()
    answers.delay = 0.0
    assert await on_all(client, jobs.signer_here, range(8)) == ["AKIDDASK"] * 8


@pytest.mark.parametrize("kind", KINDS)
async def test_equal_sessions_have_the_same_token_in_every_process(
    client: Client, kind: str
) -> None:
    assert await client.submit(jobs.token_of_kind, kind, pure=False) == jobs.token_of_kind(kind)


def test_sessions_that_differ_in_their_secret_alone_have_different_tokens() -> None:
    # Or Dask would give one of them the other's result.
    made = [
        *(Session("AKID", secret) for secret in ("one", "two")),
        *(Session(credentials=Credentials("AKID", secret)) for secret in ("one", "two")),
        *(Session(environ={"AWS_SECRET_ACCESS_KEY": secret}) for secret in ("one", "two")),
        *(jobs.session_of_kind(kind) for kind in KINDS),
    ]
    assert len({tokenize(session) for session in made}) == len(made)


async def test_entering_does_not_change_the_token() -> None:
    session = Session(profile_name="dev", profiles={"dev": {"region": "eu-west-1"}})
    before = tokenize(session, ensure_deterministic=True)
    async with session:
        await session.client("s3")
        assert tokenize(session, ensure_deterministic=True) == before


async def test_functions_of_a_session_travel_by_value(client: Client, aws: Recorder) -> None:
    async def source() -> Credentials:
        return Credentials("AKIDLOCAL", "secret")

    session = Session(credentials=source, region_name="us-east-1", endpoint_url=aws.url)
    assert await client.submit(jobs.signer_sent, session, pure=False) == "AKIDLOCAL"


async def test_what_cannot_travel_is_named_before_anything_is_sent(client: Client) -> None:
    session = Session("AKID", SECRET)
    session.events.register("before-call", lambda **_: None)
    with pytest.raises(TypeError) as caught:
        await client.submit(jobs.signer_sent, session, pure=False)
    assert "session.events" in str(caught.value.__cause__)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert await client.submit(jobs.token_of_kind, "keys", pure=False)


async def test_a_session_that_cannot_be_entered_says_so_when_it_is_registered(
    client: Client, session: Session
) -> None:
    missing = jobs.Entered(Session(profile_name="nope", profiles={"nape": {}}))
    with pytest.raises(ProfileNotFoundError, match="Did you mean 'nape'"):
        await client.register_plugin(missing)
    await client.register_plugin(jobs.Entered(session))
    assert await client.submit(jobs.signer_here, pure=False) == "AKIDDASK"

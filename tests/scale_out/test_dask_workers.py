"""Workers of Dask that come, go and die while they hold a session."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
import pytest
from distributed import Client, LocalCluster

from asession import Session
from scale_out import jobs
from scale_out.conftest import Answers, make_cluster
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio


@pytest.fixture
async def own_cluster() -> AsyncIterator[LocalCluster]:
    """One worker, for one test."""
    async with make_cluster(1, asynchronous=True) as cluster:
        yield cluster


@pytest.fixture
async def own_client(own_cluster: LocalCluster) -> AsyncIterator[Client]:
    async with Client(own_cluster, asynchronous=True) as client:
        yield client


def noted(folder: Path, what: str) -> set[int]:
    """The processes that have entered, or left, their session."""
    return {int(path.name.partition("-")[2]) for path in folder.glob(f"{what}-*")}


async def until(happened: Callable[[], bool]) -> None:
    with anyio.fail_after(30):
        while not happened():
            await anyio.sleep(0.01)


async def test_what_a_retired_worker_did_not_finish_is_done_by_another(
    own_cluster: LocalCluster,
    own_client: Client,
    session: Session,
    aws: Recorder,
    answers: Answers,
    tmp_path: Path,
) -> None:
    await own_client.register_plugin(jobs.Entered(session, tmp_path))
    [first] = await own_client.nthreads()
    answers.delay = 600
    future = own_client.submit(
        jobs.signer_here, pure=False, workers=[first], allow_other_workers=True
    )
    await until(lambda: len(aws.requests) == 1)
    answers.delay = 0
    own_cluster.scale(2)
    await own_client.wait_for_workers(2)
    await own_client.retire_workers([first])
    assert await future == "AKIDDASK"
    assert len(aws.requests) == 2
    assert first not in await own_client.nthreads()
    await until(lambda: len(noted(tmp_path, "left")) == 1)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
async def test_a_worker_that_is_killed_comes_back_with_its_session(
    own_client: Client, session: Session, aws: Recorder, answers: Answers, tmp_path: Path
) -> None:
    await own_client.register_plugin(jobs.Entered(session, tmp_path))
    answers.delay = 600
    futures = own_client.map(jobs.signer_here, range(4), pure=False)
    await until(lambda: len(aws.requests) == 4)
    answers.delay = 0
    before = noted(tmp_path, "entered")
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert await own_client.gather(futures) == ["AKIDDASK"] * 4
    assert noted(tmp_path, "entered") > before
    assert not noted(tmp_path, "left")


async def test_workers_that_are_added_have_the_session_and_others_do_without_those_removed(
    own_cluster: LocalCluster, own_client: Client, session: Session, tmp_path: Path
) -> None:
    await own_client.register_plugin(jobs.Entered(session, tmp_path))
    own_cluster.adapt(minimum=2, maximum=2, interval="20ms", wait_count=1)
    await own_client.wait_for_workers(2)
    found = await own_client.gather(own_client.map(jobs.signer_here, range(30), pure=False))
    assert found == ["AKIDDASK"] * 30
    assert len(noted(tmp_path, "entered")) == 2
    own_cluster.adapt(minimum=1, maximum=1, interval="20ms", wait_count=1)
    with anyio.fail_after(30):
        while len(await own_client.nthreads()) > 1:
            await anyio.sleep(0.01)
    # Whether those removed had time to leave their session is up to Dask, which may kill them.
    assert await own_client.submit(jobs.signer_here, pure=False) == "AKIDDASK"


async def test_the_workers_of_a_cluster_that_closes_amid_requests_leave_their_session(
    session: Session, aws: Recorder, answers: Answers, tmp_path: Path
) -> None:
    answers.delay = 600
    async with (
        make_cluster(1, asynchronous=True) as cluster,
        Client(cluster, asynchronous=True) as client,
    ):
        await client.register_plugin(jobs.Entered(session, tmp_path))
        futures = client.map(jobs.signer_here, range(3), pure=False)
        await until(lambda: len(aws.requests) == 3)
    assert len(futures) == 3
    assert noted(tmp_path, "left") == noted(tmp_path, "entered")
    assert len(noted(tmp_path, "left")) == 1

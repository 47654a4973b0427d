"""A cluster of Dask with processes of its own, on loopback, and its client."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from distributed import Client, LocalCluster

from asession import Session
from asession.testing import isolated_environment
from servers.answers import AwsAnswers
from servers.recorder import RecordedRequest, Recorder, Reply


def make_cluster(n_workers: int = 2, **more: Any) -> LocalCluster:
    """Workers in processes of their own, with this process's environment as it is now."""
    usual = {
        "threads_per_worker": 4,
        "host": "127.0.0.1",
        "dashboard_address": "127.0.0.1:0",
        "silence_logs": logging.CRITICAL,
    }
    return LocalCluster(n_workers=n_workers, **{**usual, **more})


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """Two workers of four threads each, for tests that leave them as they are."""
    with isolated_environment(tmp_path_factory.mktemp("worker-home")) as home:
        home.write_config("[profile dev]\nregion = eu-west-1\n")
        home.write_credentials(
            "[dev]\naws_access_key_id = AKIDWORKER\naws_secret_access_key = secret\n"
        )
        with make_cluster() as cluster:
            yield cluster


@pytest.fixture(scope="module")
def anyio_backend() -> Any:
    """Dask's own event loops are asyncio's; what runs on trio says so."""
    return "asyncio"


@pytest.fixture
async def client(cluster: LocalCluster) -> AsyncIterator[Client]:
    """A client on the loop of the test."""
    async with Client(cluster.scheduler_address, asynchronous=True) as client:
        yield client


class Answers(AwsAnswers):
    """As `AwsAnswers`, each after so many seconds."""

    delay = 0.0

    def __call__(self, request: RecordedRequest) -> Reply:
        return dataclasses.replace(super().__call__(request), delay=self.delay)


@pytest.fixture
def answers() -> Answers:
    """What the recorder answers, ListBuckets with the key that signed it."""
    return Answers()


@pytest.fixture
def aws(answers: Answers) -> Iterator[Recorder]:
    """AWS, as far as the tests need it."""
    with Recorder(answers) as recorder:
        yield recorder


@pytest.fixture
def session(aws: Recorder) -> Session:
    """A session with explicit keys for the recorder."""
    return Session("AKIDDASK", "secret", region_name="us-east-1", endpoint_url=aws.url)

"""The same program sends the same requests through boto3 and through asession."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3.session
import pytest

from asession import Config, Session
from resources import scenarios
from resources.scenarios import SCENARIOS
from resources.scripts import told, without_await
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio

KEYS = {"aws_access_key_id": "AKID", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
CONFIG = Config(s3={"addressing_style": "path"})


@pytest.fixture(scope="module")
def recorder(moto_url: str) -> Iterator[Recorder]:
    """In front of the one server, so that URLs in requests are the same."""
    with Recorder(upstream=moto_url) as recorder:
        yield recorder


@pytest.fixture(scope="module")
def theirs(recorder: Recorder) -> dict[str, Any]:
    """What boto3 returned and sent, for each service that was asked for."""
    return {}


def run_boto3(service: str, recorder: Recorder) -> tuple[Any, list[str]]:
    session = boto3.session.Session(**KEYS)

    @contextmanager
    def aws(name: str) -> Iterator[Any]:
        resource = session.resource(name, endpoint_url=recorder.url, config=CONFIG)
        yield resource
        resource.meta.client.close()

    recorder.clear()
    result = without_await(scenarios, service)(aws, f"like-boto3-{service}")
    return result, told(recorder.requests)


@pytest.mark.parametrize("service", SCENARIOS)
async def test_a_program_sends_what_it_sends_through_boto3(
    service: str, recorder: Recorder, theirs: dict[str, Any]
) -> None:
    if service not in theirs:
        theirs[service] = run_boto3(service, recorder)
    recorder.clear()
    async with Session(**KEYS, endpoint_url=recorder.url) as session:

        def aws(name: str) -> Any:
            return session.resource(name, config=CONFIG)

        result = await SCENARIOS[service](aws, f"like-boto3-{service}")
    sent = told(recorder.requests)
    expected_result, expected = theirs[service]
    for ours, boto3s in zip(sent, expected, strict=False):
        assert ours == boto3s
    assert len(sent) == len(expected) >= 8
    assert result == expected_result

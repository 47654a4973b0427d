"""Sessions and a recorded AWS for the tests of sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from asession import Session
from servers.answers import AwsAnswers
from servers.recorder import Recorder

Make = Callable[..., Session]


@pytest.fixture
def aws() -> Iterator[Recorder]:
    """Answers ListBuckets with the key that signed it; see `AwsAnswers`."""
    with Recorder(AwsAnswers()) as recorder:
        yield recorder


@pytest.fixture
def make(aws: Recorder) -> Make:
    """Makes sessions with explicit keys against the recorder."""

    def made(key: str = "AKIDEXAMPLE", **more: Any) -> Session:
        # Without TLS: a context takes 20 ms and more to make.
        usual = {"region_name": "eu-west-1", "endpoint_url": aws.url, "verify": False}
        return Session(key, "secret", **{**usual, **more})

    return made

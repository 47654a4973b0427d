"""Fixtures of the tests of web applications."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from servers.answers import AwsAnswers
from servers.recorder import Recorder


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """AWS: the owner of the buckets that it lists is the access key that asks."""
    with Recorder(AwsAnswers()) as recorder:
        yield recorder

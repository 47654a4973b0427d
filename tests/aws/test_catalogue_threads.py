"""Several threads, each with an event loop of its own, share what the process has read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

THREADS = 8


@pytest.fixture(scope="module")
def seen() -> dict:
    """What the threads of a fresh process found, and what its fork did."""
    tests = Path(__file__).parents[1]
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    done = subprocess.run(
        [sys.executable, str(tests / "aws" / "threads.py"), str(THREADS)],
        env={**kept, "PYTHONPATH": str(tests), "AWS_EC2_METADATA_DISABLED": "true"},
        check=True,
        stdout=subprocess.PIPE,
        timeout=60,
    )
    return json.loads(done.stdout)


def test_no_thread_fails(seen):
    assert seen["errors"] == []
    assert len(seen["made"]) == THREADS * 3


@pytest.mark.parametrize("service", ["s3", "dynamodb", "sqs"])
def test_all_threads_have_the_same_model_client_class_and_errors(seen, service):
    made = {tuple(parts) for name, *parts in seen["made"] if name == service}
    assert len(made) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_amid_the_reading_can_read_too(seen):
    assert seen["fork"] == 0

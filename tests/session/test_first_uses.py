"""The first use of anything in a process reads no file on the thread of the event loop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_TESTS = Path(__file__).parents[1]
# What each use comes to, so that none fails unnoticed.
USES = {
    "client": "botocore.client.S3",
    "call": "Buckets",
    "error": "NoSuchKey",
    "error class": "NoSuchKey",
    "presigned": "Signature=",
    "paginator": "Paginator",
    "waiter": "Waiter",
    "event stream": "[['End']]",
    "client of CBOR": "EventBridgeV2",
    "CBOR": "ResponseMetadata",
    "resource": "dynamodb",
    "services": "'ec2'",
    "resources": "'s3'",
    "partitions": "'aws-cn'",
    "regions": "'eu-west-1'",
}


@pytest.fixture(params=["asyncio", "trio"], scope="module")
def seen(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What a fresh process saw at each first use."""
    home = str(tmp_path_factory.mktemp("first"))
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    own = {"HOME": home, "USERPROFILE": home, "PYTHONPATH": str(_TESTS)}
    done = subprocess.run(
        [sys.executable, str(_TESTS / "session" / "first_uses.py"), request.param],
        env={**kept, **own, "AWS_EC2_METADATA_DISABLED": "true"},
        check=True,
        stdout=subprocess.PIPE,
        timeout=60,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("use", USES)
def test_a_first_use_touches_no_file_on_the_thread_of_the_loop(
    seen: dict[str, Any], use: str
) -> None:
    assert USES[use].lower() in seen[use]["result"].lower()
    assert seen[use]["on_loop"] == []


def test_the_watch_sees_what_worker_threads_read(seen: dict[str, Any]) -> None:
    assert all(seen[use]["anything"] for use in ("client", "client of CBOR", "resource"))

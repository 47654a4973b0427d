"""What a session and a client cost: no file on the loop's thread, one model, little CPU time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.httpxsession import HttpxSession
from aiobotocore.session import AioSession

from home import Home
from session.opening import open_one

_TESTS = Path(__file__).parents[1]
_CONFIG = "[profile dev]\nregion = eu-west-1\n"
_CREDENTIALS = "[dev]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = secret\n"
_ROUNDS = 5

Work = Callable[[], Awaitable[None]]


@pytest.fixture(params=["asyncio", "trio"], scope="module")
def touched(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What a fresh process saw of the files that sessions and clients touch, by phase."""
    home = tmp_path_factory.mktemp("cold")
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(_CONFIG, "utf-8")
    (home / ".aws" / "credentials").write_text(_CREDENTIALS, "utf-8")
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    done = subprocess.run(
        [sys.executable, str(_TESTS / "session" / "opening.py"), request.param],
        env={**kept, "HOME": str(home), "USERPROFILE": str(home), "PYTHONPATH": str(_TESTS)},
        check=True,
        stdout=subprocess.PIPE,
        timeout=60,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def shown(events: list[str]) -> str:
    """The first few of them, and how many there are."""
    return "\n".join([*events[:3], f"{len(events)} altogether"])


@pytest.mark.parametrize("phase", ["cold", "warm", "cold crowd", "warm crowd"])
def test_no_file_is_touched_on_the_thread_of_the_loop(touched: dict[str, Any], phase: str) -> None:
    assert touched["cold"]["anything"], "the watch saw nothing at all"
    assert not touched[phase]["on_loop"], shown(touched[phase]["on_loop"])


@pytest.mark.parametrize("phase", ["cold", "warm", "cold crowd", "warm crowd"])
def test_no_directory_is_searched_on_any_thread(touched: dict[str, Any], phase: str) -> None:
    assert not touched[phase]["scans"], shown(touched[phase]["scans"])


def test_a_model_is_read_once_however_many_tasks_ask_for_it(touched: dict[str, Any]) -> None:
    assert {phase: len(seen["models"]) for phase, seen in touched.items()} == {
        "cold": 1,
        "warm": 0,
        "cold crowd": 1,
        "warm crowd": 0,
    }


async def _theirs(service: str, backend: str) -> None:
    config = AioConfig(http_session_cls=HttpxSession) if backend == "trio" else None
    session = AioSession(profile="dev")
    async with session.create_client(service, region_name="us-east-1", config=config):
        pass


async def _cpu(work: Work) -> float:
    began = time.process_time()
    await work()
    return time.process_time() - began


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("service", "least"),
    # Half of what is promised, or less: whatever else the machine does must not matter.
    [pytest.param("s3", 12, id="s3"), pytest.param("ec2", 20, id="ec2")],
)
async def test_a_session_and_client_are_much_cheaper_than_upstreams(
    home: Home, anyio_backend_name: str, service: str, least: float
) -> None:
    home.write_config(_CONFIG)
    home.write_credentials(_CREDENTIALS)
    await open_one(service)
    ours, theirs = [], []
    for _ in range(_ROUNDS):
        ours += [await _cpu(lambda: open_one(service)) for _ in range(3)]
        theirs.append(await _cpu(lambda: _theirs(service, anyio_backend_name)))
    assert min(theirs) / min(ours) >= least

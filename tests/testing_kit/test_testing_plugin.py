"""The plugin works with anyio's, pytest-asyncio and pytest-trio, and is silent until it is used."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytest_plugins = ("pytester",)

ROOT = Path(__file__).parents[2]
PLUGIN = ("-p", "asession.testing.plugin", "-p", "no:cacheprovider")
# By module: the mark of its tests.
MARKS = {
    "anyio.pytest_plugin": "pytest.mark.anyio",
    "pytest_asyncio.plugin": "pytest.mark.asyncio",
    "pytest_trio.plugin": "pytest.mark.trio",
}
CONFTEST = """
import pytest
from asession import Session

@pytest.fixture
def aws_session():
    return Session("a", "b", region_name="us-east-1", endpoint_url=URL)
"""
TESTS = """
import time, socket
import anyio, pytest

pytestmark = MARK

@pytest.fixture
def anyio_backend():
    return "trio"

async def test_a_session_of_the_server(aws_session, aws_home, aws_loopback_only):
    async with aws_session as session, session.client("sqs") as sqs:
        await sqs.create_queue(QueueName="q")
        assert (await sqs.list_queues(QueueNamePrefix="q"))["QueueUrls"]

async def test_blocks():
    await anyio.sleep(0.02)
    time.sleep(0.5)
    await anyio.sleep(0)

@pytest.mark.never_blocking(limit=5)
async def test_may_block():
    time.sleep(0.3)

async def test_leaves():
    with pytest.raises(AssertionError):
        socket.create_connection(("169.254.169.254", 80), 1)
"""


@pytest.fixture(autouse=True)
def no_other_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.mark.parametrize("runner", MARKS)
def test_fixtures_and_guards_work_with(
    runner: str, pytester: pytest.Pytester, moto_url: str
) -> None:
    if importlib.util.find_spec(runner.partition(".")[0]) is None:
        pytest.skip(f"{runner} is not installed")
    pytester.makepyfile(TESTS.replace("MARK", MARKS[runner]))
    if runner != "anyio.pytest_plugin":  # starting a server takes longer than all the rest
        pytester.makeconftest(CONFTEST.replace("URL", repr(moto_url)))
    arguments = (*PLUGIN, "-p", runner, "--never-blocking=0.1", "--aws-loopback-only")
    done = pytester.runpytest_subprocess(*arguments, timeout=60)
    done.assert_outcomes(passed=2, failed=2)
    done.stdout.fnmatch_lines_random(
        ["*FAILED*test_blocks*", "*FAILED*test_leaves*", "*left this machine*169.254.169.254*"]
    )


def test_nothing_happens_until_it_is_used(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys, time
        import pytest

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        async def test_blocks():
            time.sleep(0.3)

        def test_nothing_is_loaded():
            for name in ("botocore", "aiobotocore", "asession.session", "asession.testing.guard"):
                assert name not in sys.modules
        """
    )
    pytester.runpytest_subprocess(*PLUGIN, "-p", "anyio.pytest_plugin", timeout=60).assert_outcomes(
        passed=2
    )


def test_the_entry_point_names_the_plugin_and_is_cheap() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    [module] = project["entry-points"]["pytest11"].values()
    script = f"import sys, {module}; print([n for n in ('anyio', 'botocore') if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"

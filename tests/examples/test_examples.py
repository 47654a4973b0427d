"""The examples do what they say, on both event loops, as functions and as programs."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import asession
from home import Home

EXAMPLES = Path(__file__).parents[2] / "examples"
PROFILE = "[default]\nregion = us-east-1\n[profile dev]\nregion = eu-west-1\n"
KEYS = "".join(
    f"[{name}]\naws_access_key_id = AKIA{name.upper()}\naws_secret_access_key = secret\n"
    for name in ("default", "dev")
)

# What each example prints for certain, whatever else is on the server.
PRINTS = {
    "configurations": [
        "explicit keys: profile default, region us-west-2, key AKIAEXAMPLE",
        "another region: profile default, region eu-central-1, key AKIAEXAMPLE",
        "profiles of its own: profile batch, region us-east-1, key AKIABATCH",
        "client configuration: profile batch, region us-east-1, key AKIABATCH",
    ],
    "dask_inventory": [
        "444444444444: 1 buckets, 1 objects, 100 bytes",
        "555555555555: 2 buckets, 4 objects, 400 bytes",
        "666666666666: 3 buckets, 9 objects, 900 bytes",
    ],
    "default_session": ["queues: [", "buckets: [", "default session: default us-east-1"],
    "dynamodb_bulk_load": [
        "written: 192",
        "at noon: [Decimal('12.1'), Decimal('12.1'), Decimal('12.1'), Decimal('12.1')]",
        "warm on the hill: 22 22.1",
        "warm on the hill: 23 23.1",
    ],
    "fastapi_service": [
        "red works in account 111111111111",
        "blue works in account 222222222222",
        "red stores a film: 204",
        "red has it back: 200 3000000",
        "blue has none: 404 {'error': 'NoSuchKey'}",
        "green is unknown: 403",
    ],
    "first_session": [
        "profile: default region: us-east-1",
        "buckets: [",
        "queues: [",
        "tables: [",
    ],
    "migrating_from_aioboto3": [
        "table: ACTIVE",
        "reports/monday 8",
        "reports/tuesday 14",
        "monday: 8 bytes",
        "sunday: 404",
    ],
    "multi_account_fan_out": [
        "111111111111: 1 orders, found in 111111111111: 111111111111-0",
        "111111111112: 2 orders, found in 111111111112: 111111111112-0",
        "111111111113: 3 orders, found in 111111111113: 111111111113-0",
        "111111111114: 4 orders, found in 111111111114: 111111111114-0",
        "111111111115: 5 orders, found in 111111111115: 111111111115-0",
        "111111111116: An error occurred (ResourceNotFoundException) ",
        "orders in all: 15",
    ],
    "per_task_sessions": ["red in us-east-1: ", "green in eu-west-1: ", "blue in ap-south-1: "],
    "role_chain_with_mfa": [
        "a code is asked for, of arn:aws:iam::111111111111:mfa/ann",
        "task 0: arn:aws:sts::222222222222:assumed-role/deploy/ann",
        "task 1: arn:aws:sts::222222222222:assumed-role/deploy/ann",
        "task 2: arn:aws:sts::222222222222:assumed-role/deploy/ann",
        "one more role: arn:aws:sts::222222222222:assumed-role/read-only/ann",
        "profile: deploy method: assume-role",
    ],
    "sqs_worker": [
        "failed: JSONDecodeError(",
        "failed: JSONDecodeError(",
        "dead letters: 1",
        "blue: 4 handled",
        "green: 4 handled",
        "red: 4 handled",
    ],
    "upload_with_progress": ["up   21.0/21.0 MB", "down 21.0/21.0 MB", "same: True"],
}

# Dask's event loops are asyncio's.
ASYNCIO_ALONE = {"dask_inventory"}


def load(name: str) -> ModuleType:
    """The example as a module of its own."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check_output(name: str, output: str) -> None:
    """Every line begins as expected; those of tasks come in any order."""
    found = output.splitlines()
    assert len(found) == len(PRINTS[name]), output
    for beginning in PRINTS[name]:
        assert [line for line in found if line.startswith(beginning)], output


@pytest.fixture(autouse=True)
def profiles(home: Home) -> None:
    """The profiles that the examples read."""
    home.write_config(PROFILE)
    home.write_credentials(KEYS)


def test_every_example_is_tested() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(PRINTS)


@pytest.mark.anyio
@pytest.mark.parametrize("name", PRINTS)
async def test_main_runs(
    name: str, moto_url: str, capsys: pytest.CaptureFixture[str], anyio_backend_name: str
) -> None:
    if name in ASYNCIO_ALONE and anyio_backend_name != "asyncio":
        pytest.skip("needs asyncio")
    try:
        await load(name).main(moto_url)
    finally:
        asession.setup_default_session()
    check_output(name, capsys.readouterr().out)


@pytest.mark.parametrize("name", PRINTS)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_runs_as_a_program(name: str, backend: str, moto_url: str) -> None:
    if name in ASYNCIO_ALONE and backend != "asyncio":
        pytest.skip("needs asyncio")
    choice = () if name in ASYNCIO_ALONE else ("--backend", backend)
    done = subprocess.run(
        [
            *(sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py")),
            *(*choice, "--endpoint-url", moto_url),
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    check_output(name, done.stdout)


def test_the_endpoint_may_come_from_the_environment_and_the_profile_from_an_argument(
    moto_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "first_session.py"), "--profile", "dev"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.startswith("profile: dev region: eu-west-1\n")

"""The import contracts hold, and each of them notices a violation planted into a copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = {
    contract["id"]: contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"][
        "importlinter"
    ]["contracts"]
}
RUN = "from importlinter.cli import lint_imports_command as run; run()"


@dataclass(frozen=True, slots=True)
class Plant:
    """Lines added to a module of the copy, and the one contract that they break."""

    contract: str
    module: str
    lines: str


PLANTS = [
    Plant("layers", "exceptions.py", "import asession._options"),
    Plant("layers", "_runtime/loops.py", "from asession import _once"),
    Plant("layers", "_aws/catalogue.py", "def f():\n    import asession.session"),
    Plant("layers", "observe/events.py", "from asession import _once"),
    Plant("layers", "helpers.py", '"""A module that has no place in the house."""'),
    Plant("root", "_aws/catalogue.py", "import asession"),
    Plant("root", "_aws/catalogue.py", "from asession import Session"),
    Plant("loop-door", "_aws/catalogue.py", "import asyncio"),
    Plant("loop-door", "_once.py", "from trio.lowlevel import checkpoint"),
    Plant("loop-door", "_aws/catalogue.py", "def f():\n    import sniffio"),
    Plant("loop-door", "_once.py", "import aiofiles.os"),
    Plant("aws-door", "_once.py", "from botocore.exceptions import ClientError"),
    Plant("aws-door", "_runtime/threads.py", "import aiobotocore.session"),
    Plant("boto3-door", "_aws/catalogue.py", "import boto3.session"),
    Plant("http-door", "_once.py", "import aiohttp"),
    Plant("otel-door", "observe/reporting.py", "from opentelemetry import trace"),
    Plant("no-s3transfer", "_aws/catalogue.py", "from s3transfer import bandwidth"),
    Plant("pure", "_options.py", "from anyio import sleep"),
    Plant("pure", "_settings/settings.py", "import asession._runtime.files"),
]


def copy_to(directory: Path) -> Path:
    """Copy the sources and the contracts."""
    shutil.copytree(
        ROOT / "src", directory / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
    )
    shutil.copy(ROOT / "pyproject.toml", directory)
    return directory


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy to plant in."""
    return copy_to(tmp_path)


@pytest.fixture(scope="module")
def unplanted(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str]:
    """The exit status and the output for the tree as it is."""
    return lint(copy_to(tmp_path_factory.mktemp("unplanted")))


def lint(directory: Path) -> tuple[int, str]:
    """Check the contracts of a directory; returns the exit status and what was printed."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, "--no-logo", "--no-cache"],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(directory / "src"), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def broken(output: str) -> set[str]:
    """The names of the contracts that are broken."""
    return {name for name in CONTRACTS.values() if f"{name} BROKEN" in output}


def test_the_contracts_hold(unplanted: tuple[int, str]) -> None:
    status, output = unplanted
    assert status == 0, output
    for name in CONTRACTS.values():
        assert f"{name} KEPT" in output


@pytest.mark.parametrize(
    "plant", PLANTS, ids=lambda plant: f"{plant.contract}-{plant.lines.split()[-1]}"
)
def test_a_planted_violation_breaks_its_contract_alone(
    copy: Path, plant: Plant, unplanted: tuple[int, str]
) -> None:
    path = copy / "src/asession" / plant.module
    before = path.read_text("utf-8") if path.exists() else ""
    path.write_text(f"{before}\n{plant.lines}\n", "utf-8")
    status, output = lint(copy)
    assert status == 1, output
    assert broken(output) - broken(unplanted[1]) == {CONTRACTS[plant.contract]}, output


def test_every_contract_has_a_planted_violation() -> None:
    assert {plant.contract for plant in PLANTS} == set(CONTRACTS)


def test_imports_for_type_checking_alone_are_free(copy: Path, unplanted: tuple[int, str]) -> None:
    path = copy / "src/asession/_options.py"
    path.write_text(
        path.read_text("utf-8")
        + "\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import asession._aws\n",
        "utf-8",
    )
    _, output = lint(copy)
    assert broken(output) == broken(unplanted[1]), output

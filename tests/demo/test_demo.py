"""The demo shows what it promises, notices what is wrong, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from asession._version import __version__

STEPS = ("a session per task", "S3 round trip", "DynamoDB table", "default session")


def run(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A Python process with hardly any environment, in which every warning is an error."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    for name in ("home", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-W", "error", "-W", "error::ResourceWarning", *arguments],
        check=False,
        cwd=folder,
        env={
            **kept,
            "HOME": str(folder / "home"),
            "USERPROFILE": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            **environ,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def steps(output: str, word: str) -> list[str]:
    """The names of the steps that ended with that word, in order."""
    return re.findall(rf"^  {word} +(\S.*?\S) +[0-9.]+ s  ", output, re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the demo in a folder of its own, and how it ended."""

    folder: Path
    done: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on a machine whose own settings would lead every session astray."""
    folder = tmp_path_factory.mktemp("demo")
    done = run(
        folder,
        *("-m", "asession", "demo"),
        AWS_PROFILE="nowhere",
        AWS_ACCESS_KEY_ID="AKIAPOISONPOISON",
        AWS_SECRET_ACCESS_KEY="poison",
        AWS_REGION="xx-poison-1",
        AWS_ENDPOINT_URL_S3="http://127.0.0.1:1",
        HTTP_PROXY="http://127.0.0.1:1",
        AWS_CA_BUNDLE=str(folder / "nowhere.pem"),
    )
    return Run(folder, done)


def test_the_demo_runs_every_step_on_both_loops_and_says_so(demo_run: Run) -> None:
    done = demo_run.done
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    on_asyncio, _, on_trio = done.stdout.partition("\ntrio\n")
    assert "\nasyncio\n" in on_asyncio
    assert steps(on_asyncio, "ok") == list(STEPS)
    assert steps(on_trio, "ok") == list(STEPS)
    took = re.search(r"^all 8 steps as expected, in ([0-9.]+) s$", done.stdout, re.MULTILINE)
    assert took is not None
    assert float(took[1]) < 30


def test_the_demo_leaves_no_files(demo_run: Run) -> None:
    assert list((demo_run.folder / "home").iterdir()) == []
    assert list((demo_run.folder / "tmp").iterdir()) == []


WRONG = """
import sys
from asession._cli.demo import demo
from asession._cli.demo_steps import EXPECTED, Expected

other = {**EXPECTED.profiles, "ops": "arn:aws:sts::123456789012:assumed-role/ops/another"}
sys.exit(demo(Expected(profiles=other, default=EXPECTED.default)))
"""


def test_the_demo_fails_and_names_what_differs_if_a_result_is_not_as_expected(
    tmp_path: Path,
) -> None:
    done = run(tmp_path, "-c", WRONG)
    assert done.returncode == 1, done.stdout + done.stderr
    assert steps(done.stdout, "FAILED") == [STEPS[0]] * 2
    assert steps(done.stdout, "ok") == [*STEPS[1:]] * 2
    assert (
        "identity of ops: expected 'arn:aws:sts::123456789012:assumed-role/ops/another', "
        "found 'arn:aws:sts::123456789012:assumed-role/ops/demo'"
    ) in done.stdout
    assert done.stdout.rstrip().splitlines()[-1].startswith("2 of 8 steps FAILED")


ENVIRONMENT = """
import os
from asession._cli.demo_home import demo_home

before = dict(os.environ)
try:
    with demo_home() as home:
        assert os.environ["HOME"] == str(home.path) and home.path.is_dir()
        assert "AWS_PROFILE" not in os.environ and "HTTPS_PROXY" not in os.environ
        os.environ["AWS_ACCESS_KEY_ID"] = "changed"
        raise KeyboardInterrupt
except KeyboardInterrupt:
    pass
assert dict(os.environ) == before
assert not home.path.exists()
"""


def test_the_environment_is_put_back_also_after_an_interrupt(tmp_path: Path) -> None:
    done = run(tmp_path, "-c", ENVIRONMENT, AWS_PROFILE="mine", HTTPS_PROXY="http://127.0.0.1:1")
    assert done.returncode == 0, done.stderr


HIDING = """
import sys

class Hiding:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        return None if name == {missing!r} else self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = [Hiding(finder) for finder in sys.meta_path]
from asession._cli.main import main
sys.exit(main(["demo"]))
"""


@pytest.mark.parametrize("missing", ["moto", "flask", "trio"])
def test_without_its_extra_the_demo_says_in_one_line_how_to_get_it(
    tmp_path: Path, missing: str
) -> None:
    done = run(tmp_path, "-c", HIDING.format(missing=missing))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert "pip install 'asession[demo]'" in done.stderr


def test_without_a_command_the_usage_is_printed(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "asession")
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: python -m asession")


def test_a_command_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "asession", "nonsense")
    assert done.returncode == 2
    assert "nonsense" in done.stderr


def test_the_version_is_printed(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "asession", "--version")
    assert (done.returncode, done.stdout) == (0, f"asession {__version__}\n")

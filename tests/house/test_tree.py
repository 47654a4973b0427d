"""The tree is as the house wants it: small modules, nothing local, nothing generated, no mocks."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# HOME, and the trust that is written there, is another one in tests.
GIT = ("git", "-c", "safe.directory=*")
LONGEST = 400  # lines of a module
LARGEST = 256 * 1024  # bytes of a file

# Folders of one machine and one user; each is split, so that this file does not hold them itself.
MACHINE_PATH = re.compile(
    "|".join(
        [
            r"(?<![\w./~-])/(?:work" + r"|root)/",
            r"/Us" + r"ers/\w",
            r"[A-Z]:\\+Us" + r"ers\\",
            r"\.py" + r"env/",
            r"/site-pack" + r"ages/",
        ]
    )
)
GENERATED = {
    ".pyc",
    ".pyo",
    ".so",
    ".whl",
    ".gz",
    ".zip",
    ".log",
    ".sqlite",
    ".db",
    ".orig",
    ".rej",
}


@cache
def files() -> tuple[Path, ...]:
    """What is in git or would be at the next `git add`."""
    listed = subprocess.run(
        [*GIT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = (ROOT / name for name in listed.split("\0") if name)
    return tuple(path for path in paths if path.is_file())


def modules(*folders: str) -> list[Path]:
    """The Python files in the folders, or everywhere."""
    python = [path for path in files() if path.suffix == ".py"]
    if not folders:
        return python
    return [path for path in python if path.relative_to(ROOT).parts[0] in folders]


def offenders(paths: list[Path], reason: str) -> str:
    return f"{reason}: " + ", ".join(str(path.relative_to(ROOT)) for path in paths)


def text_of(path: Path) -> str:
    """A file's text, or nothing if it is not text."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


@pytest.fixture(autouse=True)
def a_checkout() -> None:
    """An unpacked sdist has no git, and nothing to say about what is tracked."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")


def test_no_module_is_longer_than_a_room() -> None:
    long = [path for path in modules() if len(text_of(path).splitlines()) > LONGEST]
    assert not long, offenders(long, f"over {LONGEST} lines, split by purpose")


def test_every_module_says_what_it_is_for() -> None:
    bare = []
    for path in modules("src", "tests", "examples", "benchmarks"):
        text = text_of(path)
        if not text.strip() and path.name == "__init__.py" and "src" not in path.parts:
            continue
        if not (ast.get_docstring(ast.parse(text)) or "").strip():
            bare.append(path)
    assert not bare, offenders(bare, "no docstring")


def test_no_file_names_a_folder_of_one_machine() -> None:
    local = [path for path in files() if MACHINE_PATH.search(text_of(path))]
    local += [path for path in files() if f"{ROOT}{os.sep}" in text_of(path)]
    assert not local, offenders(local, "an absolute path of one machine")


@pytest.mark.parametrize(
    "line", ['X = "/wo' + 'rk/main"', "cd /ro" + "ot/x", "/Us" + "ers/me", "C:\\Us" + "ers\\me"]
)
def test_a_folder_of_one_machine_is_found(line: str) -> None:
    assert MACHINE_PATH.search(line)


def test_tests_use_no_mocks() -> None:
    mocking = []
    for path in modules("tests", "examples"):
        for node in ast.walk(ast.parse(text_of(path))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            if any(re.match(r"(unittest\.)?mock\b|pytest_mock\b", name) for name in names):
                mocking.append(path)
    assert not mocking, offenders(mocking, "imports a mock")


def test_nothing_big_or_generated_is_tracked() -> None:
    big = [path for path in files() if path.stat().st_size > LARGEST]
    assert not big, offenders(big, f"over {LARGEST} bytes")
    made = [
        path
        for path in files()
        if path.suffix in GENERATED
        or {"__pycache__", "_build", "dist", "node_modules"} & set(path.parts[len(ROOT.parts) :])
    ]
    assert not made, offenders(made, "generated")


def test_nothing_that_git_ignores_is_tracked() -> None:
    ignored = subprocess.run(
        [*GIT, "ls-files", "--cached", "--ignored", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert ignored == ""


def test_every_change_is_a_fragment_with_a_kind() -> None:
    named = re.compile(r"[a-z0-9][a-z0-9-]*\.(added|changed|fixed|removed)\.md")
    folder = ROOT / "changelog.d"
    wrong = [
        path
        for path in files()
        if path.parent == folder and path.name != "README.md" and not named.fullmatch(path.name)
    ]
    assert not wrong, offenders(wrong, "not <slug>.<added|changed|fixed|removed>.md")

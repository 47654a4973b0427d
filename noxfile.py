"""Every check of the project, one session each; `pip install nox`, then `nox -s tests`.

`tests` and its siblings run on the Python that runs nox; `others` runs a subset on every other
supported Python that this machine has. Tests run against the built and installed package.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.11.12"
nox.options.sessions = ["lint", "types", "types_bare", "layers", "tests"]
nox.options.reuse_existing_virtualenvs = True
# A Python that is not here is skipped, also in CI, and never downloaded.
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"

ROOT = Path(__file__).parent
PYPROJECT = nox.project.load_toml("pyproject.toml")

OWN_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")

# The modules that type checkers read a stub of, and what the generator needs on the path.
STUBBED = ("_opens", "_shortcuts")
FROM_SOURCE = {"PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in ("src", "tests"))}

# What `others` runs: importing and the public names, scoping (the part that depends on how Python
# handles contexts, tasks and generators), and the demo, which goes through everything else.
SMOKE = (
    "tests/house/test_exports.py",
    "tests/scope/test_scope_tasks.py",
    "tests/scope/test_scope_elsewhere.py",
    "tests/demo",
)

# Blocks that have nothing to do with each other: on all cores, one by one.
EACH_APART = ("--numprocesses=auto", "--maxprocesses=4", "--dist=load")


def install(session: nox.Session, *groups: str, extras: str = "") -> None:
    """Install the built package, not the source tree, with what the named groups need."""
    if not session.python and sys.version_info < (3, 11):
        session.error(f"asession needs Python 3.11 or newer, and nox runs on {OWN_PYTHON}")
    requirements = nox.project.dependency_groups(PYPROJECT, *groups)
    session.install(f".[{extras}]" if extras else ".", *requirements)


def existing(session: nox.Session, *paths: str) -> list[str]:
    """Those of the paths that are there; at least one must be."""
    found = [path for path in paths if (ROOT / path).exists()]
    if not found:
        session.error(f"nothing to run: there is no {' and no '.join(paths)}")
    return found


@nox.session
def tests(session: nox.Session) -> None:
    """The suite; storms and soaks at their reduced size. Arguments go to pytest.

    The code blocks of the documentation and the examples have sessions of their own.
    """
    install(session, "test")
    # A process per core, each with servers of its own; the tests of a file stay together.
    spread = ("--numprocesses=auto", "--maxprocesses=4", "--dist=loadfile")
    apart = ("--ignore=tests/docs", "--ignore=tests/examples")
    session.run("pytest", *(session.posargs or (*spread, *apart)))


@nox.session(python=[version for version in PYTHONS if version != OWN_PYTHON])
def others(session: nox.Session) -> None:
    """Imports, scoping and the demo, on every other Python at hand."""
    install(session, "test")
    session.run("pytest", *(session.posargs or existing(session, *SMOKE)))


@nox.session
def soak(session: nox.Session) -> None:
    """Storms, soaks and matrices alone, at their full size."""
    install(session, "test")
    session.run("pytest", "-m", "slow or matrix", *session.posargs, env={"ASESSION_SOAK": "1"})


@nox.session
def crt(session: nox.Session) -> None:
    """What signs, all sources and transfers, with AWS's common runtime installed."""
    install(session, "test", extras="crt")
    rooms = existing(session, "tests/credentials", "tests/aws", "tests/http", "tests/s3")
    session.run("pytest", *(session.posargs or rooms))


@nox.session
def lint(session: nox.Session) -> None:
    """Rules and formatting; `nox -s lint -- --fix` mends what can be mended."""
    session.install(*nox.project.dependency_groups(PYPROJECT, "lint"))
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", *([] if "--fix" in session.posargs else ["--check"]))


@nox.session
def types(session: nox.Session) -> None:
    """The source, its stubs, and `tests/typing` under three checkers; every public name typed."""
    install(session, "types")
    session.run("mypy", "src/asession")
    # Of a module that has a stub mypy reads the stub, unless it is named.
    session.run("mypy", *(f"src/asession/{name}.py" for name in STUBBED))
    modules = [f"asession.{name}" for name in STUBBED]
    session.run("python", "-m", "mypy.stubtest", "--mypy-config-file=pyproject.toml", *modules)
    session.run("python", "-m", "stubs", "--check", env=FROM_SOURCE)
    session.run("python", "tests/typing/run.py", "tests/typing")
    # Fails below 100 %. `--ignoreexternal`: none of the packages underneath ships types.
    session.run("basedpyright", "--verifytypes", "asession", "--ignoreexternal")


@nox.session
def types_bare(session: nox.Session) -> None:
    """What type checkers tell a user who has installed no types: nothing is wrong."""
    install(session, "checkers")
    session.run("python", "tests/typing/run.py", "tests/typing/bare")


@nox.session
def stubs(session: nox.Session) -> None:
    """Write the stubs of clients and resources anew, from the newest types of AWS."""
    session.install("--upgrade", *nox.project.dependency_groups(PYPROJECT, "types", "lint"))
    install(session, "types", "lint")
    session.run("python", "-m", "stubs", *session.posargs, env=FROM_SOURCE)


@nox.session
def layers(session: nox.Session) -> None:
    """Who may import whom, and that the contracts notice a planted violation."""
    session.install(*nox.project.dependency_groups(PYPROJECT, "layers"), "pytest>=8.4")
    session.run("lint-imports", "--no-logo", env={"PYTHONPATH": str(ROOT / "src")})
    # This test needs neither the package installed nor the fixtures of the other tests.
    session.run("pytest", "--noconftest", "tests/house/test_layers.py", "tests/house/test_doors.py")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation, warnings being errors, and run its code blocks."""
    if not (ROOT / "docs/conf.py").exists():
        session.error("there is no docs/conf.py: the documentation cannot be built")
    install(session, "docs", "test")
    shutil.rmtree(ROOT / "docs/_build", ignore_errors=True)
    session.run("sphinx-build", "-n", "-W", "--keep-going", "-b", "html", "docs", "docs/_build")
    session.run("pytest", *EACH_APART, *existing(session, "tests/docs"))


@nox.session
def examples(session: nox.Session) -> None:
    """Run every example through its test."""
    install(session, "test")
    session.run("pytest", *existing(session, "tests/examples"), *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """`python -m asession demo`, with nothing installed but what the extra brings."""
    install(session, extras="demo")
    session.run("python", "-m", "asession", "demo", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """The benchmarks, and the page that shows them; `nox -s bench -- --quick` for a first look."""
    install(session, "bench")
    session.run("python", "-m", "benchmarks", *session.posargs)
    session.run("python", "-m", "benchmarks.page")


@nox.session(reuse_venv=False)
def wheel(session: nox.Session) -> None:
    """Build the wheel, install it alone into a fresh environment, and look at what came along."""
    out = Path(session.create_tmp()) / "wheel"
    shutil.rmtree(out, ignore_errors=True)
    session.run("pip", "wheel", "--no-deps", "--wheel-dir", str(out), ".")
    built = next(out.glob("asession-*.whl"))
    session.install(str(built))
    session.run("pip", "check")
    # From another directory, so that nothing but the installed package can be imported.
    check = ROOT / "tests/house/check_wheel.py"
    with session.chdir(out):
        session.run("python", "-I", str(check), built.name)

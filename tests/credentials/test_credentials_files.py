"""No source of credentials touches a file on the event loop's thread, cold or warm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from credentials.cases import Case, Stage
from credentials.run_case import link_local, run
from watch import FileEvent, FileWatch

# One of each source, those first that have files of their own.
SOURCES = [
    "web-identity-profile",
    "web-identity-token-file-missing",
    "sso-legacy",
    "sso-session-token-renewed",
    "sso-session-without-token",
    "bearer-sso-renewed",
    "login",
    "login-renewed",
    "container-token-file",
    "container-token-file-missing",
    "ec2-file",
    "boto-file-of-the-home",
    "process",
    "process-not-found",
    "role-chain-of-three",
    "role-over-sso",
    "role-over-container",
    "shared-file-elsewhere",
    "config-file",
    "env-keys",
    "explicit-keys",
    "metadata-v2",
    "nothing",
]

COLD = ["sso-session-token-renewed", "role-over-process", "metadata-v2"]


def is_pipe(path: str) -> bool:
    """Whether it is an end of a pipe to a process, by its number, or nothing."""
    return path.isdigit() or path == os.devnull


def listed(events: list[FileEvent]) -> str:
    return "\n".join(map(str, events))


@pytest.mark.anyio
@pytest.mark.parametrize("name", SOURCES)
async def test_a_source_touches_no_file_on_the_loop_thread(
    name: str, stage: Callable[[Case], Stage], file_watch: FileWatch
) -> None:
    case = Case(name)
    if case.missing:
        pytest.skip(case.missing)
    staged = stage(case)
    with link_local(staged):
        for state in ("cold", "warm"):
            with file_watch:
                found = await run(staged)
            on_loop = file_watch.on_thread(threading.get_ident())
            on_loop = [event for event in on_loop if not is_pipe(event.path)]
            assert not on_loop, f"{state}: {listed(on_loop)}"
            assert ("error" in found) == ("error" in case.expected()), (state, found)
    seen = [event.path for event in file_watch.events if str(staged.home) in event.path]
    assert seen, "the watch saw no file of the home at all"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_first_sessions_of_a_process_touch_no_file_on_the_loop_thread(
    backend: str, stage: Callable[[Case], Stage]
) -> None:
    stages = [stage(Case(name)) for name in COLD]
    jobs = [{"environ": staged.environ, "arguments": staged.session} for staged in stages]
    paths = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-m", "credentials.cold_process", backend],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for staged, report in zip(stages, json.loads(done.stdout), strict=True):
        wanted = staged.case.expected()["credentials"]
        assert report["access_key"] == wanted["access_key"]
        on_loop = [event for path, event in report["on_loop"] if not is_pipe(path)]
        assert not on_loop, "\n".join(on_loop)
        assert report["elsewhere"], "the watch saw nothing at all"

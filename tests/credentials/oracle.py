"""botocore's answer to a case, asked of one child process for all cases."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from credentials.cases import MFA_CODE, Stage


class Oracle:
    """botocore in a process of its own, whose environment becomes that of each case.

    Lives for a `with` block; the process ends with it.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        tests = str(Path(__file__).parents[1])
        paths = [tests, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "credentials.oracle_worker"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process is not None
        self._process.communicate()  # closes its input, at the end of which it stops

    def ask(self, stage: Stage) -> dict[str, Any]:
        """What botocore makes of a prepared case."""
        job = {
            "environ": stage.environ,
            "session": stage.session,
            "ask": stage.ask,
            "container": stage.server.url.removeprefix("http://"),
            "mfa": MFA_CODE,
        }
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(job), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, "the oracle died"
        found: dict[str, Any] = json.loads(line)
        return found

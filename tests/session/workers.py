"""What other processes and threads do with a session; importable by a spawned process."""

from __future__ import annotations

import json
import os
import select
import signal
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import anyio

from asession import Session

SECONDS = 60


def signer(session: Session, backend: str) -> str:
    """The key that signs a request of the session, entered on a new event loop."""

    async def main() -> str:
        with anyio.fail_after(SECONDS / 2):
            async with session:
                client = await session.client("s3")
                owned = (await client.list_buckets())["Owner"]["ID"]
                async with session.client("s3") as client:
                    lent = (await client.list_buckets())["Owner"]["ID"]
        assert owned == lent
        return str(owned)

    return anyio.run(main, backend=backend)


def report_signer(connection: Connection, session: Session, backend: str) -> None:
    """Send what `signer` returns, or the error as text."""
    with connection:
        try:
            connection.send(signer(session, backend))
        except BaseException:
            connection.send(traceback.format_exc())


def in_fork(work: Callable[[], Any]) -> Any:
    """Run a function in a forked child and return its result, which must be JSON.

    A child that hangs is killed by its own alarm.
    """
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(SECONDS)
            try:
                answer: Any = {"result": work()}
            except BaseException:
                answer = {"error": traceback.format_exc()}
            with os.fdopen(writable, "w") as pipe:
                json.dump(answer, pipe)
            code = 0
        finally:
            os._exit(code)
    os.close(writable)
    try:
        with os.fdopen(readable) as pipe:
            ready, _, _ = select.select([pipe], [], [], SECONDS + 10)
            text = pipe.read() if ready else ""
    finally:
        if not ready:
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    assert text, f"the forked child ended without an answer: {os.waitstatus_to_exitcode(status)}"
    answer = json.loads(text)
    assert "result" in answer, answer["error"]
    return answer["result"]

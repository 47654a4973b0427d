"""The processes of a benchmark: the fake AWS, and one worker for each peer."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

from benchmarks.environments import ROOT, python, variables
from benchmarks.peers import PEERS, Target
from benchmarks.server import HOST

# How long a process may take to end once its input has ended, in seconds.
_GRACE = 5.0


class Process:
    """A child that answers lines of JSON with lines of JSON; closed by `stop`."""

    def __init__(self, command: list[str], home: Path) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=variables(home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._what = command[-1] if command[-1].startswith("benchmarks") else command[2]

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send a line, without waiting for the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        """The next answer.

        Raises:
            RuntimeError: The process has ended instead; what it had to say is on standard error.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._what} ended early, with {self._process.wait()}")
        return json.loads(line)

    def ask(self, message: Mapping[str, Any]) -> Any:
        """Send a line and wait for the answer."""
        self.tell(message)
        return self.hear()

    def stop(self) -> None:
        """End its input, and it with that."""
        with contextlib.suppress(OSError):
            self._process.communicate(timeout=_GRACE)
            return
        self._process.kill()
        self._process.communicate()


@dataclass(frozen=True, slots=True)
class Server:
    """The running fake; a value.

    Attributes:
        ports: Its ports by scheme.
        ca: The file with the authority that signed its certificate.
    """

    ports: Mapping[str, int]
    ca: Path

    def target(self, operation: str, scheme: str, concurrency: int) -> Target:
        """What a worker is told about an operation on this server."""
        ca = str(self.ca) if scheme == "https" else None
        return Target(operation, f"{scheme}://{HOST}:{self.ports[scheme]}", ca, concurrency)

    def cpu(self) -> float:
        """The seconds of CPU time that it has used."""
        opener = build_opener(ProxyHandler({}))
        with opener.open(f"http://{HOST}:{self.ports['http']}/-/cpu") as answer:
            return float(json.load(answer))


@contextlib.contextmanager
def serving(home: Path) -> Iterator[Server]:
    """The fake on http and https, with a certificate made for this run."""
    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(home / "ca.pem"))
    identity = authority.issue_cert(HOST)
    identity.private_key_and_cert_chain_pem.write_to_path(str(home / "server.pem"))
    pem = str(home / "server.pem")
    process = Process([python(), "-m", "benchmarks.server", pem, pem], home)
    try:
        yield Server(process.hear(), home / "ca.pem")
    finally:
        process.stop()


@contextlib.contextmanager
def working(peers: tuple[str, ...], target: Target, home: Path) -> Iterator[dict[str, Process]]:
    """One worker for each peer, ready; they import and open their clients at the same time."""
    with contextlib.ExitStack() as stack:
        workers = {}
        for name in peers:
            interpreter = python(for_aioboto3=PEERS[name].elsewhere)
            worker = Process([interpreter, "-m", "benchmarks.worker"], home)
            stack.callback(worker.stop)
            worker.tell(
                {
                    "peer": name,
                    "operation": target.operation,
                    "url": target.url,
                    "ca": target.ca,
                    "concurrency": target.concurrency,
                }
            )
            workers[name] = worker
        yield workers

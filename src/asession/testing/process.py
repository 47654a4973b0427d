"""Servers in child processes: started on free ports of 127.0.0.1, always stopped."""

from __future__ import annotations

import atexit
import contextlib
import http.client
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asession.testing import tied

HOST = "127.0.0.1"
_CLASH = re.compile(r"already in use|address in use|only one usage of each socket", re.IGNORECASE)
_TAIL_LINES = 40


class ServerFailedError(Exception):
    """A server did not start; the message ends with the tail of its log."""


_FIRST_PORT, _PORTS = 10_240, 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSpec:
    """How to start one kind of server; a value.

    Attributes:
        name: For messages and the name of the directory.
        ports: How many ports it needs; the first one is the endpoint.
        command: From the ports and the server's own directory to the command line.
        ready: Pairs of the index of a port and a path, all of which answer 200 once it is ready.
        environ: From the ports and the directory to what its environment adds to `child_environ`.
        grace: Seconds between terminate and kill; 0 kills at once.
        litter: From the ports to the files that it leaves outside its directory.
    """

    name: str
    command: Callable[[Sequence[int], Path], Sequence[str]]
    ready: Sequence[tuple[int, str]]
    ports: int = 1
    environ: Callable[[Sequence[int], Path], Mapping[str, str]] = field(
        default=lambda ports, directory: {}
    )
    grace: float = 3.0
    litter: Callable[[Sequence[int]], Sequence[Path]] = field(default=lambda ports: ())


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago; all different.

    They are below those that the system gives to whoever asks for any, so that none is given away
    before its server has it.
    """
    ports: list[int] = []
    with contextlib.ExitStack() as stack:
        while len(ports) < count:
            probe = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            with contextlib.suppress(OSError):
                probe.bind((HOST, _FIRST_PORT + secrets.randbelow(_PORTS)))
                ports.append(probe.getsockname()[1])
    return ports


def child_environ(directory: Path) -> dict[str, str]:
    """An environment made from nothing: no proxies, no AWS settings, a HOME of its own."""
    home = directory / "home"
    home.mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "USERPROFILE": str(home),
        "TMPDIR": str(directory),
        "LC_ALL": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "*",
        "DO_NOT_TRACK": "1",
        # Emulators look for Docker to run functions in and to tidy up: none of the user's.
        "DOCKER_HOST": f"unix://{directory / 'no-docker.sock'}",
    }


class Server:
    """A running server; lives from `start` to `stop`, and is stopped at the latest at exit.

    Whoever started it stops it; a second `stop` does nothing.
    """

    def __init__(
        self,
        spec: ServerSpec,
        process: subprocess.Popen[bytes],
        ports: Sequence[int],
        directory: Path,
    ) -> None:
        self._spec = spec
        self._process = process
        self._directory = directory
        self._owner = os.getpid()
        self.ports: tuple[int, ...] = tuple(ports)
        self.url: str = f"http://{HOST}:{ports[0]}"
        self.startup_seconds: float = 0.0
        atexit.register(self.stop)

    @property
    def pid(self) -> int:
        """The process id, also after the end."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def log_tail(self) -> str:
        """The last lines of what the server wrote, while its directory exists."""
        with contextlib.suppress(OSError):
            text = (self._directory / "log").read_text("utf-8", "replace")
            return "\n".join(text.splitlines()[-_TAIL_LINES:])
        return ""

    def stop(self) -> None:
        """Terminate the process, kill it if that takes too long, and delete its files."""
        atexit.unregister(self.stop)
        if os.getpid() != self._owner:
            return  # a fork of the test run ends, not the test run
        if self.running and self._spec.grace:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(self._spec.grace)
        if self.running:
            self._process.kill()
        self._process.wait()
        for path in self._spec.litter(self.ports):
            path.unlink(missing_ok=True)
        shutil.rmtree(self._directory, ignore_errors=True)


def start(spec: ServerSpec, *, timeout: float = 60.0, attempts: int = 4) -> Server:
    """Start a server and wait until it answers.

    Args:
        timeout: Seconds for each attempt.
        attempts: How often to begin anew because somebody else took one of the ports.

    Raises:
        ServerFailedError: It ended, or did not answer in time.
    """
    for left in reversed(range(attempts)):
        server = _spawn(spec)
        began = time.monotonic()
        try:
            failure = _wait_until_ready(server, spec, began + timeout)
            if failure is None:
                server.startup_seconds = time.monotonic() - began
                return server
            tail = server.log_tail()
        except BaseException:  # an interrupt too must not leave the process behind
            server.stop()
            raise
        server.stop()
        if not (left and _CLASH.search(tail)):
            raise ServerFailedError(f"{spec.name} {failure}; the end of its log:\n{tail}")
    raise AssertionError("unreachable")


@contextlib.contextmanager
def running(spec: ServerSpec) -> Iterator[Server]:
    """A server for the length of a block."""
    server = start(spec)
    try:
        yield server
    finally:
        server.stop()


def _spawn(spec: ServerSpec) -> Server:
    directory = Path(tempfile.mkdtemp(prefix=f"asession-{spec.name}-"))
    try:
        ports = free_ports(spec.ports)
        command = list(spec.command(ports, directory))
        # The kernel ties a child to the thread that made it: a worker thread ends too early.
        if threading.current_thread() is threading.main_thread():
            tie = [sys.executable, "-I", "-S", tied.__file__, str(os.getpid())]
            command = tie + command
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=directory,
                env={**child_environ(directory), **spec.environ(ports, directory)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C goes to pytest alone, which stops the servers after the last fixture.
                start_new_session=True,
            )
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    return Server(spec, process, ports, directory)


def _wait_until_ready(server: Server, spec: ServerSpec, deadline: float) -> str | None:
    while server.running:
        # Asked in this order: whoever answers on the port is our process only if that still runs.
        if all(_answers(server.ports[i], path) for i, path in spec.ready) and server.running:
            return None
        if time.monotonic() > deadline:
            return "did not answer in time"
        time.sleep(0.05)
    return "ended before it answered"


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()

"""Keeps tests on this machine: leaving loopback or opening the user's `~/.aws` is an error."""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_ADDRESSED = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_LOOKED_UP = frozenset({"socket.getaddrinfo", "socket.gethostbyaddr", "socket.gethostbyname"})
_FILES = frozenset({"open", "os.listdir", "os.scandir"})
_METADATA = frozenset({"169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254"})


class OutsideError(AssertionError):
    """Something in this process tried to leave loopback, or to read the user's AWS settings."""


class OutsideGuard:
    """Refuses and remembers every attempt while it is on; lives as long as the process.

    Audit hooks cannot be removed: there is one guard, `GUARD`, which is switched on and off. Code
    under test may swallow the refusal, so whoever switches it on also looks at `take`.
    Not seen: uvloop, which connects past Python's sockets; child processes; and the lookup of a
    name given to `socket.connect` itself (event loops resolve names first).
    """

    def __init__(self) -> None:
        self._attempts: list[str] = []
        self._installed = False
        self._depth = 0
        self._settings: tuple[str, ...] = ()

    def on(self) -> None:
        """Begin; the user's settings are those of the HOME of the first call."""
        if not self._installed:
            self._installed = True
            self._settings = tuple(_settings_folders())
            sys.addaudithook(self._hook)
        self._depth += 1

    def off(self) -> None:
        """End what one `on` began."""
        self._depth -= 1

    def take(self) -> list[str]:
        """The attempts since the last call, which are forgotten."""
        attempts, self._attempts = self._attempts, []
        return attempts

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._depth <= 0:
            return
        if event in _ADDRESSED:
            # (socket, address); the address of a Unix socket is a path, of a connected one None.
            address = arguments[1] if len(arguments) > 1 else None
            self._check(event, address[0] if isinstance(address, tuple) and address else None)
        elif event in _LOOKED_UP:
            self._check(event, arguments[0])
        elif event in _FILES and self._is_setting(arguments[0]):
            self._refuse(f"{event} {os.fsdecode(arguments[0])}", "belongs to the user")

    def _check(self, event: str, host: object) -> None:
        if is_loopback(host):
            return
        name = host.decode("utf-8", "replace") if isinstance(host, bytes) else str(host)
        what = "is instance metadata" if name in _METADATA else "is not on this machine"
        self._refuse(f"{event} {name}", what)

    def _refuse(self, attempt: str, reason: str) -> None:
        self._attempts.append(attempt)
        raise OutsideError(f"{attempt}: {reason}; see isolated_environment() and aws_server()")

    def _is_setting(self, path: object) -> bool:
        if not isinstance(path, str | bytes):
            return False
        text = os.fsdecode(path)
        if ".aws" not in text:  # quick: this is asked for every file
            return False
        return f"{os.path.abspath(text)}{os.sep}".startswith(self._settings)


def is_loopback(host: object) -> bool:
    """Whether a host, as sockets take it, is this machine (`None` and paths of sockets are)."""
    if isinstance(host, bytes):
        host = host.decode("utf-8", "replace")
    if not isinstance(host, str) or host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


@contextmanager
def loopback_only() -> Iterator[OutsideGuard]:
    """Refuse, in this process, to leave loopback or to open a file in the user's ``~/.aws``.

    Yields:
        The guard.

    Raises:
        OutsideError: At the attempt, and at the end of the block if the block swallowed it.
    """
    GUARD.take()
    GUARD.on()
    try:
        yield GUARD
    finally:
        GUARD.off()
        attempts = GUARD.take()
    if attempts:
        raise OutsideError(f"left this machine or its test settings: {', '.join(attempts)}")


def _settings_folders() -> Iterator[str]:
    homes = {os.path.expanduser("~")}
    if sys.platform != "win32":
        import pwd

        try:
            homes.add(pwd.getpwuid(os.getuid()).pw_dir)  # whatever HOME says
        except KeyError:
            pass  # a container's user has no entry
    for home in homes:
        yield os.path.join(os.path.abspath(home), ".aws", "")


GUARD = OutsideGuard()

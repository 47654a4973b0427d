"""Keeps the tests on this machine: connecting or resolving beyond loopback is an error."""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

_EVENTS = frozenset(
    {
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyaddr",
        "socket.gethostbyname",
        "socket.sendmsg",
        "socket.sendto",
    }
)


class OutsideConnectionError(AssertionError):
    """Something in this process tried to leave loopback."""


class NetworkGuard:
    """Refuses and remembers every attempt; lives as long as the process, as audit hooks do.

    Code under test may swallow the refusal, so each test also checks `attempts` at its end.
    Not seen: uvloop, which connects past Python's sockets, and the lookup of a name given to
    `socket.connect` itself (event loops resolve names first).
    """

    def __init__(self) -> None:
        self.attempts: list[str] = []
        self._installed = False

    def install(self) -> None:
        """Begin; again does nothing."""
        if not self._installed:
            self._installed = True
            sys.addaudithook(self._hook)

    def take(self) -> list[str]:
        """The attempts since the last call, which are forgotten."""
        attempts, self.attempts = self.attempts, []
        return attempts

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _EVENTS:
            return
        host = _host(event, arguments)
        if not is_loopback(host):
            self.attempts.append(f"{event} {host}")
            raise OutsideConnectionError(f"{event}: {host} is not on this machine")


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


def _host(event: str, arguments: tuple[Any, ...]) -> object:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        # (socket, address); the address of a Unix socket is a path, of a connected one None.
        address = arguments[1] if len(arguments) > 1 else None
        return address[0] if isinstance(address, tuple) and address else None
    return arguments[0]


GUARD = NetworkGuard()

"""How long to wait for what, and how much to keep."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait; `None` waits for ever.

    Attributes:
        connect: For a connection, name look-up and TLS handshake included.
        read: For each piece of the response, the first included.
        write: For the peer to take each piece of the request.
        pool: For a free connection.
        expect: For the peer's word after ``Expect: 100-continue``; then the body is sent anyway.
    """

    connect: float | None = 60.0
    read: float | None = 60.0
    write: float | None = 60.0
    pool: float | None = None
    expect: float = 1.0


# Of one response's status line and headers together.
MAX_HEAD = 256 * 1024
# What one read of a socket takes at most.
READ_SIZE = 64 * 1024
# The same while a long body arrives.
LONG_READ_SIZE = 256 * 1024
# An idle connection older than this is not used again, in seconds; AWS closes its own after 20.
KEEPALIVE = 12.0

"""An HTTP/1.1 endpoint in threads that misbehaves as told: resets, stalls, lies about lengths."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self, TypeAlias

from servers.process import HOST

PAYLOAD = b"the quick brown fox " * 50

Fault: TypeAlias = Callable[["Peer"], bool]


class Peer:
    """One request at a time on one connection; lives as long as the connection.

    Attributes:
        head: The request line and headers as they arrived.
        body: What was read of the body.
        received: How many bytes of it.
        good: A right answer to the request: head and body.
    """

    def __init__(self, connection: socket.socket, stopping: threading.Event) -> None:
        self._socket = connection
        self._stopping = stopping
        self._buffer = b""
        self.head = b""
        self.body = b""
        self.received = 0
        self.good = (b"", b"")

    def next_head(self) -> bool:
        """Read a request's head; `False` at the end of the connection."""
        while b"\r\n\r\n" not in self._buffer:
            data = self._socket.recv(65536)
            if not data:
                return False
            self._buffer += data
        self.head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        self.good = _good(self.head)
        return True

    def read_body(self) -> None:
        """Ask for the body if it waits to be asked for, and read it."""
        head = self.head.lower()
        if b"\r\nexpect: 100-continue" in head:
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if b"\r\ntransfer-encoding: chunked" in head:
            while not self._buffer.endswith(b"0\r\n\r\n"):
                self._buffer += self._some()
        elif b"\r\ncontent-length:" in head:
            length = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
            pieces, count = [self._buffer], len(self._buffer)
            while count < length:
                pieces.append(self._some())
                count += len(pieces[-1])
            self._buffer = b"".join(pieces)
        self.body, self._buffer = self._buffer, b""
        self.received = len(self.body)

    def _some(self) -> bytes:
        data = self._socket.recv(1 << 20)
        if not data:
            raise ConnectionError("the client left")
        return data

    def read_a_bit(self) -> None:
        """Read some of the body."""
        if not self._buffer:
            self._buffer = self._some()

    def read_on(self) -> bool:
        """Say nothing, and read until the client leaves."""
        while self._some():
            pass
        return False

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._socket.sendall(data)

    def reset(self) -> bool:
        """Close with a RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def half_close(self) -> None:
        """Send the end of the connection, and go on reading."""
        self._socket.shutdown(socket.SHUT_WR)

    def wait(self, seconds: float = 10.0) -> bool:
        """Say nothing until the client leaves."""
        self._socket.settimeout(0.02)
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                if not self._socket.recv(1, socket.MSG_PEEK):
                    break
                time.sleep(0.02)
        return False


class FaultServer:
    """Listens from entering to leaving its `with` block, which closes every connection.

    Args:
        faults: What to do with each request, in the order of arrival; after the last, all is well.

    Example:
        with FaultServer([reset_before_headers, trickle]) as server:
            ...  # calls with endpoint_url=server.url
            assert server.requests == 2
    """

    peer = Peer

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults = list(faults)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((HOST, 0), backlog=512)
        self.heads: list[bytes] = []
        self.accepted = 0
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        """The endpoint, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    @property
    def requests(self) -> int:
        """How many requests have arrived, or begun to."""
        return len(self.heads)

    @property
    def open(self) -> int:
        """How many connections are open."""
        with self._lock:
            return len(self._connections)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._stopping.is_set():
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self.accepted += 1
                    self._connections.add(connection)
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        peer = self.peer(connection, self._stopping)
        try:
            while peer.next_head() and self._next(peer.head)(peer):
                pass
        except OSError:
            pass  # the client went away, as clients of such a server do
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def _next(self, head: bytes) -> Fault:
        with self._lock:
            number = len(self.heads)
            self.heads.append(head)
        return self._faults[number] if number < len(self._faults) else well


def _good(head: bytes) -> tuple[bytes, bytes]:
    if b"\r\nx-amz-target:" in head.lower():
        body = json.dumps({"Item": {"id": {"S": PAYLOAD.decode()}}}).encode()
        extra = b"Content-Type: application/x-amz-json-1.0\r\nx-amz-crc32: %d" % zlib.crc32(body)
    elif head.startswith(b"PUT"):
        body, extra = b"", b'ETag: "tag"'
    else:
        body = PAYLOAD
        checksum = base64.b64encode(zlib.crc32(body).to_bytes(4, "big"))
        extra = b"Content-Type: text/plain\r\nx-amz-checksum-crc32: " + checksum
    start = b"HTTP/1.1 200 OK\r\n" + extra + b"\r\nContent-Length: %d\r\n\r\n" % len(body)
    return start, body


def well(peer: Peer) -> bool:
    """Answer as one should."""
    peer.read_body()
    peer.send(b"".join(peer.good))
    return True


def close_after(peer: Peer) -> bool:
    """Answer, and close the connection without having said so."""
    well(peer)
    return False


def reset_before_headers(peer: Peer) -> bool:
    peer.read_body()
    return peer.reset()


def reset_after_headers(peer: Peer) -> bool:
    peer.read_body()
    peer.send(peer.good[0])
    return peer.reset()


def half_close(peer: Peer) -> bool:
    """End the answering direction, and go on reading."""
    peer.read_body()
    peer.half_close()
    return peer.wait()


def truncate(peer: Peer) -> bool:
    """Close in the middle of the body."""
    peer.read_body()
    peer.send(peer.good[0] + peer.good[1][: len(peer.good[1]) // 2])
    return False


def stall_before_headers(peer: Peer) -> bool:
    peer.read_body()
    return peer.wait()


def stall_mid_body(peer: Peer) -> bool:
    """Also a length that is too long: the rest never comes."""
    peer.read_body()
    peer.send(peer.good[0] + peer.good[1][: len(peer.good[1]) // 2])
    return peer.wait()


def trickle(peer: Peer) -> bool:
    """Answer in small pieces with pauses."""
    peer.read_body()
    data = b"".join(peer.good)
    for start in range(0, len(data), 90):
        peer.send(data[start : start + 90])
        time.sleep(0.004)
    return True


def slow_headers(peer: Peer) -> bool:
    """Answer the first bytes one by one."""
    peer.read_body()
    data = b"".join(peer.good)
    for start in range(60):
        peer.send(data[start : start + 1])
        time.sleep(0.002)
    peer.send(data[60:])
    return True


def corrupt_byte(peer: Peer) -> bool:
    """Change one byte of the body, and keep its checksum."""
    peer.read_body()
    head, body = peer.good
    middle = len(body) // 2
    peer.send(head + body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :])
    return True


def unavailable(peer: Peer) -> bool:
    """Answer 503 with Retry-After."""
    peer.read_body()
    peer.send(_error(b"503 Service Unavailable\r\nRetry-After: 0", b"ServiceUnavailable"))
    return True


def garbage(peer: Peer) -> bool:
    """Answer with something that is not HTTP."""
    peer.read_body()
    peer.send(b"SSH-2.0-garbage\r\n\r\n")
    return peer.wait()


def oversized_headers(peer: Peer) -> bool:
    """Answer with a head that does not end."""
    peer.read_body()
    peer.send(b"HTTP/1.1 200 OK\r\n")
    for number in range(100):
        peer.send(b"x-%d: " % number + b"y" * 8192 + b"\r\n")
    return peer.wait()


def surplus(peer: Peer) -> bool:
    """Answer with more bytes than the length says."""
    peer.read_body()
    peer.send(b"".join(peer.good) + b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad")
    return True


def refuse_early(peer: Peer) -> bool:
    """Refuse an upload after its head, and close."""
    peer.send(_error(b"403 Forbidden", b"AccessDenied"))
    return False


def refuse_early_and_stay(peer: Peer) -> bool:
    """Refuse an upload after its head, and neither read on nor close."""
    peer.send(_error(b"403 Forbidden", b"AccessDenied"))
    time.sleep(0.1)
    return peer.wait()


def _error(status: bytes, code: bytes) -> bytes:
    body = b"<Error><Code>" + code + b"</Code><Message>from the fault server</Message></Error>"
    return b"HTTP/1.1 " + status + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body

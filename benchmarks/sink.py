"""A server of one big object of zeros, which takes any upload and keeps nothing of it.

`python -m benchmarks.sink SIZE PEM` prints its ports as one line of JSON, then serves until its
standard input ends.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import sys
import threading

from benchmarks.stalls import HOST, PIECE, crc32


def serve(listener: socket.socket, context: ssl.SSLContext | None, head: bytes, size: int) -> None:
    """Accept connections for ever, each with a thread."""
    while True:
        accepted, _ = listener.accept()
        threading.Thread(target=talk, args=(accepted, context, head, size), daemon=True).start()


def talk(connection: socket.socket, context: ssl.SSLContext | None, head: bytes, size: int) -> None:
    """Answer the requests of one connection."""
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stack.callback(connection.close)
        if context is not None:
            connection = stack.enter_context(context.wrap_socket(connection, server_side=True))
        seen = b""
        while True:
            while b"\r\n\r\n" not in seen:
                data = connection.recv(65536)
                if not data:
                    return
                seen += data
            request, _, rest = seen.partition(b"\r\n\r\n")
            if request.startswith(b"GET"):
                seen = rest
                connection.sendall(head)
                piece = bytes(PIECE)
                for _ in range(size // PIECE):
                    connection.sendall(piece)
                continue
            lower = request.lower()
            if b"100-continue" in lower:
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            _swallow(connection, lower, rest)
            seen = b""
            connection.sendall(b'HTTP/1.1 200 OK\r\nETag: "e"\r\nContent-Length: 0\r\n\r\n')


def _swallow(connection: socket.socket, head: bytes, rest: bytes) -> None:
    buffer = memoryview(bytearray(PIECE))
    if b"transfer-encoding: chunked" in head:
        end = rest[-16:]
        while not end.endswith(b"\r\n0\r\n\r\n"):
            count = connection.recv_into(buffer)
            if not count:
                raise ConnectionError
            end = (end + bytes(buffer[max(0, count - 16) : count]))[-16:]
        return
    left = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]) - len(rest)
    while left > 0:
        count = connection.recv_into(buffer)
        if not count:
            raise ConnectionError
        left -= count


def main() -> None:
    """Serve over http and TLS."""
    size, pem = int(sys.argv[1]), sys.argv[2]
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nx-amz-checksum-crc32: {crc32(size)}\r\n"
        "x-amz-checksum-type: FULL_OBJECT\r\nContent-Type: binary/octet-stream\r\n\r\n"
    ).encode()
    ports = {}
    for scheme, tls in (("http", None), ("https", context)):
        listener = socket.create_server((HOST, 0), backlog=64)
        ports[scheme] = listener.getsockname()[1]
        threading.Thread(target=serve, args=(listener, tls, head, size), daemon=True).start()
    print(json.dumps(ports), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()

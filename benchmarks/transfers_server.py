"""A fake of S3 for transfers: takes uploads without keeping them, gives any range of one object.

`python -m benchmarks.transfers_server` prints its port as one line of JSON, then serves until its
standard input ends. The size of an object is the number at the end of its key. It checks nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
import time
from typing import Any

HOST = "127.0.0.1"
_PIECE = bytes(range(256)) * 4096
_ETAG = 'ETag: "b2ea9f7fcea831a4a63b213f41a8855b"\r\n'
_RANGE = re.compile(rb"\r\nrange: bytes=(\d+)-(\d*)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_SIZE = re.compile(rb"-(\d+)(?:\?| )")


class Fake(asyncio.Protocol):
    """One connection of a client; lives until either side closes it."""

    def __init__(self) -> None:
        self._buffer = b""
        self._left = 0
        self._reply = b""
        self._body: range = range(0)
        self._paused = False

    def connection_made(self, transport: Any) -> None:
        """Called by the event loop."""
        self._transport = transport
        transport.set_write_buffer_limits(high=1 << 20)

    def pause_writing(self) -> None:
        """Called by the event loop."""
        self._paused = True

    def resume_writing(self) -> None:
        """Called by the event loop."""
        self._paused = False
        self._pump()

    def data_received(self, data: bytes) -> None:
        """Drop what belongs to a body, answer what is complete."""
        if self._left:
            if len(data) < self._left:
                self._left -= len(data)
                return
            data = data[self._left :]
            self._left = 0
            self._transport.write(self._reply)
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head, self._buffer = self._buffer[: end + 2], self._buffer[end + 4 :]
            self._request(head)
            if self._left:
                return

    def _request(self, head: bytes) -> None:
        method = head[: head.index(b" ")]
        line = head[: head.index(b"\r\n")]
        if method in (b"PUT", b"POST"):
            found = _LENGTH.search(head)
            length = int(found[1]) if found else 0
            if b"100-continue" in head and length and not self._buffer:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._reply = self._answer_to(method, line)
            arrived = min(length, len(self._buffer))
            self._buffer = self._buffer[arrived:]
            self._left = length - arrived
            if not self._left:
                self._transport.write(self._reply)
            return
        if line.startswith(b"GET /-/cpu "):
            self._transport.write(_answer("", json.dumps(time.process_time()).encode()))
            return
        found = _SIZE.search(line)
        size = int(found[1]) if found else 0
        ranged = _RANGE.search(head)
        start, stop, status = 0, size, "200 OK"
        extra = ""
        if ranged:
            start, stop = int(ranged[1]), int(ranged[2]) + 1 if ranged[2] else size
            stop = min(stop, size)
            status = "206 Partial Content"
            extra = f"Content-Range: bytes {start}-{stop - 1}/{size}\r\n"
        answer = f"HTTP/1.1 {status}\r\n{_ETAG}{extra}Content-Length: {stop - start}\r\n\r\n"
        self._transport.write(answer.encode())
        if method == b"GET":
            self._body = range(start, stop)
            self._pump()

    def _pump(self) -> None:
        while self._body and not self._paused:
            count = min(len(self._body), len(_PIECE))
            self._transport.write(_PIECE[:count] if count < len(_PIECE) else _PIECE)
            self._body = self._body[count:]

    def _answer_to(self, method: bytes, line: bytes) -> bytes:
        if method == b"PUT":
            return _answer(_ETAG, b"")
        if b"uploads" in line and b"uploadId" not in line:
            return _answer("", b"<R><UploadId>upload</UploadId></R>")
        return _answer("", b"<R><ETag>tag</ETag></R>")


def _answer(headers: str, content: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\n{headers}Content-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


async def serve() -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Fake, HOST, 0, backlog=512)
    print(json.dumps({"http": server.sockets[0].getsockname()[1]}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Run on uvloop where there is one."""
    factory = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve())


if __name__ == "__main__":
    main()

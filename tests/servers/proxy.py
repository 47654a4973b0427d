"""An HTTP proxy in a thread: tunnels, forwards, asks for credentials, speaks TLS if told."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import threading
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from servers.process import HOST


class Proxy:
    """Listens from entering to leaving its `with` block, which closes every connection.

    Args:
        tls: Speak TLS with this context.
        credentials: ``"user:password"`` that is asked for; `None` takes anybody.
        target: Where to connect whatever the client asks for, as a DNS of the proxy's own.

    Attributes:
        tunnelled: The targets of CONNECT.
        forwarded: The URLs of forwarded requests.
        heads: Every request's head, as it arrived.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        credentials: str | None = None,
        target: int | None = None,
    ) -> None:
        self._tls = tls
        self._wanted = credentials and base64.b64encode(credentials.encode())
        self._target = target
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.tunnelled: list[str] = []
        self.forwarded: list[str] = []
        self.heads: list[bytes] = []
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop, debug=False) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connected, HOST, 0, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._one(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # the client went away, or the proxy stops
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        method, target, _ = head.split(b"\r\n")[0].split(b" ")
        if self._wanted and b"Proxy-Authorization: Basic " + self._wanted not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        if method == b"CONNECT":
            self.tunnelled.append(target.decode())
            port = int(target.rpartition(b":")[2])
            first = b""
        else:
            self.forwarded.append(target.decode())
            parts = urlsplit(target.decode())
            port = parts.port or 80
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            first = head.replace(target, path.encode(), 1)
        out_reader, out_writer = await asyncio.open_connection(HOST, self._target or port)
        with contextlib.closing(out_writer):
            if first:
                out_writer.write(first)
            else:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(_copy(reader, out_writer), _copy(out_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()

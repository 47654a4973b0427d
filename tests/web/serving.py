"""Real applications under uvicorn and hypercorn, in a thread, on a loopback port."""

from __future__ import annotations

import contextlib
import http.client
import logging
import socket
import struct
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self

import hypercorn.trio
import trio
import uvicorn
import wsproto
from wsproto.events import AcceptConnection, CloseConnection, Event, Request, TextMessage

from web.driver import Answer

SECONDS = 60.0


@dataclass
class Serving:
    """A server that listens; what it logs at level WARNING and above is kept."""

    port: int
    complaints: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def get_all(self, requests: Sequence[tuple[str, dict[str, str]]]) -> list[Answer]:
        """The answers to GET requests (path, headers) that are all sent at once, in order."""
        with ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(self._get, *zip(*requests, strict=True)))

    def get(self, path: str, **headers: str) -> Answer:
        """The answer to one GET request; underscores in names of headers become hyphens."""
        return self._get(path, {name.replace("_", "-"): value for name, value in headers.items()})

    def put(self, path: str, body: bytes, **headers: str) -> Answer:
        """The answer to one PUT request."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._get(path, named, "PUT", body)

    def give_up(self, request: bytes, *, after: int) -> bytes:
        """Send a request, take so many bytes of the answer, and reset the connection."""
        with self.connected() as connection:
            connection.sendall(request)
            taken = b""
            while len(taken) < after and (data := connection.recv(after - len(taken))):
                taken += data
        return taken

    @contextmanager
    def connected(self) -> Generator[socket.socket, None, None]:
        """A connection that is reset at the end: what is left unsent or unread is lost."""
        with socket.create_connection(("127.0.0.1", self.port), SECONDS) as connection:
            yield connection
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _get(
        self, path: str, headers: dict[str, str], method: str = "GET", body: bytes | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.read())


class _Ear(logging.Handler):
    def __init__(self, complaints: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._complaints = complaints

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._complaints.append(record.getMessage().strip() + (f" {error!r}" if error else ""))


@contextmanager
def serving(app: Any, *, may_complain: bool = False) -> Generator[Serving, None, None]:
    """Serve an application for the block; a startup that fails ends the block before it begins.

    Args:
        app: An ASGI application.
        may_complain: Whether the server may log warnings and errors; else these fail the test.
    """
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    given = Serving(listener.getsockname()[1])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, http="h11", ws="wsproto"))
    exits: list[int | str | None] = []

    def run() -> None:
        try:
            server.run([listener])
        except SystemExit as error:  # a startup that failed
            exits.append(error.code)

    thread = threading.Thread(target=run, name="uvicorn")
    ear = _Ear(given.complaints)
    loggers = [logging.getLogger(name) for name in ("uvicorn", "asyncio")]
    for logger in loggers:
        logger.addHandler(ear)
    thread.start()
    try:
        _wait_for(server, thread)
        yield given
    finally:
        server.should_exit = True
        thread.join(SECONDS)
        for logger in loggers:
            logger.removeHandler(ear)
        listener.close()
        assert not thread.is_alive(), "uvicorn does not end"
    assert may_complain or not given.complaints, given.complaints
    assert may_complain or not exits, exits


def _wait_for(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + SECONDS
    while not server.started and thread.is_alive():
        assert time.monotonic() < deadline, "uvicorn does not start"
        time.sleep(0.01)


@contextmanager
def serving_on_trio(app: Any, *, may_complain: bool = False) -> Generator[Serving, None, None]:
    """Serve an application under hypercorn on trio for the block; arguments as of `serving`."""
    given = Serving(0)
    started, stop = threading.Event(), threading.Event()
    logger = logging.getLogger("web.hypercorn")
    config = hypercorn.Config()
    config.bind = ["127.0.0.1:0"]
    config.errorlog = logger
    config.graceful_timeout = 1.0

    async def stopped() -> None:
        while not stop.is_set():
            await trio.sleep(0.02)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            serve = partial(hypercorn.trio.serve, app, config, shutdown_trigger=stopped)
            [bound] = await nursery.start(serve)
            given.port = int(bound.rpartition(":")[2])
            started.set()

    def run() -> None:
        try:
            trio.run(main)
        except BaseException as error:
            given.complaints.append(repr(error))
        finally:
            started.set()

    thread = threading.Thread(target=run, name="hypercorn")
    ear = _Ear(given.complaints)
    logger.addHandler(ear)
    logger.propagate = False
    thread.start()
    try:
        assert started.wait(SECONDS), "hypercorn does not start"
        yield given
    finally:
        stop.set()
        thread.join(SECONDS)
        logger.removeHandler(ear)
        assert not thread.is_alive(), "hypercorn does not end"
    assert may_complain or not given.complaints, given.complaints


class Talk:
    """A WebSocket to a server, open during its `with` block."""

    def __init__(self, port: int, path: str, **headers: str) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port), SECONDS)
        self._protocol = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        self._events: Iterator[Event] = iter(())
        raw = [(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()]
        self._send(Request(host=f"127.0.0.1:{port}", target=path, extra_headers=raw))
        self.opened = self._next()

    def ask(self, text: str) -> str:
        """Send a message and return the answer."""
        self._send(TextMessage(data=text))
        event = self._next()
        assert isinstance(event, TextMessage), event
        return event.data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if isinstance(self.opened, AcceptConnection):
            self._send(CloseConnection(code=1000))
            assert isinstance(self._next(), CloseConnection)
        self._connection.close()

    def _send(self, event: Event) -> None:
        self._connection.sendall(self._protocol.send(event))

    def _next(self) -> Event:
        while (event := next(self._events, None)) is None:
            self._protocol.receive_data(self._connection.recv(65536) or None)
            self._events = iter(list(self._protocol.events()))
        return event

"""An HTTP/1.1 endpoint in a thread that records AWS requests and answers or forwards them."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeAlias
from urllib.parse import urlsplit

from servers.messages import RecordedRequest, Reply, read_body, read_head, read_reply
from servers.process import HOST

__all__ = ["Answer", "RecordedRequest", "Recorder", "Reply"]

Answer: TypeAlias = Callable[[RecordedRequest], Reply | None]

_LIMIT = 1 << 20  # of one header line
_JOIN_SECONDS = 10.0


class Recorder:
    """Listens from entering to leaving its `with` block, which closes every connection.

    A request is recorded once it has arrived whole, before it is answered. Bodies are held in
    memory. `answer` runs on the recorder's own thread: it must be quick (see `Reply.delay`).

    Args:
        answer: Answers a request itself, or returns `None` to have it forwarded.
        upstream: Where to forward to, for example ``"http://127.0.0.1:5000"``.
        tls: Serve TLS with this context.
        host: The loopback address to listen on, ``"::1"`` for IPv6.

    Example:
        with Recorder(AwsAnswers()) as recorder:
            ...  # calls with endpoint_url=recorder.url
            assert {request.access_key for request in recorder.requests} == {"AKID"}
    """

    def __init__(
        self,
        answer: Answer | None = None,
        *,
        upstream: str | None = None,
        tls: ssl.SSLContext | None = None,
        host: str = HOST,
    ) -> None:
        self._host = host
        self._answer = answer
        self._upstream = urlsplit(upstream) if upstream is not None else None
        self._tls = tls
        self._lock = threading.Lock()
        self._requests: list[RecordedRequest] = []
        self._errors: list[BaseException] = []
        self._opened = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread: threading.Thread | None = None
        self._listening = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """The endpoint, without a slash at the end."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    @property
    def requests(self) -> list[RecordedRequest]:
        """A copy of what was recorded so far, in order of arrival."""
        with self._lock:
            return list(self._requests)

    @property
    def connections_opened(self) -> int:
        """How many connections were accepted so far; `clear` does not reset it."""
        with self._lock:
            return self._opened

    @property
    def connections_open(self) -> int:
        """How many connections are open now."""
        return len(self._tasks)

    def all_closed(self, within: float) -> bool:
        """Whether no connection is open, or none is any more after so many seconds at most."""
        deadline = time.monotonic() + within
        while self.connections_open and time.monotonic() < deadline:
            time.sleep(0.01)
        return not self.connections_open

    def clear(self) -> None:
        """Forget the recorded requests."""
        with self._lock:
            self._requests.clear()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()
        self._listening.wait()
        if self._errors:
            raise self._errors[0]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._thread is not None
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_JOIN_SECONDS)
        if self._thread.is_alive():
            raise TimeoutError("the recorder's thread does not end")
        # A mistake in an answer shows up as itself, not only as the client's network error.
        if self._errors and error is None:
            raise self._errors[0]

    def _run(self) -> None:
        try:
            # A plain loop, so that an event loop policy set by a test changes nothing here.
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop, debug=False) as runner:
                runner.run(self._serve())
        except BaseException as error:
            self._errors.append(error)
        finally:
            self._listening.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(
            self._connected, self._host, 0, limit=_LIMIT, ssl=self._tls, backlog=1024
        )
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._stop.wait()
        server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # lets aborted transports report their end

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with self._lock:
            self._opened += 1
            number = self._opened
        try:
            while await self._one_request(reader, writer, number):
                pass
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # the client went away, or this recorder stops: nobody is left to tell
        except Exception as error:
            self._errors.append(error)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _one_request(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> bool:
        first, raw = await read_head(reader)
        if not first:
            return False
        method, target, _version = first.split(" ")
        headers = {name.lower(): value for name, value in raw}
        if headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await read_body(reader, headers)
        request = RecordedRequest(method, target, raw, body, number)
        with self._lock:
            self._requests.append(request)
        reply = await self._reply_to(request)
        if reply.delay:
            await asyncio.sleep(reply.delay)
        if reply.drop:
            return False
        writer.write(reply.encode(method))
        await writer.drain()
        return not reply.close and headers.get("connection", "").lower() != "close"

    async def _reply_to(self, request: RecordedRequest) -> Reply:
        reply = self._answer(request) if self._answer is not None else None
        if reply is not None:
            return reply
        if self._upstream is None:
            return Reply(404, {"Content-Type": "text/plain"}, b"the recorder has no answer")
        try:
            reader, writer = await asyncio.open_connection(
                self._upstream.hostname, self._upstream.port, limit=_LIMIT
            )
        except OSError:
            return Reply(502, {"Content-Type": "text/plain"}, b"the upstream does not listen")
        with contextlib.closing(writer):
            writer.write(request.encode())
            await writer.drain()
            return await read_reply(reader, request.method)

"""An answer that comes before the request was sent: noticed at once, delivered, the rest unsent."""

from __future__ import annotations

import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
import trustme

from asession._http.bodies import body_of
from asession._http.errors import ConnectionClosed, ProtocolError
from asession._http.limits import Timeouts
from asession._http.requests import Request, Route
from asession._http.tls import TlsSettings
from asession._http.transport import Transport
from servers.faults import PAYLOAD, FaultServer, Peer

pytestmark = pytest.mark.anyio

TIMEOUTS = Timeouts(connect=10, read=10, write=10)
PIECE = b"x" * 1000
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly"


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport()
    yield transport
    await transport.aclose()


@pytest.fixture(params=["http", "https"])
def secure(
    request: Any, tmp_path: Path
) -> Iterator[tuple[ssl.SSLContext | None, TlsSettings | None]]:
    if request.param == "http":
        yield None, None
        return
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    yield context, TlsSettings(ca_bundle=str(path))


def answer_early(status: bytes) -> Callable[[Peer], bool]:
    def fault(peer: Peer) -> bool:
        peer.read_a_bit()
        peer.send(b"HTTP/1.1 " + status + b"\r\nContent-Length: 5\r\n\r\nearly")
        return peer.read_on()

    return fault


def close_early(peer: Peer) -> bool:
    peer.read_a_bit()
    peer.half_close()
    return peer.read_on()


def talk_nonsense(peer: Peer) -> bool:
    peer.read_a_bit()
    peer.send(b"SSH-2.0-nonsense\r\n\r\n")
    return peer.read_on()


class Stuck:
    """One piece, then nothing, until it is left.

    Args:
        leave: What it does when it is left.
    """

    def __init__(self, leave: Callable[[], None] = lambda: None) -> None:
        self.started = 0
        self.left = 0
        self._leave = leave

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.started += 1
        try:
            yield PIECE
            await anyio.sleep_forever()
        finally:
            self.left += 1
            self._leave()


@pytest.mark.parametrize("length", [None, 5000], ids=["chunked", "measured"])
@pytest.mark.parametrize("status", [b"200 OK", b"403 Forbidden", b"503 Slow Down"])
async def test_it_is_noticed_while_the_source_has_nothing(
    status: bytes, length: int | None, transport: Transport
) -> None:
    source = Stuck()
    with FaultServer([answer_early(status)]) as server, anyio.fail_after(5):
        route = Route("http", "127.0.0.1", server.port)
        request = Request("PUT", "/", [], body_of(source, length))
        response = await transport.send(request, route, TIMEOUTS)
        assert (source.started, source.left) == (1, 1)
        assert response.status == int(status[:3])
        assert await response.read() == b"early"
        # The peer waits for the rest: the connection cannot carry another request.
        assert transport.counters().open == 0
        while server.open:
            await anyio.sleep(0.01)
        response = await transport.send(Request("GET", "/", [], body_of(None)), route, TIMEOUTS)
        assert await response.read() == PAYLOAD
        assert server.accepted == 2


async def test_it_is_noticed_while_the_peer_takes_nothing(transport: Transport) -> None:
    def answer_late(peer: Peer) -> bool:
        # What the kernels take by themselves is full by then.
        threading.Event().wait(0.2)
        peer.send(GOOD)
        return peer.wait()

    with FaultServer([answer_late]) as server, anyio.fail_after(8):
        request = Request("PUT", "/", [], body_of(b"x" * (64 << 20)))
        route = Route("http", "127.0.0.1", server.port)
        response = await transport.send(request, route, TIMEOUTS)
        assert await response.read() == b"early"
        assert transport.counters().open == 0


async def test_it_is_noticed_over_tls_too(
    secure: tuple[ssl.SSLContext | None, TlsSettings | None], transport: Transport
) -> None:
    context, tls = secure
    left = threading.Event()

    async def serve(stream: Any) -> None:
        async with stream:
            seen = b""
            while PIECE not in seen:
                seen += await stream.receive()
            await stream.send(GOOD)
            with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                await stream.receive()
            left.set()

    from anyio.streams.tls import TLSListener

    tcp = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = tcp.extra(anyio.abc.SocketAttribute.local_port)
    listener: Any = (
        TLSListener(tcp.listeners[0], context, standard_compatible=False) if context else tcp
    )
    async with anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        with anyio.fail_after(5):
            route = Route("https" if tls else "http", "127.0.0.1", port, tls=tls)
            request = Request("PUT", "/", [], body_of(Stuck()))
            response = await transport.send(request, route, TIMEOUTS)
            assert await response.read() == b"early"
            assert transport.counters().open == 0
            while not left.is_set():
                await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    await listener.aclose()


async def test_how_a_source_takes_being_left_is_not_what_counts(transport: Transport) -> None:
    def complain() -> None:
        raise LookupError("left alone")

    with FaultServer([answer_early(b"200 OK")]) as server, anyio.fail_after(5):
        route = Route("http", "127.0.0.1", server.port)
        request = Request("PUT", "/", [], body_of(Stuck(complain)))
        response = await transport.send(request, route, TIMEOUTS)
        assert await response.read() == b"early"


async def test_what_ends_the_program_ends_it_in_spite_of_an_answer(transport: Transport) -> None:
    class Quit(BaseException):
        """As KeyboardInterrupt, but for the test's own event loop."""

    def leave() -> None:
        raise Quit

    with FaultServer([answer_early(b"200 OK")]) as server, anyio.fail_after(5):
        route = Route("http", "127.0.0.1", server.port)
        with pytest.raises(Quit):
            await transport.send(Request("PUT", "/", [], body_of(Stuck(leave))), route, TIMEOUTS)
    assert transport.counters().open == 0


@pytest.mark.parametrize(
    ("fault", "error"), [(close_early, ConnectionClosed), (talk_nonsense, ProtocolError)]
)
async def test_a_peer_that_gives_up_is_noticed_while_the_source_has_nothing(
    fault: Any, error: type[Exception], transport: Transport
) -> None:
    source = Stuck()
    with FaultServer([fault]) as server, anyio.fail_after(5):
        request = Request("PUT", "/", [], body_of(source))
        with pytest.raises(error):
            await transport.send(request, Route("http", "127.0.0.1", server.port), TIMEOUTS)
        assert source.left == 1
    assert transport.counters().open == 0


async def test_an_error_of_the_source_comes_as_it_is(transport: Transport) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield PIECE
        raise LookupError("the source broke")

    with FaultServer() as server, anyio.fail_after(5):
        request = Request("PUT", "/", [], body_of(broken()))
        with pytest.raises(LookupError, match="the source broke"):
            await transport.send(request, Route("http", "127.0.0.1", server.port), TIMEOUTS)
    assert transport.counters().open == 0


async def test_a_source_longer_than_announced_is_not_stored_cut_off(transport: Transport) -> None:
    async def three() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"
        await anyio.sleep(0.05)
        yield b"c"

    whole: list[bool] = []

    def note(peer: Peer) -> bool:
        peer.read_body()
        whole.append(True)
        return False

    with FaultServer([note]) as server, anyio.fail_after(5):
        request = Request("PUT", "/", [], body_of(three(), 2))
        with pytest.raises(ValueError, match="more bytes than the 2 announced"):
            await transport.send(request, Route("http", "127.0.0.1", server.port), TIMEOUTS)
    assert not whole


async def test_an_answer_to_the_last_byte_leaves_the_connection_in_use(
    transport: Transport,
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield PIECE

    with FaultServer() as server, anyio.fail_after(5):
        route = Route("http", "127.0.0.1", server.port)
        for length in (3 * len(PIECE), None) * 5:
            request = Request("PUT", "/", [], body_of(pieces(), length))
            response = await transport.send(request, route, TIMEOUTS)
            await response.read()
        assert server.accepted == 1


async def test_an_upload_that_is_cancelled_leaves_its_source_once(transport: Transport) -> None:
    source = Stuck()
    with FaultServer() as server:
        request = Request("PUT", "/", [], body_of(source))
        with anyio.move_on_after(0.1) as scope:
            await transport.send(request, Route("http", "127.0.0.1", server.port), TIMEOUTS)
        assert scope.cancelled_caught
    assert (source.started, source.left) == (1, 1)
    assert transport.counters().open == 0

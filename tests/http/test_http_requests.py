"""What goes out: heads that cannot smuggle, bodies as announced, questions asked and obeyed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from asession._http.bodies import body_of
from asession._http.errors import ConnectionClosed, WriteTimeout
from asession._http.limits import Timeouts
from asession._http.requests import Request, Route, encode_head
from asession._http.transport import Transport
from servers import faults
from servers.faults import FaultServer, Peer
from servers.recorder import Recorder, Reply

pytestmark = pytest.mark.anyio

ROUTE = Route("http", "127.0.0.1", 80)
TIMEOUTS = Timeouts(connect=10, read=10, write=10)


def route_to(server: Any, **kwargs: Any) -> Route:
    return Route("http", "127.0.0.1", server.port, **kwargs)


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport()
    yield transport
    await transport.aclose()


def len_of(body: bytes | None) -> str:
    return "none" if body is None else str(len(body))


@pytest.mark.parametrize(
    "header",
    [
        ("x-a", "b\r\nx-evil: 1"),
        ("x-a", "b\n x"),
        ("x-a", "b\rc"),
        ("x-a", "b\0"),
        ("x-a", b"b\r\n\r\nGET / HTTP/1.1"),
        ("x a", "b"),
        ("x-a:", "b"),
        ("x-a\r\nx-evil", "b"),
        ("", "b"),
        ("Content-Length", "5"),
        ("Content-Length", "x"),
        ("Transfer-Encoding", "gzip"),
    ],
)
def test_a_header_that_could_smuggle_is_refused(header: tuple[str, str | bytes]) -> None:
    with pytest.raises(ValueError, match=r"header|bytes|number|alone"):
        encode_head(Request("PUT", "/", [header], body_of(b"abc")), ROUTE)


@pytest.mark.parametrize("target", ["/a b", "/a\r\nx: y", "/\x7f"])
def test_a_target_that_could_smuggle_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match="target"):
        encode_head(Request("GET", target, [], body_of(None)), ROUTE)


def test_a_header_of_any_bytes_goes_out_as_it_is() -> None:
    head = encode_head(
        Request("GET", "/", [("x-a", b"\xff\xe9"), ("x-b", "é")], body_of(None)), ROUTE
    )
    assert b"\r\nx-a: \xff\xe9\r\nx-b: \xc3\xa9\r\n" in head.data


@pytest.mark.parametrize(
    ("host", "port", "written"),
    [("::1", 8080, b"[::1]:8080"), ("example.org", 80, b"example.org"), ("::1", 80, b"[::1]")],
)
def test_the_host_header_is_as_in_the_url(host: str, port: int, written: bytes) -> None:
    head = encode_head(Request("GET", "/", [], body_of(None)), Route("http", host, port))
    assert b"\r\nHost: " + written + b"\r\n" in head.data


def refuse_and_watch(peer: Peer) -> bool:
    peer.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    return peer.wait(1)


def never_ask(peer: Peer) -> bool:
    peer.head = peer.head.replace(b"100-continue", b"nothing")
    return faults.well(peer)


def ask_late(peer: Peer) -> bool:
    time.sleep(0.15)
    return faults.well(peer)


@pytest.mark.parametrize("fault", [never_ask, ask_late, faults.well])
async def test_the_body_is_sent_whether_it_is_asked_for_or_not(
    fault: Any, transport: Transport
) -> None:
    timeouts = Timeouts(connect=10, read=10, write=10, expect=0.1)
    with FaultServer([fault]) as server, anyio.fail_after(10):
        for _ in range(2):
            request = Request("PUT", "/", [("Expect", "100-continue")], body_of(b"x" * 100_000))
            response = await transport.send(request, route_to(server), timeouts)
            assert response.status == 200
            await response.read()
        assert server.accepted == 1


async def test_a_refused_body_is_not_sent_and_the_connection_is_not_used_again(
    transport: Transport,
) -> None:
    used: list[bool] = []

    async def pieces() -> AsyncIterator[bytes]:
        used.append(True)
        yield b"abc"

    with FaultServer([refuse_and_watch]) as server, anyio.fail_after(10):
        request = Request("PUT", "/", [("Expect", "100-continue")], body_of(pieces()))
        response = await transport.send(request, route_to(server), TIMEOUTS)
        assert (response.status, await response.read()) == (403, b"")
        assert not used
        assert transport.counters().open == 0


async def test_a_peer_that_takes_nothing_is_a_write_timeout(transport: Transport) -> None:
    def ignore(peer: Peer) -> bool:
        time.sleep(1.5)
        return False

    with FaultServer([ignore]) as server, anyio.fail_after(10):
        request = Request("PUT", "/", [], body_of(b"x" * (64 << 20)))
        with pytest.raises(WriteTimeout):
            await transport.send(request, route_to(server), Timeouts(read=30, write=0.3))
    assert transport.counters().open == 0


async def test_a_kept_connection_that_breaks_is_replaced_if_the_body_can_be_sent_again(
    transport: Transport,
) -> None:
    async def once() -> AsyncIterator[bytes]:
        yield b"abc"

    with FaultServer([faults.well, faults.reset_before_headers] * 2) as server:
        route = route_to(server)
        await (await transport.send(Request("GET", "/", [], body_of(None)), route, TIMEOUTS)).read()
        response = await transport.send(Request("PUT", "/", [], body_of(b"abc")), route, TIMEOUTS)
        await response.read()
        assert server.requests == 3
        with pytest.raises(ConnectionClosed):
            await transport.send(Request("PUT", "/", [], body_of(once())), route, TIMEOUTS)
        assert server.requests == 4


async def test_a_kept_connection_that_breaks_in_an_answer_is_not_replaced(
    transport: Transport,
) -> None:
    def reset_in_the_head(peer: Peer) -> bool:
        peer.read_body()
        peer.send(b"HTTP/1.1 200 OK\r\nConte")
        time.sleep(0.05)  # a reset overtakes what was not read yet
        return peer.reset()

    with FaultServer([faults.well, reset_in_the_head]) as server:
        route = route_to(server)
        await (await transport.send(Request("GET", "/", [], body_of(None)), route, TIMEOUTS)).read()
        with pytest.raises(ConnectionClosed) as caught:
            await transport.send(Request("PUT", "/", [], body_of(b"abc")), route, TIMEOUTS)
        assert caught.value.answered
        assert server.requests == 2


@pytest.mark.parametrize("body", [None, b"", b"abc", b"x" * 100_000], ids=len_of)
async def test_a_body_in_memory_goes_in_chunks_if_it_shall(
    body: bytes | None, transport: Transport
) -> None:
    with Recorder(lambda _: Reply(200, {}, b"ok")) as server:
        for _ in range(2):
            headers = [("Transfer-Encoding", "chunked")]
            request = Request("PUT", "/", headers, body_of(body))
            response = await transport.send(request, route_to(server), TIMEOUTS)
            assert await response.read() == b"ok"
        assert [seen.body for seen in server.requests] == [body or b""] * 2
        assert server.connections_opened == 1


@pytest.mark.parametrize("length", [2, 4])
async def test_a_body_that_is_not_as_long_as_announced_is_an_error(
    length: int, transport: Transport
) -> None:
    async def three() -> AsyncIterator[bytes]:
        yield b"abc"

    with FaultServer() as server:
        request = Request("PUT", "/", [], body_of(three(), length))
        with pytest.raises(ValueError, match="announced"):
            await transport.send(request, route_to(server), TIMEOUTS)
    assert transport.counters().open == 0


@pytest.mark.parametrize("keepalive", [False, True])
async def test_tcp_keepalive_is_as_the_route_says(keepalive: bool, transport: Transport) -> None:
    with FaultServer([faults.stall_mid_body]) as server:
        route = route_to(server, tcp_keepalive=keepalive)
        response = await transport.send(Request("GET", "/", [], body_of(None)), route, TIMEOUTS)
        connection: Any = response._connection
        raw = connection.channel._socket
        assert bool(raw.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)) == keepalive
        assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        await response.aclose()


async def test_lines_are_split_wherever_the_pieces_are(transport: Transport) -> None:
    body = b"one\r\ntwo\n\n" + b"three" * 40_000 + b"\nlast"
    with Recorder(lambda _: Reply(200, {}, body)) as server:
        request = Request("GET", "/", [], body_of(None))
        async with await transport.send(request, route_to(server), TIMEOUTS) as response:
            lines = [line async for line in response.iter_lines()]
    assert lines == [b"one", b"two", b"", b"three" * 40_000, b"last"]


PROGRAM = """
import resource, sys, anyio, socket, threading
from asession._http.bodies import body_of
from asession._http.limits import Timeouts
from asession._http.requests import Request, Route
from asession._http.transport import Transport

SIZE = int(sys.argv[2]) << 20
server = socket.create_server(("127.0.0.1", 0))

def serve():
    peer, _ = server.accept()
    buffer = memoryview(bytearray(1 << 18))
    seen, got, start = b"", 0, None
    while b"\\r\\n\\r\\n" not in seen:
        seen += peer.recv(65536)
    got = len(seen.partition(b"\\r\\n\\r\\n")[2])
    while got < SIZE:
        got += peer.recv_into(buffer)
    peer.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % SIZE)
    for _ in range(SIZE >> 18):
        peer.sendall(buffer)
    peer.close()

threading.Thread(target=serve, daemon=True).start()

async def pieces():
    piece = b"x" * (1 << 18)
    for _ in range(SIZE >> 18):
        yield piece

async def main():
    transport = Transport()
    route = Route("http", "127.0.0.1", server.getsockname()[1])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    body = body_of(pieces(), SIZE)
    response = await transport.send(Request("PUT", "/", [], body), route, Timeouts())
    total = 0
    while data := await response.read(1 << 20):
        total += len(data)
    assert total == SIZE
    await transport.aclose()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)

anyio.run(main, backend=sys.argv[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads KiB from getrusage")
async def test_a_large_upload_and_download_need_little_memory(anyio_backend_name: str) -> None:
    size = "256" if os.environ.get("ASESSION_SOAK") == "1" else "64"
    run = await anyio.run_process(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), anyio_backend_name, size],
        stderr=subprocess.STDOUT,
    )
    assert int(run.stdout.decode().split()[-1]) < 32 << 10

"""Bodies read into a buffer: the same bytes as any other way, and the same errors."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator, Iterator

import anyio
import pytest
import trustme

from asession._http.bodies import body_of
from asession._http.errors import ConnectionClosed, ReadTimeout
from asession._http.limits import Timeouts
from asession._http.requests import Request, Route
from asession._http.responses import Response
from asession._http.tls import TlsSettings
from asession._http.transport import Transport
from servers.faults import Fault, FaultServer, Peer
from servers.recorder import Recorder, Reply

pytestmark = pytest.mark.anyio

CONTENT = os.urandom(3_000_000)
TIMEOUTS = Timeouts(connect=10, read=10, write=10)
ROUTES = ("http", "https")


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport()
    yield transport
    await transport.aclose()


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(params=ROUTES)
def route(request: pytest.FixtureRequest, ca: trustme.CA) -> Iterator[Route]:
    """To a server that gives the content, in chunks or not."""
    tls = None
    if request.param == "https":
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("127.0.0.1").configure_cert(tls)
    settings = TlsSettings(verify=False) if tls else None
    with Recorder(lambda seen: Reply(200, {}, CONTENT), tls=tls) as server:
        yield Route(request.param, "127.0.0.1", server.port, tls=settings)


def serving(head: bytes, *, times: int = 1) -> FaultServer:
    def answer(peer: Peer) -> bool:
        peer.read_body()
        peer.send(head + CONTENT)
        return True

    faults: list[Fault] = [answer] * times
    return FaultServer(faults)


def head_of(length: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length


async def get(transport: Transport, route: Route, timeouts: Timeouts = TIMEOUTS) -> Response:
    return await transport.send(Request("GET", "/", [], body_of(None)), route, timeouts)


async def all_of(response: Response, size: int) -> bytes:
    pieces, buffer = [], memoryview(bytearray(size))
    while count := await response.read_into(buffer):
        pieces.append(bytes(buffer[:count]))
    return b"".join(pieces)


@pytest.mark.parametrize("size", [1000, 100_000, 5_000_000])
async def test_a_body_is_read_into_a_buffer_of_any_size(
    route: Route, transport: Transport, size: int
) -> None:
    for _ in range(2):
        response = await get(transport, route)
        assert await all_of(response, size) == CONTENT
        assert response.at_end
        assert response.received == len(CONTENT)
    assert transport.counters().opened == 1


async def test_ways_of_reading_can_be_mixed(route: Route, transport: Transport) -> None:
    response = await get(transport, route)
    buffer = memoryview(bytearray(70_000))
    found = []
    for _ in range(3):
        found.append(await response.read(100_001))
        found.append(await response.read_some(10))
        count = await response.read_into(buffer)
        found.append(bytes(buffer[:count]))
    found.append(await response.read())
    assert b"".join(found) == CONTENT
    assert transport.counters().idle == 1


async def test_a_body_in_chunks_is_read_into_a_buffer(transport: Transport) -> None:
    def chunked(peer: Peer) -> bool:
        peer.read_body()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        peer.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(CONTENT), CONTENT))
        return True

    with FaultServer([chunked]) as server:
        response = await get(transport, Route("http", "127.0.0.1", server.port))
        assert await all_of(response, 1 << 20) == CONTENT


async def test_what_follows_the_body_is_not_read_and_ends_the_connection(
    transport: Transport,
) -> None:
    with serving(head_of(len(CONTENT) - 100), times=2) as server:
        route = Route("http", "127.0.0.1", server.port)
        for _ in range(2):
            response = await get(transport, route)
            assert await all_of(response, 1 << 20) == CONTENT[:-100]
            await anyio.sleep(0.05)
        assert server.accepted == 2


async def test_a_body_that_is_cut_short_is_an_error(transport: Transport) -> None:
    def cut(peer: Peer) -> bool:
        peer.read_body()
        peer.send(head_of(len(CONTENT) + 1) + CONTENT)
        return False

    with FaultServer([cut]) as server:
        response = await get(transport, Route("http", "127.0.0.1", server.port))
        with pytest.raises(ConnectionClosed, match="in the middle of the body"):
            await all_of(response, 1 << 20)
        assert response.received == len(CONTENT)
        assert transport.counters().open == 0


async def test_a_body_that_does_not_go_on_is_an_error_in_time(transport: Transport) -> None:
    def stall(peer: Peer) -> bool:
        peer.read_body()
        peer.send(head_of(len(CONTENT) + 1) + CONTENT)
        return peer.wait()

    with FaultServer([stall]) as server:
        timeouts = Timeouts(connect=10, read=0.3, write=10)
        response = await get(transport, Route("http", "127.0.0.1", server.port), timeouts)
        with pytest.raises(ReadTimeout):
            await all_of(response, 1 << 20)
        assert transport.counters().open == 0


async def test_who_is_cancelled_while_reading_gives_the_connection_up(
    transport: Transport,
) -> None:
    def stall(peer: Peer) -> bool:
        peer.read_body()
        peer.send(head_of(10))
        return peer.wait()

    with FaultServer([stall]) as server:
        response = await get(transport, Route("http", "127.0.0.1", server.port))
        with anyio.move_on_after(0.05) as scope:
            await all_of(response, 100)
        assert scope.cancelled_caught
        assert transport.counters().open == 0

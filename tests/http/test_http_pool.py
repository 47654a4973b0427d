"""Connections are shared fairly, given back in every case, and closed once."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pytest

from asession import Session
from asession._http.bodies import body_of
from asession._http.errors import (
    ConnectionClosed,
    HttpError,
    PoolTimeout,
    ReadTimeout,
    TransportClosed,
)
from asession._http.limits import Timeouts
from asession._http.requests import Request, Route
from asession._http.responses import Response
from asession._http.transport import Transport
from servers import faults
from servers.faults import PAYLOAD, FaultServer, Peer
from servers.recorder import Recorder, Reply
from session.cancelling import cancelled_at

pytestmark = pytest.mark.anyio

SOAK = os.environ.get("ASESSION_SOAK") == "1"
TIMEOUTS = Timeouts(connect=10, read=10, write=10)


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport()
    yield transport
    await transport.aclose()
    gc.collect()


def route_to(server: Any, limit: int = 10) -> Route:
    return Route("http", "127.0.0.1", server.port, limit=limit)


def get(target: str = "/") -> Request:
    return Request("GET", target, [], body_of(None))


async def fetch(transport: Transport, route: Route, request: Request | None = None) -> bytes:
    response = await transport.send(request or get(), route, TIMEOUTS)
    return await response.read()


@pytest.mark.slow
async def test_a_storm_on_a_small_pool_is_served_in_order(transport: Transport) -> None:
    number = 10_000 if SOAK else 2_000
    started: list[int] = []
    arrived: list[int] = []

    def answer(request: Any) -> Reply:
        arrived.append(int(request.target[1:]))
        return Reply(200, {}, b"ok")

    with Recorder(answer) as server:
        route = route_to(server)
        numbers = iter(range(number))

        async def work() -> None:
            for mine in numbers:
                started.append(mine)
                assert await fetch(transport, route, get(f"/{mine}")) == b"ok"

        with anyio.fail_after(120):
            async with anyio.create_task_group() as group:
                for _ in range(200):
                    group.start_soon(work)
        assert sorted(arrived) == list(range(number))
        # First come, first served: on the wire they can only overtake those of the same moment.
        place = {mine: at for at, mine in enumerate(started)}
        late = max(at - place[mine] for at, mine in enumerate(arrived))
        assert late <= 20
        assert server.connections_opened <= 10
    counters = transport.counters()
    assert (counters.open, counters.waiting) == (counters.idle, 0)


async def test_a_client_for_each_request_uses_the_connections_again() -> None:
    with FaultServer() as server:
        async with Session(
            "AKID", "secret", region_name="us-east-1", endpoint_url=server.url, profiles={}
        ) as session:
            for _ in range(2000 if SOAK else 40):
                async with session.client("s3") as s3:
                    answer = await s3.get_object(Bucket="bucket", Key="key")
                    async with answer["Body"] as body:
                        assert await body.read() == PAYLOAD
        assert server.accepted == 1


async def test_closing_fails_the_requests_under_way_and_in_the_queue(transport: Transport) -> None:
    failed: list[HttpError] = []
    with FaultServer([faults.stall_before_headers] * 9) as server:
        route = route_to(server, 2)

        async def one() -> None:
            with pytest.raises(HttpError) as caught:
                await fetch(transport, route)
            failed.append(caught.value)

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                for _ in range(5):
                    group.start_soon(one)
                while server.requests < 2:
                    await anyio.sleep(0.01)
                await transport.aclose()
                await transport.aclose()
        assert len(failed) == 5
        assert all(isinstance(error, TransportClosed | ConnectionClosed) for error in failed)
        with pytest.raises(TransportClosed):
            await fetch(transport, route)


async def test_a_wait_for_a_connection_has_its_own_limit(transport: Transport) -> None:
    with FaultServer([faults.stall_mid_body]) as server:
        route = route_to(server, 1)
        response = await transport.send(get(), route, TIMEOUTS)
        with pytest.raises(PoolTimeout):
            await transport.send(get(), route, Timeouts(pool=0.05))
        assert transport.counters().waiting == 0
        await response.aclose()
        assert await fetch(transport, route) == PAYLOAD


def put(size: int = 100_000) -> Request:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(4):
            await anyio.lowlevel.checkpoint()
            yield b"x" * (size // 4)

    return Request("PUT", "/", [("Expect", "100-continue")], body_of(pieces()))


def trickle_slowly(peer: Peer) -> bool:
    peer.read_body()
    data = b"".join(peer.good)
    for start in range(0, len(data), 400):
        peer.send(data[start : start + 400])
        time.sleep(0.003)
    return True


@pytest.mark.parametrize("how", ["scope", "native"])
@pytest.mark.parametrize("request_for", [get, put])
async def test_cancelled_at_any_await_a_request_leaves_nothing_behind(
    request_for: Callable[[], Request], how: Any, anyio_backend_name: str
) -> None:
    if how == "native" and anyio_backend_name != "asyncio":
        pytest.skip("only asyncio has Task.cancel")
    for step in range(1, 200):
        with FaultServer([trickle_slowly] * 2) as server:
            transport = Transport()
            route = route_to(server, 2)

            async def call(transport: Transport = transport, route: Route = route) -> None:
                waiting = await transport.send(request_for(), route, TIMEOUTS)
                async with waiting as response:
                    await response.read()

            with anyio.fail_after(10):
                reached = await cancelled_at(step, call, how)
                counters = transport.counters()
                assert (counters.open, counters.waiting) == (counters.idle, 0), step
                assert await fetch(transport, route) == PAYLOAD, step
                await transport.aclose()
                await transport.aclose()
        gc.collect()  # a socket left open would warn, which is an error
        if not reached:
            assert step > 3  # how many there are depends on how the answer arrives
            return
    raise AssertionError("the request never ended")


async def test_a_request_that_was_cancelled_before_it_began_is_not_sent() -> None:
    with Recorder(lambda request: Reply.json({"TableNames": []})) as aws:
        session = Session("AKIAX", "s", region_name="us-east-1", endpoint_url=aws.url)
        async with session.client("dynamodb") as client:
            await client.list_tables()  # a connection is open now
            for _ in range(20):
                with anyio.CancelScope() as scope:
                    scope.cancel()
                    await client.list_tables()
                assert scope.cancelled_caught
            assert len(aws.requests) == 1


async def test_cancelled_at_any_await_a_queued_request_passes_its_turn_on(
    transport: Transport,
) -> None:
    with FaultServer() as server:
        route = route_to(server, 1)
        for step in range(1, 30):

            async def both() -> None:
                async with anyio.create_task_group() as group:
                    for _ in range(3):
                        group.start_soon(fetch, transport, route)

            with anyio.fail_after(10):
                reached = await cancelled_at(step, both)
                assert await fetch(transport, route) == PAYLOAD
                counters = transport.counters()
                assert (counters.open, counters.idle, counters.waiting) == (1, 1, 0)
            if not reached:
                return


async def leave_unread(transport: Transport, route: Route) -> Response:
    response = await transport.send(get(), route, TIMEOUTS)
    assert transport.counters().idle == 0
    return response


def drop(held: list[Response], *, elsewhere: bool) -> None:
    if elsewhere:
        thread = threading.Thread(target=held.clear)
        thread.start()
        thread.join()
    else:
        held.clear()
    gc.collect()


async def get_and_forget(s3: Any) -> None:
    await s3.get_object(Bucket="bucket", Key="key")
    gc.collect()


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_an_unread_response_that_is_collected_warns_and_frees_its_place(
    transport: Transport, elsewhere: bool
) -> None:
    with FaultServer([faults.stall_mid_body]) as server:
        route = route_to(server, 1)
        held = [await leave_unread(transport, route)]
        with pytest.warns(ResourceWarning, match="dropped before its body was read"):
            drop(held, elsewhere=elsewhere)
        with anyio.fail_after(5):
            assert await fetch(transport, route) == PAYLOAD


async def test_a_body_that_is_collected_unread_warns_and_frees_its_place() -> None:
    with FaultServer([faults.stall_mid_body]) as server:
        async with Session(
            "AKID", "secret", region_name="us-east-1", endpoint_url=server.url, profiles={}
        ) as session:
            async with session.client("s3") as s3:
                with pytest.warns(ResourceWarning, match="dropped before its body was read"):
                    await get_and_forget(s3)
                counters = None
                with anyio.fail_after(5):
                    while counters is None or counters.open:
                        await anyio.sleep(0)
                        counters = s3._endpoint.http_session._transport.counters()


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_a_transport_that_is_dropped_warns_and_closes_what_is_idle(elsewhere: bool) -> None:
    with FaultServer() as server:
        held = [Transport()]
        await fetch(held[0], route_to(server))
        plain = next(iter(held[0]._pool._lanes.values())).idle[0].channel
        with pytest.warns(ResourceWarning, match="1 idle connections were dropped"):
            drop(held, elsewhere=elsewhere)
        with anyio.fail_after(5):
            while plain._socket.fileno() >= 0:
                await anyio.sleep(0.001)


async def test_two_tasks_that_read_one_body_do_not_hang(transport: Transport) -> None:
    with FaultServer([faults.stall_mid_body]) as server:
        response = await transport.send(get(), route_to(server), Timeouts(read=1))
        ends: list[type[BaseException]] = []

        async def read() -> None:
            try:
                await response.read()
            except Exception as error:
                ends.append(type(error))

        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                group.start_soon(read)
                group.start_soon(read)
    assert ends == [anyio.BusyResourceError, ReadTimeout]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
async def test_a_forked_child_leaves_the_parents_connections_alone(transport: Transport) -> None:
    with FaultServer() as server:
        route = route_to(server, 2)
        await fetch(transport, route)
        read, write = os.pipe()
        child = os.fork()
        if child == 0:  # no event loop runs here: the coroutine is driven by hand
            try:
                transport.send(get(), route, TIMEOUTS).send(None)
            except TransportClosed:
                os.write(write, b"refused")
            finally:
                transport._pool.close()
                os._exit(0)
        os.close(write)
        os.waitpid(child, 0)
        assert os.read(read, 100) == b"refused"
        os.close(read)
        assert await fetch(transport, route) == PAYLOAD
        assert server.accepted == 1


async def test_reading_in_small_pieces_is_linear(transport: Transport) -> None:
    async def cost(size: int, piece: int) -> float:
        body = b"x" * size
        with Recorder(lambda _: Reply(200, {}, body)) as server:
            response = await transport.send(get(), route_to(server), TIMEOUTS)
            total = 0
            while response._connection is not None:
                await response._fill()  # all of it, so that what is measured is reading alone
            start = time.thread_time()
            while data := await response.read(piece):
                total += len(data)
            assert total == size
            return time.thread_time() - start

    for piece in (4 << 10, 64 << 10, 1 << 20):
        small = min([await cost(4 << 20, piece) for _ in range(2)])
        large = await cost(16 << 20, piece)
        assert large < 4 * 4 * small + 0.02, piece

"""Waiting for a socket: in time or not, again and again, and closed from anywhere."""

from __future__ import annotations

import gc
import socket
import threading
import weakref
from collections.abc import Iterator

import anyio
import pytest

from asession._http.channels import Plain
from asession._http.errors import ConnectionClosed

pytestmark = pytest.mark.anyio


@pytest.fixture
def pair() -> Iterator[tuple[Plain, socket.socket]]:
    near, far = socket.socketpair()
    channel = Plain(near)
    yield channel, far
    channel.close()
    far.close()


async def settled() -> None:
    """Let the event loop look at its sockets a few times."""
    for _ in range(5):
        await anyio.sleep(0.001)


async def test_what_comes_in_time_is_received(pair: tuple[Plain, socket.socket]) -> None:
    channel, far = pair
    for number in range(3):
        far.send(b"%d" % number)
        assert await channel.receive_within(10, 20) == b"%d" % number
        await settled()


async def test_nothing_in_time_is_none_and_what_comes_later_is_not_lost(
    pair: tuple[Plain, socket.socket],
) -> None:
    channel, far = pair
    for _ in range(3):
        assert await channel.receive_within(10, 0.01) is None
    far.send(b"late")
    assert await channel.receive_within(10, 20) == b"late"


async def test_a_time_limit_counts_from_the_wait_it_is_of(
    pair: tuple[Plain, socket.socket],
) -> None:
    channel, far = pair
    far.send(b"a")
    assert await channel.receive_within(1, 0.05) == b"a"
    with anyio.move_on_after(0.2) as scope:  # longer than the limit before
        await channel.receive_within(1, 60)
    assert scope.cancelled_caught
    with anyio.fail_after(20):  # shorter than the limit before
        assert await channel.receive_within(1, 0.01) is None
    with anyio.move_on_after(0.1) as scope:
        await channel.receive_within(1, None)
    assert scope.cancelled_caught


async def test_a_cancelled_wait_loses_nothing(pair: tuple[Plain, socket.socket]) -> None:
    channel, far = pair
    with anyio.move_on_after(0.01):
        await channel.receive(1)
    async with anyio.create_task_group() as group:
        group.start_soon(channel.receive, 1)
        await settled()
        far.send(b"abc")
        group.cancel_scope.cancel()
    await settled()
    assert await channel.receive_within(10, 20) == b"abc"


async def test_bytes_that_nobody_waits_for_do_not_keep_the_loop_busy(
    pair: tuple[Plain, socket.socket],
) -> None:
    channel, far = pair
    far.send(b"a")
    assert await channel.receive(10) == b"a"
    far.send(b"unasked")
    await settled()
    assert not getattr(channel._readiness, "_registered", False)
    assert channel.receive_nowait(100) == b"unasked"
    assert channel.receive_nowait(100) is None
    far.send(b"b")
    assert await channel.receive_within(10, 20) == b"b"


@pytest.mark.parametrize("where", ["here", "in a thread"])
async def test_a_closed_channel_gives_its_number_back_at_once(where: str) -> None:
    near, far = socket.socketpair()
    channel = Plain(near)
    far.send(b"a")
    await channel.receive(1)
    if where == "here":
        channel.close()
    else:
        thread = threading.Thread(target=channel.close)
        thread.start()
        await anyio.to_thread.run_sync(thread.join)
    with anyio.fail_after(20):
        while near.fileno() >= 0:
            await anyio.sleep(0.001)
    far.close()
    # Another socket with the same number is another socket.
    for _ in range(4):
        again, other = socket.socketpair()
        second = Plain(again)
        other.send(b"b")
        assert await second.receive_within(1, 20) == b"b"
        second.close()
        other.close()


async def test_closing_wakes_who_waits(pair: tuple[Plain, socket.socket]) -> None:
    channel, _ = pair
    told: list[str] = []

    async def receive() -> None:
        with pytest.raises(ConnectionClosed, match="was closed"):
            await channel.receive(1)
        told.append("closed")

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(receive)
            await settled()
            channel.close()
    assert told == ["closed"]
    with pytest.raises(ConnectionClosed, match="was closed"):
        await channel.receive(1)


async def test_a_second_wait_is_refused_and_the_first_goes_on(
    pair: tuple[Plain, socket.socket], anyio_backend_name: str
) -> None:
    channel, far = pair
    received: list[bytes] = []

    async def receive() -> None:
        received.append(await channel.receive(10))

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(receive)
            await settled()
            with pytest.raises(Exception, match="already") as caught:
                await channel.receive(10)
            assert type(caught.value).__name__ == "BusyResourceError"
            far.send(b"first")
    assert received == [b"first"]


async def test_a_peer_that_leaves_an_idle_channel_leaves_nothing_in_the_loop() -> None:
    near, far = socket.socketpair()
    channel = Plain(near)
    far.send(b"a")
    assert await channel.receive_within(1, 900) == b"a"
    far.close()
    await settled()
    # Neither the event loop's list of sockets nor a timer keeps it.
    gone = weakref.ref(near)
    assert channel.receive_nowait(1) == b""
    channel.close()
    del channel, near
    await settled()
    gc.collect()
    assert gone() is None

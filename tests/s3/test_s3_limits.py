"""What transfers hold: the budget of a session, the bandwidth of a transfer, the progress."""

import io
import os

import anyio
import pytest

from asession import TransferConfig
from asession.s3.bandwidth import Bandwidth
from asession.s3.limits import LEAST, STREAMED, Limits
from asession.s3.methods import limits_of
from asession.s3.progress import Meter
from s3.conftest import session_at
from s3.stored import MIB, same
from servers.objects import ObjectServer
from servers.seaweedfs import Seaweed

pytestmark = pytest.mark.anyio

SOAK = os.environ.get("ASESSION_SOAK") == "1"


async def test_the_budget_is_kept():
    limits = Limits()

    async def take(amount):
        async with limits.held(amount, 10 * MIB):
            await anyio.sleep(0.001)
            assert limits.used <= 10 * MIB

    async with anyio.create_task_group() as group:
        for number in range(30):
            group.start_soon(take, (number % 5 + 1) * MIB)
    assert limits.used == 0
    assert 6 * MIB <= limits.peak <= 10 * MIB


async def test_who_comes_first_is_served_first():
    limits = Limits()
    asked, served = [], []

    async def take(name):
        asked.append(name)
        async with limits.held(10 * MIB, 10 * MIB):
            served.append(name)
            await anyio.sleep(0)

    async with anyio.create_task_group() as group:
        for name in range(20):
            group.start_soon(take, name)
    assert served == asked


async def test_more_than_the_budget_is_given_to_one_alone():
    limits = Limits()
    async with anyio.create_task_group() as group:

        async def take():
            async with limits.held(50 * MIB, 10 * MIB):
                assert limits.used == 50 * MIB
                await anyio.sleep(0)

        for _ in range(3):
            group.start_soon(take)
    assert limits.peak == 50 * MIB


async def test_a_small_amount_counts_as_the_least():
    limits = Limits()
    async with limits.held(1, MIB):
        assert limits.used == LEAST
    assert limits.used == 0


async def test_who_stops_waiting_blocks_nobody():
    limits = Limits()
    held = await limits.acquire(9 * MIB, 10 * MIB)
    async with anyio.create_task_group() as group:
        got = anyio.Event()

        async def small():
            async with limits.held(MIB, 10 * MIB):
                got.set()

        with anyio.CancelScope() as scope:
            group.start_soon(small)
            scope.cancel()
            await limits.acquire(5 * MIB, 10 * MIB)
        await got.wait()
    limits.release(held)
    assert limits.used == 0


async def test_the_bandwidth_is_shared_in_turn():
    now, slept = 0.0, []

    async def sleep(seconds):
        slept.append(seconds)

    bandwidth = Bandwidth(1000, clock=lambda: now, sleep=sleep)
    for _ in range(5):
        await bandwidth.take(500)
    # A tenth of a second may go at once; then each waits for those before it.
    assert slept == pytest.approx([0.4, 0.9, 1.4, 1.9, 2.4])
    now = 100.0
    await bandwidth.take(50)
    assert len(slept) == 5


async def test_a_transfer_with_a_bandwidth_is_whole(tmp_path):
    config = TransferConfig(max_bandwidth=500_000_000, multipart_chunksize=MIB)
    data = os.urandom(3 * MIB)
    with ObjectServer() as server:
        async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:
            (tmp_path / "up").write_bytes(data[:100])
            await s3.upload_file(tmp_path / "up", "bucket", "small", Config=config)
            assert server.store.objects["/bucket/small"].content == data[:100]
            await s3.upload_fileobj(data, "bucket", "k", Config=config)
            await s3.download_file("bucket", "k", tmp_path / "down", Config=config)
    assert same((tmp_path / "down").read_bytes(), data)


async def test_a_meter_gathers_what_comes_while_it_tells():
    told = []
    go_on = anyio.Event()

    async def callback(count):
        told.append(count)
        await go_on.wait()

    meter = Meter(callback)
    async with anyio.create_task_group() as group:
        group.start_soon(meter.add, 1)
        await anyio.sleep(0.01)
        await meter.add(2)
        await meter.add(3)
        go_on.set()
    assert told == [1, 5]


@pytest.mark.usefixtures("small_parts")
async def test_a_source_may_wait_for_transfers_of_its_own():
    # The budget is full with the outer upload's first part.
    config = TransferConfig(max_memory=MIB, multipart_chunksize=MIB, multipart_threshold=MIB)
    data = os.urandom(2 * MIB + 7)

    async def source(level):
        if level:
            await s3.upload_fileobj(source(level - 1), "bucket", f"k{level}", Config=config)
            target = io.BytesIO()
            await s3.download_fileobj("bucket", f"k{level}", target, Config=config)
            yield target.getvalue()
        else:
            yield data

    with ObjectServer() as server, anyio.fail_after(60):
        async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:
            async with anyio.create_task_group() as group:
                for number in range(2):
                    group.start_soon(
                        s3.upload_fileobj, source(2), "bucket", f"top{number}", None, None, config
                    )
            assert limits_of(s3).used == 0
        for name in ("top0", "top1", "k1", "k2"):
            assert same(server.store.objects[f"/bucket/{name}"].content, data)


@pytest.mark.slow
async def test_a_thousand_uploads_at_once_stay_within_the_budget(tmp_path):
    count, budget = (1000, 64 * MIB) if SOAK else (12, 10 * MIB)
    config = TransferConfig(max_memory=budget)
    data = os.urandom(8 * MIB)
    path = tmp_path / "file"
    path.write_bytes(data)

    async def source():
        for start in range(0, len(data), MIB):
            yield data[start : start + MIB]

    with ObjectServer() as server, anyio.fail_after(900):
        server.store.objects = Forgetful()
        async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:
            tasks = len(anyio.get_running_tasks())
            most = calls = 0

            def callback(_):
                nonlocal most, calls
                calls += 1
                # To count thousands of tasks takes 10 ms and more: at each of 8,000 calls that
                # would be most of the work, and all time limits would be about it.
                if calls % max(1, count // 10) == 0:
                    most = max(most, len(anyio.get_running_tasks()) - tasks)

            async with anyio.create_task_group() as group:
                for number in range(count):
                    # Every tenth has to be held in memory.
                    if number % 10:
                        group.start_soon(
                            s3.upload_file, path, "bucket", f"k{number}", None, callback, config
                        )
                    else:
                        group.start_soon(
                            s3.upload_fileobj, source(), "bucket", f"k{number}", None, callback
                        )
            limits = limits_of(s3)
            assert limits.used == 0
            assert limits.peak <= max(budget, 64 * MIB)
            # A task of the caller's and ours for each, a few more for each part under way.
            assert 0 < most <= 3 * count + 3 * (64 * MIB // STREAMED) + 20
            counters = s3._endpoint.http_session._transport.counters()
            assert counters.opened <= 10 + count // 10
            assert counters.open <= 10
        assert set(server.store.objects.values()) == {len(data)}
        assert server.store.asked["CompleteMultipartUpload"] == count
        assert server.store.uploads == {}


class Forgetful(dict):
    """Keeps no content."""

    def __setitem__(self, key, value):
        super().__setitem__(key, len(value.content))

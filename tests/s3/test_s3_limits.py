"""What transfers hold: the budget of a session, the bandwidth of a transfer, the progress."""

import gc
import os
import tracemalloc
import weakref

import anyio
import pytest

from asession import TransferConfig
from asession.s3 import limits as limits_module
from asession.s3 import upload as upload_module
from asession.s3.bandwidth import Bandwidth
from asession.s3.budget import Budget
from asession.s3.limits import LEAST, STREAMED
from asession.s3.methods import limits_of
from asession.s3.progress import Meter
from s3.conftest import session_at
from s3.stored import MIB, same
from servers.objects import ObjectServer
from servers.seaweedfs import Seaweed

pytestmark = pytest.mark.anyio

SOAK = os.environ.get("ASESSION_SOAK") == "1"


async def test_the_budget_is_kept():
    budget = Budget(LEAST)

    async def take(amount):
        async with budget.share().held(amount, 10 * MIB):
            await anyio.sleep(0.001)
            assert budget.used <= 10 * MIB

    async with anyio.create_task_group() as group:
        for number in range(30):
            group.start_soon(take, (number % 5 + 1) * MIB)
    assert budget.used == 0
    assert 6 * MIB <= budget.peak <= 10 * MIB


async def test_who_comes_first_is_served_first():
    budget = Budget(LEAST)
    asked, served = [], []

    async def take(name):
        asked.append(name)
        async with budget.share().held(10 * MIB, 10 * MIB):
            served.append(name)
            await anyio.sleep(0)

    async with anyio.create_task_group() as group:
        for name in range(20):
            group.start_soon(take, name)
    assert served == asked


async def test_more_than_the_budget_is_given_to_one_alone():
    budget = Budget(LEAST)
    async with anyio.create_task_group() as group:

        async def take():
            async with budget.share().held(50 * MIB, 10 * MIB):
                assert budget.used == 50 * MIB
                await anyio.sleep(0)

        for _ in range(3):
            group.start_soon(take)
    assert budget.peak == 50 * MIB


async def test_a_small_amount_counts_as_the_least():
    budget = Budget(LEAST)
    async with budget.share().held(1, MIB):
        assert budget.used == LEAST
    assert budget.used == 0


async def test_who_stops_waiting_blocks_nobody():
    budget = Budget(LEAST)
    share = budget.share()
    held = await share.acquire(9 * MIB, 10 * MIB)
    async with anyio.create_task_group() as group:
        got = anyio.Event()

        async def small():
            async with budget.share().held(MIB, 10 * MIB):
                got.set()

        with anyio.CancelScope() as scope:
            group.start_soon(small)
            scope.cancel()
            await share.acquire(5 * MIB, 10 * MIB)
        await got.wait()
    share.release(held)
    assert budget.used == 0


@pytest.mark.usefixtures("impatient")
async def test_the_budget_gives_way_where_all_would_stand_still():
    budget = Budget(LEAST)
    waiting, starving = budget.share(), budget.share()
    held = await waiting.acquire(10 * MIB, 10 * MIB)
    with anyio.fail_after(30), waiting.outside(held):
        async with anyio.create_task_group() as group:
            # Its own next part would not help: what it waits for is another transfer.
            group.start_soon(waiting.acquire, MIB, 10 * MIB)
            await anyio.wait_all_tasks_blocked()
            async with starving.held(MIB, 10 * MIB):
                assert (budget.used, starving.amount) == (11 * MIB, MIB)
                with anyio.move_on_after(0.1):
                    async with starving.held(MIB, 10 * MIB):
                        raise AssertionError("it had its part")
            async with starving.held(MIB, 10 * MIB):
                assert starving.amount == MIB
            assert waiting.amount == 10 * MIB
            waiting.release(held)
    assert waiting.amount == budget.used == MIB


@pytest.mark.usefixtures("impatient")
async def test_the_budget_does_not_give_way_while_anything_moves():
    budget = Budget(LEAST)
    sending, reading, waiting = budget.share(), budget.share(), budget.share()
    held = await sending.acquire(MIB, 2 * MIB)
    read = await reading.acquire(MIB, 2 * MIB)
    with reading.outside(read):
        with anyio.move_on_after(0.2):  # the other part is being sent
            await waiting.acquire(MIB, 2 * MIB)
        with anyio.move_on_after(0.5), sending.outside(held):
            async with anyio.create_task_group() as group:
                group.start_soon(waiting.acquire, MIB, 2 * MIB)
                while True:
                    await anyio.sleep(0)
                    sending.moved()
    assert budget.used == budget.peak == 2 * MIB


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

    async def transfer():
        for count in (1, 2, 3):
            meter.add(count)
            await anyio.sleep(0.01)
        assert told == [1]
        go_on.set()

    await meter.beside(transfer)
    assert told == [1, 5]


@pytest.mark.skipif(not hasattr(os, "pread"), reason="one position for all here")
async def test_few_files_are_open_however_many_are_transferred(tmp_path, monkeypatch):
    monkeypatch.setattr(limits_module, "_FILES", 3)
    config = TransferConfig(max_memory=6 * MIB)
    path = tmp_path / "file"
    path.write_bytes(os.urandom(MIB + 1))
    most = 0

    def callback(_):
        nonlocal most
        descriptors = [int(name) for name in os.listdir("/dev/fd")]
        most = max(most, sum(map(is_it, descriptors)))

    def is_it(descriptor):
        try:
            return os.path.samestat(os.fstat(descriptor), status)
        except OSError:  # that of the list itself
            return False

    status = path.stat()
    with ObjectServer() as server, anyio.fail_after(60):
        async with (
            session_at(Seaweed(server.url)) as session,
            session.client("s3") as s3,
            anyio.create_task_group() as group,
        ):
            for number in range(12):
                group.start_soon(
                    s3.upload_file, path, "bucket", f"k{number}", None, callback, config
                )
        assert len(server.store.objects) == 12
        assert limits_of(s3).files.peak == most == 3


async def test_a_body_is_free_as_soon_as_it_was_sent():
    class Source:
        def __len__(self):
            return 2 * MIB

        async def __aiter__(self):
            for _ in range(2):
                yield bytes(MIB)

    with ObjectServer() as server:
        async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:
            await s3.put_object(Bucket="bucket", Key="k", Body=Source())
            source = Source()
            there = weakref.ref(source)
            gc.disable()
            try:
                await s3.put_object(Bucket="bucket", Key="k", Body=source)
                del source
                await anyio.wait_all_tasks_blocked()
                assert there() is None
            finally:
                gc.enable()


@pytest.mark.usefixtures("small_parts")
async def test_parts_that_were_sent_are_held_no_longer():
    config = TransferConfig(
        max_memory=2 * MIB, multipart_chunksize=MIB, multipart_threshold=12 * MIB
    )
    held = 0

    async def source():
        nonlocal held
        for _ in range(20):
            yield os.urandom(MIB)
        found = tracemalloc.take_snapshot().filter_traces(
            [tracemalloc.Filter(True, upload_module.__file__)]
        )
        held = sum(trace.size for trace in found.traces)

    with ObjectServer() as server, anyio.fail_after(60):
        async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:
            tracemalloc.start()
            try:
                await s3.upload_fileobj(source(), "bucket", "k", Config=config)
            finally:
                tracemalloc.stop()
    # The twelve that came first, to see whether there is more, were sent long ago.
    assert held < 4 * MIB


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
            assert limits.used == limits.files.used == 0
            assert limits.peak <= max(budget, 64 * MIB)
            assert limits.files.peak <= 64
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

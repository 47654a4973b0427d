"""Cancelled anywhere, a transfer leaves nothing: no upload, file, task, connection or memory."""

import asyncio
import os
import random

import anyio
import pytest

from asession import TransferConfig
from asession.s3.methods import limits_of
from s3.conftest import session_at
from s3.stored import MIB, idle
from servers.objects import ObjectServer, stored
from servers.seaweedfs import Seaweed

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.usefixtures("small_parts")]

POINTS = 50 if os.environ.get("ASESSION_SOAK") == "1" else 5
PART = MIB
CHUNK = 64 * 1024
UP = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=3)
DOWN = TransferConfig(multipart_threshold=CHUNK, multipart_chunksize=CHUNK, max_concurrency=3)
BIG = os.urandom(2 * PART + 7)
DATA = os.urandom(10 * CHUNK + 7)


async def upload(s3, directory, callback=None):
    path = directory.parent / "source"
    if not path.exists():
        path.write_bytes(BIG)
    await s3.upload_file(path, "bucket", "new", Callback=callback, Config=UP)


async def upload_stream(s3, directory, callback=None):
    async def source():
        for start in range(0, len(BIG), MIB):
            await anyio.sleep(0)
            yield BIG[start : start + MIB]

    await s3.upload_fileobj(source(), "bucket", "new", Callback=callback, Config=UP)


async def download(s3, directory, callback=None):
    await s3.download_file("bucket", "k", directory / "file", Callback=callback, Config=DOWN)


async def copy(s3, directory, callback=None):
    await s3.copy({"Bucket": "bucket", "Key": "big"}, "bucket", "new", Callback=callback, Config=UP)


class Left:
    """What there is before a transfer, to be compared with what is left."""

    def __init__(self, s3, server, directory):
        self.s3, self.server, self.directory = s3, server, directory
        self.tasks = len(anyio.get_running_tasks())
        self.asked = server.store.asked.copy()

    def check(self, where):
        store = self.server.store
        created, completed, aborted = (
            store.asked[name] - self.asked[name]
            for name in (
                "CreateMultipartUpload",
                "CompleteMultipartUpload",
                "AbortMultipartUpload",
            )
        )
        assert store.uploads == {}, where
        # At most once; a completion may have been under way and is aborted too.
        assert aborted <= created <= aborted + completed, where
        assert not [name for name in os.listdir(self.directory) if name != "file"], where
        if (self.directory / "file").exists():
            assert (self.directory / "file").read_bytes() == DATA, where
        assert len(anyio.get_running_tasks()) == self.tasks, where
        assert idle(self.s3), (where, self.s3._endpoint.http_session._transport.counters())
        assert limits_of(self.s3).used == 0, where


def serving():
    server = ObjectServer()
    server.store.objects["/bucket/k"] = stored(DATA)
    server.store.objects["/bucket/big"] = stored(BIG)
    return server


TRANSFERS = [upload, upload_stream, download, copy]


@pytest.mark.parametrize("transfer", TRANSFERS, ids=lambda one: one.__name__)
async def test_nothing_is_left_wherever_it_is_cancelled(transfer, tmp_path):
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    with serving() as server, anyio.fail_after(200):
        async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:
            started = anyio.current_time()
            await transfer(s3, tmp_path)
            lasts = anyio.current_time() - started
            for number in range(POINTS):
                left = Left(s3, server, tmp_path)
                delay = chance.random() * lasts
                with anyio.move_on_after(delay):
                    await transfer(s3, tmp_path)
                left.check((seed, number, delay))


@pytest.mark.parametrize("transfer", TRANSFERS, ids=lambda one: one.__name__)
async def test_nothing_is_left_when_it_is_cancelled_at_a_request_or_a_callback(transfer, tmp_path):
    with serving() as server, anyio.fail_after(200):
        async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:
            count = 0

            def step(*_, **__):
                nonlocal count
                count += 1
                if count == at:
                    scope.cancel()

            s3.meta.events.register("before-send.s3", step)
            at = -1
            await transfer(s3, tmp_path, step)
            steps = range(1, count + 1)
            for at in steps if count < POINTS else random.sample(steps, POINTS):
                count = 0
                left = Left(s3, server, tmp_path)
                with anyio.CancelScope() as scope:
                    await transfer(s3, tmp_path, step)
                left.check(at)


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=False)
@pytest.mark.parametrize("transfer", TRANSFERS, ids=lambda one: one.__name__)
async def test_nothing_is_left_when_asyncio_cancels_the_task_again_and_again(
    transfer, tmp_path, anyio_backend
):
    chance = random.Random(7)
    with serving() as server, anyio.fail_after(200):
        async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:
            started = anyio.current_time()
            await transfer(s3, tmp_path)
            lasts = anyio.current_time() - started
            for number in range(POINTS):
                left = Left(s3, server, tmp_path)
                task = asyncio.create_task(transfer(s3, tmp_path))
                await asyncio.sleep(chance.random() * lasts)
                while not task.done():
                    task.cancel()
                    await asyncio.sleep(0.002)
                await asyncio.gather(task, return_exceptions=True)
                left.check(number)


async def test_a_cancellation_during_the_creation_waits_for_what_is_to_be_aborted(tmp_path):
    asked = anyio.Event()
    go_on = anyio.Event()

    with serving() as server, anyio.fail_after(30):
        async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:

            async def hold(**_):
                asked.set()
                await go_on.wait()

            s3.meta.events.register("needs-retry.s3.CreateMultipartUpload", hold)
            async with anyio.create_task_group() as group:
                group.start_soon(upload, s3, tmp_path)
                await asked.wait()
                group.cancel_scope.cancel()
                with anyio.CancelScope(shield=True):
                    await anyio.sleep(0.02)
                    assert len(server.store.uploads) == 1
                    go_on.set()
            assert server.store.uploads == {}
            assert server.store.asked["AbortMultipartUpload"] == 1
            assert server.store.asked["UploadPart"] == 0

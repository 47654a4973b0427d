"""The slowest side sets the pace: nobody reads ahead of it by more than the budget."""

import os
import threading

import anyio
import pytest

from asession import TransferConfig
from asession.s3.limits import STREAMED
from asession.s3.methods import limits_of
from s3.conftest import session_at
from s3.stored import MIB, idle, same
from servers.objects import ObjectServer, stored
from servers.seaweedfs import Seaweed

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("small_parts")]

CONFIG = TransferConfig(max_memory=8 * MIB, multipart_chunksize=MIB, multipart_threshold=MIB)
DATA = os.urandom(24 * MIB + 7)


async def at_rest(count):
    """Wait until a count has not changed for a while."""
    before = None
    while before != (before := count()):
        await anyio.sleep(0.1)


async def test_an_upload_reads_no_further_than_a_slow_server_takes():
    go_on = threading.Event()
    given = 0

    async def source():
        nonlocal given
        for start in range(0, len(DATA), 100_000):
            piece = DATA[start : start + 100_000]
            given += len(piece)
            yield piece

    def told(operation):
        if operation == "UploadPart":
            go_on.wait(60)

    with ObjectServer(told=told) as server, anyio.fail_after(60):
        async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:
            async with anyio.create_task_group() as group:
                group.start_soon(s3.upload_fileobj, source(), "bucket", "k", None, None, CONFIG)
                await at_rest(lambda: given)
                assert MIB < given <= 8 * MIB + 100_000
                go_on.set()
            assert limits_of(s3).peak <= 8 * MIB
        assert same(server.store.objects["/bucket/k"].content, DATA)


class Slow:
    """A target that takes nothing until it is told to."""

    def __init__(self):
        self.go_on = anyio.Event()
        self.content = bytearray()

    async def write(self, data):
        await self.go_on.wait()
        self.content += data


async def test_a_download_asks_for_no_more_than_a_slow_target_takes():
    with ObjectServer() as server, anyio.fail_after(60):
        server.store.objects["/bucket/k"] = stored(DATA)
        async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:
            target = Slow()
            async with anyio.create_task_group() as group:
                group.start_soon(s3.download_fileobj, "bucket", "k", target, None, None, CONFIG)
                await at_rest(lambda: server.store.asked["GetObject"])
                # The first, and of the others as many as there is memory for.
                assert server.store.asked["GetObject"] == 1 + (8 * MIB - STREAMED) // (
                    MIB + STREAMED
                )
                target.go_on.set()
            assert limits_of(s3).peak <= 8 * MIB
        assert same(target.content, DATA)


@pytest.mark.usefixtures("impatient")
async def test_transfers_that_wait_for_each_other_can_be_cancelled_anywhere():
    class Into:
        def __init__(self, stream):
            self.write = stream.send

    async def download(send):
        with send:
            await s3.download_fileobj("bucket", "k", Into(send), Config=CONFIG)

    async def upload(number, receive):
        await anyio.sleep(0.005)
        with receive:
            await s3.upload_fileobj(receive, "bucket", f"k{number}", Config=CONFIG)

    with ObjectServer() as server, anyio.fail_after(60):
        server.store.objects["/bucket/k"] = stored(DATA)
        async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:
            tasks = len(anyio.get_running_tasks())
            for milliseconds in (0, 3, 10, 20, 40, 80, 160):
                pipes = [anyio.create_memory_object_stream(0) for _ in range(3)]
                with anyio.move_on_after(milliseconds / 1000):
                    async with anyio.create_task_group() as group:
                        for number, (send, receive) in enumerate(pipes):
                            group.start_soon(download, send)
                            group.start_soon(upload, number, receive)
                for send, receive in pipes:  # whose task may not have begun
                    send.close()
                    receive.close()
                assert limits_of(s3).used == limits_of(s3).memory._outside == 0
                assert len(anyio.get_running_tasks()) == tasks
                assert idle(s3)
                assert server.store.uploads == {}

"""Transfers that wait for each other, and for callbacks: none waits for ever."""

import functools
import io
import os

import anyio
import pytest

from asession import Config, TransferConfig
from asession.s3.limits import STREAMED
from asession.s3.methods import limits_of
from s3.conftest import session_at
from s3.stored import MIB, idle, same
from servers.objects import ObjectServer, stored
from servers.seaweedfs import Seaweed

pytestmark = pytest.mark.anyio


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


@pytest.mark.usefixtures("small_parts", "impatient")
async def test_a_source_may_wait_for_a_transfer_that_another_task_began():
    # Downloads whose parts fill the budget feed uploads, which come after them in the queue.
    config = TransferConfig(
        max_memory=6 * MIB, multipart_chunksize=MIB, multipart_threshold=MIB, max_concurrency=3
    )
    data = os.urandom(6 * MIB + 7)

    class Into:
        def __init__(self, stream):
            self.write = stream.send

    async def download(send):
        with send:
            await s3.download_fileobj("bucket", "k", Into(send), Config=config)

    async def upload(number, receive):
        await anyio.sleep(0.05)
        with receive:
            await s3.upload_fileobj(receive, "bucket", f"k{number}", Config=config)

    with ObjectServer() as server, anyio.fail_after(60):
        server.store.objects["/bucket/k"] = stored(data)
        async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:
            async with anyio.create_task_group() as group:
                for number in range(3):
                    send, receive = anyio.create_memory_object_stream(0)
                    group.start_soon(download, send)
                    group.start_soon(upload, number, receive)
            assert limits_of(s3).used == 0
            # A part more for each of them, at most.
            assert limits_of(s3).peak <= 6 * MIB + 3 * MIB + 3 * (MIB + STREAMED)
        for number in range(3):
            assert same(server.store.objects[f"/bucket/k{number}"].content, data)


@pytest.mark.usefixtures("small_parts")
async def test_callbacks_may_wait_for_requests_of_their_own(tmp_path):
    # There are fewer connections than transfers: one held during a callback would be missed.
    config = TransferConfig(multipart_chunksize=MIB, multipart_threshold=MIB)
    data = os.urandom(3 * MIB)
    told = {}

    def tell(name):
        async def callback(count):
            told[name] = told.get(name, 0) + count
            await s3.put_object(Bucket="bucket", Key="progress", Body=b"%d" % told[name])

        return callback

    with ObjectServer() as server, anyio.fail_after(60):
        server.store.objects["/bucket/k"] = stored(data)
        async with (
            session_at(Seaweed(server.url)) as session,
            session.client("s3", config=Config(max_pool_connections=2)) as s3,
            anyio.create_task_group() as group,
        ):
            for number in range(4):
                name = f"k{number}"
                group.start_soon(s3.upload_fileobj, data, "bucket", name, None, tell(name), config)
                down = tmp_path / name
                group.start_soon(
                    s3.download_file, "bucket", "k", down, None, tell(f"down {name}"), config
                )
    assert set(told.values()) == {len(data)}
    assert len(told) == 8


async def test_an_async_callback_that_raises_ends_the_transfer(tmp_path):
    async def callback(count):
        await anyio.sleep(0)
        raise RuntimeError("no more of that")

    config = TransferConfig(multipart_chunksize=5 * MIB, multipart_threshold=5 * MIB)
    for data in (bytes(100), bytes(6 * MIB)):
        with ObjectServer() as server:
            server.store.objects["/bucket/k"] = stored(data)
            async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:
                with pytest.raises(RuntimeError, match="no more of that"):
                    await s3.download_file("bucket", "k", tmp_path / "down", None, callback, config)
                assert os.listdir(tmp_path) == []
                with pytest.raises(RuntimeError, match="no more of that"):
                    await s3.upload_fileobj(data, "bucket", "new", None, callback, config)
                assert idle(s3)
                assert limits_of(s3).used == 0
            assert server.store.uploads == {}
            assert server.store.asked["CompleteMultipartUpload"] == 0


async def test_small_files_in_parts_do_not_wait_for_each_other(tmp_path):
    path = tmp_path / "small"
    path.write_bytes(os.urandom(1000))
    config = TransferConfig(multipart_threshold=1)
    with ObjectServer() as server, anyio.fail_after(30):
        async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:
            async with anyio.create_task_group() as group:
                for number in range(64):
                    send = functools.partial(s3.upload_file, Config=config)
                    group.start_soon(send, str(path), "bucket", str(number))
            assert not limits_of(s3).used

"""Downloads: every size and target arrives whole, and nothing partial under the final name."""

import io
import os
import stat
import threading

import aiofiles
import anyio
import pytest

from asession import TransferConfig
from asession.s3.methods import limits_of
from body_sources import Executor
from s3.stored import MIB, idle, same

pytestmark = pytest.mark.anyio

CHUNK = 64 * 1024
SMALL = TransferConfig(multipart_threshold=CHUNK, multipart_chunksize=CHUNK)
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK]


async def test_a_file_of_every_size_arrives(s3, bucket, tmp_path):
    for size in SIZES:
        data = os.urandom(size)
        await s3.put_object(Bucket=bucket, Key="k", Body=data)
        told = []
        await s3.download_file(bucket, "k", tmp_path / "file", Callback=told.append, Config=SMALL)
        assert same((tmp_path / "file").read_bytes(), data), size
        assert sum(told) == size
        assert os.listdir(tmp_path) == ["file"]
    assert limits_of(s3).used == 0
    assert idle(s3)


@pytest.mark.parametrize("s3_server", ["seaweedfs"], indirect=True)
async def test_an_object_uploaded_in_parts_arrives(s3, bucket, tmp_path):
    data = os.urandom(11 * MIB)
    parts = TransferConfig(multipart_chunksize=5 * MIB)
    await s3.upload_fileobj(data, bucket, "k", Config=parts)
    # In the parts of the upload, whose checksums are compared, and in others.
    for chunk in (5 * MIB, 4 * MIB):
        config = TransferConfig(multipart_chunksize=chunk, fsync=True)
        await s3.download_file(bucket, "k", str(tmp_path / "file"), Config=config)
        assert same((tmp_path / "file").read_bytes(), data), chunk


async def test_checksums_that_cannot_be_combined_are_compared_with_the_whole(s3, bucket, tmp_path):
    data = os.urandom(3 * CHUNK + 5)
    args = {"ChecksumAlgorithm": "SHA256"}
    await s3.upload_fileobj(data, bucket, "k", ExtraArgs=args)
    await s3.download_file(bucket, "k", tmp_path / "file", Config=SMALL)
    assert same((tmp_path / "file").read_bytes(), data)
    target = io.BytesIO()
    await s3.download_fileobj(bucket, "k", target, Config=SMALL)
    assert same(target.getvalue(), data)


class Pipe:
    """A sync writer that cannot seek; it notes the threads that write to it."""

    def __init__(self):
        self.content = b""
        self.threads = set()

    def write(self, data):
        self.threads.add(threading.get_ident())
        self.content += data


class Short(io.RawIOBase):
    """Takes a part of what it is given, as raw files may."""

    def __init__(self):
        self.content = b""

    def writable(self):
        return True

    def write(self, data):
        taken = bytes(data[: max(1, len(data) // 2)])
        self.content += taken
        return len(taken)


class Sender:
    """An anyio byte stream."""

    def __init__(self):
        self.content = b""

    async def send(self, item):
        await anyio.sleep(0)
        self.content += item


@pytest.mark.parametrize("s3_server", ["seaweedfs"], indirect=True)
async def test_every_kind_of_writer_gets_the_bytes_in_order(s3, bucket, tmp_path):
    path = tmp_path / "file"
    for size in (100, 7 * CHUNK + 3):
        data = os.urandom(size)
        await s3.put_object(Bucket=bucket, Key="k", Body=data)
        for target in (Pipe(), Short(), Sender()):
            told = []
            await s3.download_fileobj(bucket, "k", target, Callback=told.append, Config=SMALL)
            assert same(target.content, data)
            assert sum(told) == size
            assert threading.get_ident() not in getattr(target, "threads", ())
        with path.open("wb") as file:
            file.write(b"before ")
            await s3.download_fileobj(bucket, "k", file, Config=SMALL)
            assert not file.closed
        assert same(path.read_bytes(), b"before " + data)
        async with await anyio.open_file(path, "wb") as file:
            await s3.download_fileobj(bucket, "k", file, Config=SMALL)
        assert same(path.read_bytes(), data)
        file = await aiofiles.open(path, "wb", loop=Executor())
        await s3.download_fileobj(bucket, "k", file, Config=SMALL)
        await file.close()
        assert same(path.read_bytes(), data)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
async def test_a_named_pipe_is_written_to_and_stays_one(s3, bucket, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for size in (10, 5 * CHUNK):
        data = os.urandom(size)
        await s3.put_object(Bucket=bucket, Key="k", Body=data)
        got = []
        reader = threading.Thread(target=lambda got=got: got.append(pipe.read_bytes()))
        reader.start()
        await s3.download_file(bucket, "k", pipe, Config=SMALL)
        await anyio.to_thread.run_sync(reader.join)
        assert same(got[0], data)
        assert stat.S_ISFIFO(pipe.stat().st_mode)


async def test_what_fails_leaves_nothing_and_keeps_what_was_there(s3, bucket, tmp_path):
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with pytest.raises(s3.exceptions.NoSuchKey):
        await s3.download_file(bucket, "missing", target)
    data = os.urandom(5 * CHUNK)
    await s3.put_object(Bucket=bucket, Key="k", Body=data)

    def callback(count):
        raise RuntimeError("no more of that")

    with pytest.raises(RuntimeError, match="no more of that"):
        await s3.download_file(bucket, "k", target, Callback=callback, Config=SMALL)
    assert os.listdir(tmp_path) == ["file"]
    assert target.read_bytes() == b"old"
    for size in (10, 5 * CHUNK):
        await s3.put_object(Bucket=bucket, Key="k", Body=bytes(size))
        with pytest.raises(IsADirectoryError):
            await s3.download_file(bucket, "k", tmp_path, Config=SMALL)
        with pytest.raises(FileNotFoundError):
            await s3.download_file(bucket, "k", tmp_path / "no" / "file", Config=SMALL)
    assert os.listdir(tmp_path) == ["file"]
    assert limits_of(s3).used == 0
    assert idle(s3)


async def test_bad_targets_are_refused_before_any_request(s3):
    asked = []
    s3.meta.events.register("before-call.s3", lambda **_: asked.append(1))
    with pytest.raises(TypeError, match="text file: open it in binary mode"):
        await s3.download_fileobj("bucket", "k", io.StringIO())
    with pytest.raises(TypeError, match="file object with `write`, sync or async, not int"):
        await s3.download_fileobj("bucket", "k", 7)
    with pytest.raises(ValueError, match="must be one of"):
        await s3.download_fileobj("bucket", "k", io.BytesIO(), ExtraArgs={"ACL": "private"})
    assert asked == []


async def test_a_long_name_still_gets_a_temporary_one(s3, bucket, tmp_path):
    await s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    target = tmp_path / ("ü" * 127)
    await s3.download_file(bucket, "k", target)
    assert target.read_bytes() == b"x"

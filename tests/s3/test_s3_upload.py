"""Uploads: every source and size arrives whole, in the right requests."""

import base64
import io
import os
import re
import subprocess
import zlib

import anyio
import pytest
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError

from asession import TransferConfig
from asession.s3.checksums import encode, new_checksum
from asession.s3.limits import STREAMED
from asession.s3.methods import limits_of
from body_sources import KINDS, close
from s3.conftest import session_at
from s3.stored import MIB, content, same, uploads
from servers.faults import FaultServer, refuse_early
from servers.seaweedfs import Seaweed

pytestmark = pytest.mark.anyio

PART = 5 * MIB
# S3 takes no smaller parts, but a threshold may be as low as one likes.
SMALL = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)
SIZES = [0, 1, PART - 1, PART, PART + 1]


@pytest.mark.parametrize("size", SIZES)
async def test_a_file_of_every_size_is_stored(s3, bucket, tmp_path, size):
    data = os.urandom(size)
    path = tmp_path / "file"
    path.write_bytes(data)
    told = []
    await s3.upload_file(path, bucket, "k", Callback=told.append, Config=SMALL)
    assert same(await content(s3, bucket), data)
    assert sum(told) == size
    assert all(count > 0 for count in told)
    head = await s3.head_object(Bucket=bucket, Key="k")
    assert head["ETag"].strip('"').endswith("-1" if size == PART else "-2") is (size >= PART)
    assert await uploads(s3, bucket) == []


@pytest.mark.parametrize("s3_server", ["seaweedfs"], indirect=True)
async def test_five_parts_are_sent_side_by_side_within_the_budget(s3, bucket, tmp_path):
    data = os.urandom(5 * PART)
    path = tmp_path / "file"
    path.write_bytes(data)
    await s3.upload_file(os.fspath(path), bucket, "k", Config=SMALL)
    assert same(await content(s3, bucket), data)
    limits = limits_of(s3)
    assert (limits.used, limits.peak) == (0, 5 * STREAMED)


@pytest.mark.matrix
@pytest.mark.parametrize("s3_server", ["seaweedfs"], indirect=True)
@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_every_kind_of_source_is_stored(s3, bucket, tmp_path, kind):
    # Below the threshold, above it, and with a part that comes in several pieces.
    for size in (100_000, PART + 70_001):
        data = os.urandom(size)
        source = await kind.make(data, tmp_path / "source")
        told = []
        await s3.upload_fileobj(source, bucket, "k", Callback=told.append, Config=SMALL)
        assert same(await content(s3, bucket), data), size
        assert sum(told) == size
        await close(source)


async def test_an_open_file_is_sent_from_where_it_is_and_left_at_its_end(s3, bucket, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"skipped" + b"sent")
    with path.open("r+b") as file:
        file.seek(7)
        await s3.upload_fileobj(file, bucket, "k")
        assert file.tell() == 11
        assert await content(s3, bucket) == b"sent"
        file.write(b" not yet flushed")
        file.seek(7)
        await s3.upload_fileobj(file, bucket, "k")
        assert await content(s3, bucket) == b"sent not yet flushed"
        assert not file.closed


async def test_a_file_of_another_class_is_read_through_it(s3, bucket, tmp_path):
    class Loud(io.FileIO):
        def read(self, size=-1):
            return super().read(size).upper()

    path = tmp_path / "file"
    path.write_bytes(b"quiet")
    with Loud(path) as file:
        await s3.upload_fileobj(file, bucket, "k")
    assert await content(s3, bucket) == b"QUIET"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
async def test_a_named_pipe_is_uploaded_to_its_end(s3, bucket, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["sh", "-c", 'printf piped > "$0"', pipe]):
        await s3.upload_file(pipe, bucket, "k")
    assert await content(s3, bucket) == b"piped"


@pytest.mark.parametrize("s3_server", ["seaweedfs"], indirect=True)
async def test_a_threshold_above_the_part_size_keeps_whole_parts(s3, bucket):
    config = TransferConfig(multipart_threshold=PART + 1, multipart_chunksize=PART)

    async def source():
        for start in range(0, len(data), 777_777):
            yield data[start : start + 777_777]

    for size, parts in ((PART, 0), (PART + 1, 2), (2 * PART + 1, 3)):
        data = os.urandom(size)
        await s3.upload_fileobj(source(), bucket, "k", Config=config)
        assert same(await content(s3, bucket), data), size
        tag = (await s3.head_object(Bucket=bucket, Key="k"))["ETag"].strip('"')
        assert tag.partition("-")[2] == (str(parts) if parts else "")
    assert limits_of(s3).used == 0


# ministack makes a composite of it, and refuses.
@pytest.mark.parametrize("s3_server", ["seaweedfs"], indirect=True)
async def test_a_full_object_checksum_is_stated_from_those_of_the_parts(s3, bucket):
    data = os.urandom(PART + 1)
    sent = []
    s3.meta.events.register(
        "before-call.s3.CompleteMultipartUpload", lambda params, **_: sent.append(params["headers"])
    )
    args = {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}
    await s3.upload_fileobj(data, bucket, "k", ExtraArgs=args, Config=SMALL)
    whole = base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
    assert sent[0]["x-amz-checksum-crc32"] == whole
    assert sent[0]["x-amz-checksum-type"] == "FULL_OBJECT"
    assert same(await content(s3, bucket), data)


# ministack keeps none but CRC32s.
@pytest.mark.parametrize("s3_server", ["seaweedfs"], indirect=True)
async def test_every_checksum_of_the_parts_is_stated_and_checked_again(s3, bucket, tmp_path):
    data = os.urandom(PART + 1)
    completed = []
    s3.meta.events.register(
        "before-call.s3.CompleteMultipartUpload", lambda params, **_: completed.append(params)
    )
    for algorithm in ("CRC32", "SHA1", "SHA256", "CRC32C", "CRC64NVME"):
        if new_checksum(algorithm) is None:
            continue  # without the common runtime
        digests = []
        for part in (data[:PART], data[PART:]):
            checksum = new_checksum(algorithm)
            checksum.update(part)
            digests.append(checksum.digest())
        args = {"ChecksumAlgorithm": algorithm}
        await s3.upload_fileobj(data, bucket, "k", ExtraArgs=args, Config=SMALL)
        body = completed[-1]["body"].decode()
        found = re.findall(f"<Checksum{algorithm}>(.*?)</Checksum{algorithm}>", body)
        assert found == [encode(digest) for digest in digests], algorithm
        await s3.download_file(bucket, "k", tmp_path / "file", Config=SMALL)
        assert same((tmp_path / "file").read_bytes(), data), algorithm


async def test_extra_arguments_arrive(s3, bucket):
    args = {"ContentType": "text/x-test", "Metadata": {"who": "me"}}
    for size in (10, PART):
        await s3.upload_fileobj(bytes(size), bucket, "k", ExtraArgs=args, Config=SMALL)
        head = await s3.head_object(Bucket=bucket, Key="k")
        assert (head["ContentType"], head["Metadata"]) == ("text/x-test", {"who": "me"})


async def test_bad_arguments_are_refused_before_any_request(s3, tmp_path):
    asked = []
    s3.meta.events.register("before-call.s3", lambda **_: asked.append(1))
    with pytest.raises(ValueError, match="'Nope', must be one of"):
        await s3.upload_file(tmp_path / "x", "bucket", "k", ExtraArgs={"Nope": 1})
    with pytest.raises(ValueError, match="path-like"):
        await s3.upload_file(7, "bucket", "k")
    with pytest.raises(TypeError, match="Callback must be callable, not int"):
        await s3.upload_fileobj(b"", "bucket", "k", Callback=7)
    with pytest.raises(TypeError, match=r"must be bytes, a file object .* not int"):
        await s3.upload_fileobj(7, "bucket", "k")
    with pytest.raises(TypeError, match="text file: open it in binary mode"):
        await s3.upload_fileobj(io.StringIO("text"), "bucket", "k")
    with pytest.raises(FileNotFoundError):
        await s3.upload_file(tmp_path / "missing", "bucket", "k")
    with pytest.raises(IsADirectoryError):
        await s3.upload_file(tmp_path, "bucket", "k")
    assert asked == []
    assert limits_of(s3).used == 0


async def test_a_refusal_by_s3_is_the_error_that_boto3_raises(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x")
    with FaultServer([refuse_early, refuse_early]) as server:
        async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:
            with pytest.raises(S3UploadFailedError, match=r"Failed to upload .*file to bucket/k: "):
                await s3.upload_file(path, "bucket", "k")
            with pytest.raises(ClientError, match="AccessDenied"):
                await s3.upload_fileobj(b"x", "bucket", "k")


async def test_an_error_of_the_source_is_the_error_and_nothing_is_left(s3, bucket):
    async def source():
        yield bytes(2 * PART)
        raise RuntimeError("out of bytes")

    with pytest.raises(RuntimeError, match="out of bytes"):
        await s3.upload_fileobj(source(), bucket, "k", Config=SMALL)
    assert await uploads(s3, bucket) == []
    assert limits_of(s3).used == 0


@pytest.mark.parametrize("s3_server", ["seaweedfs"], indirect=True)
async def test_an_error_of_the_callback_is_the_error_and_nothing_is_left(s3, bucket):
    def callback(count):
        raise RuntimeError("no more of that")

    for size in (10, 2 * PART):
        with pytest.raises(RuntimeError, match="no more of that"):
            await s3.upload_fileobj(bytes(size), bucket, "k", Callback=callback, Config=SMALL)
    assert await uploads(s3, bucket) == []


@pytest.mark.parametrize("s3_server", ["seaweedfs"], indirect=True)
async def test_an_async_callback_is_awaited_and_never_twice_at_once(s3, bucket):
    told = []
    running = 0

    async def callback(count):
        nonlocal running
        running += 1
        assert running == 1
        await anyio.sleep(0.001)
        told.append(count)
        running -= 1

    data = os.urandom(3 * PART)
    await s3.upload_fileobj(data, bucket, "k", Callback=callback, Config=SMALL)
    assert sum(told) == len(data)

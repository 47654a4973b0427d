"""A server that misbehaves: transfers end right, or with one clear error and nothing left."""

import io
import os
import time

import anyio
import pytest
from boto3.exceptions import RetriesExceededError, S3UploadFailedError
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.retries.standard import ExponentialBackoff

from asession import Config, TransferConfig
from asession.exceptions import ChecksumMismatchError, ObjectChangedError, TransferFailedError
from asession.s3.methods import limits_of
from s3.conftest import session_at
from s3.stored import MIB, idle, same
from servers import faults
from servers.objects import ObjectServer, stored
from servers.seaweedfs import Seaweed

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("small_parts", "no_pauses")]

CHUNK = 64 * 1024
DOWN = TransferConfig(multipart_threshold=CHUNK, multipart_chunksize=CHUNK)
PART = MIB
UP = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)
DATA = os.urandom(5 * CHUNK + 7)
BIG = os.urandom(2 * PART + 7)


@pytest.fixture
def no_pauses(monkeypatch):
    """botocore tries again at once, instead of after half a second on average."""
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda self, context: 0.0)


def client(session, server, attempts=2):
    retries = {"mode": "standard", "total_max_attempts": attempts}
    chosen = Config(retries=retries, read_timeout=0.3)
    return session.client("s3", endpoint_url=server.url, config=chosen)


def slow_body(peer):
    """Answer in twenty pieces with pauses."""
    peer.read_body()
    data = b"".join(peer.good)
    step = len(data) // 20 + 1
    for start in range(0, len(data), step):
        peer.send(data[start : start + step])
        time.sleep(0.01)
    return True


# In the middle of a body, or before it.
RECOVERED = [
    faults.truncate,
    faults.stall_mid_body,
    faults.reset_after_headers,
    faults.reset_before_headers,
    faults.stall_before_headers,
    faults.unavailable,
    faults.half_close,
    faults.garbage,
    faults.slow_headers,
    slow_body,
    faults.surplus,
    faults.close_after,
]


@pytest.mark.matrix
@pytest.mark.parametrize("fault", RECOVERED, ids=lambda fault: fault.__name__)
async def test_a_download_recovers_from_a_fault(fault, tmp_path):
    for content in (DATA, DATA[:1000]):
        with ObjectServer({"GetObject": [fault]}) as server, anyio.fail_after(30):
            server.store.objects["/bucket/k"] = stored(content)
            async with session_at(Seaweed(server.url)) as session:
                async with client(session, server, attempts=4) as s3:
                    told = []
                    await s3.download_file(
                        "bucket", "k", tmp_path / "file", Callback=told.append, Config=DOWN
                    )
                    assert same((tmp_path / "file").read_bytes(), content)
                    assert sum(told) == len(content)
                    assert all(count > 0 for count in told)
                    target = io.BytesIO()
                    await s3.download_fileobj("bucket", "k", target, Config=DOWN)
                    assert same(target.getvalue(), content)
                    assert os.listdir(tmp_path) == ["file"]
                    assert limits_of(s3).used == 0
                    assert idle(s3)


async def test_a_broken_body_is_taken_up_where_it_broke(tmp_path):
    with ObjectServer({"GetObject": [faults.truncate, faults.truncate]}) as server:
        server.store.objects["/bucket/k"] = stored(DATA)
        async with session_at(Seaweed(server.url)) as session, client(session, server) as s3:
            config = TransferConfig(multipart_threshold=MIB)
            await s3.download_file("bucket", "k", tmp_path / "file", Config=config)
        assert same((tmp_path / "file").read_bytes(), DATA)
        _, second, third = (head.decode().lower() for head in server.heads)
        half = len(DATA) // 2
        assert f"range: bytes={half}-{len(DATA) - 1}" in second
        assert f"if-match: {stored(DATA).etag}" in second
        assert f"range: bytes={half + (len(DATA) - half) // 2}-{len(DATA) - 1}" in third


async def test_a_body_that_breaks_again_and_again_is_given_up(tmp_path):
    broken = [faults.reset_after_headers] * 50
    with ObjectServer({"GetObject": broken}) as server:
        server.store.objects["/bucket/k"] = stored(DATA)
        async with session_at(Seaweed(server.url)) as session, client(session, server) as s3:
            for config in (TransferConfig(num_download_attempts=3), DOWN):
                with pytest.raises(RetriesExceededError, match=r"s3://bucket/k: .* broke off"):
                    await s3.download_file("bucket", "k", tmp_path / "file", Config=config)
            assert os.listdir(tmp_path) == []
            assert idle(s3)


async def test_a_damaged_byte_is_found_by_the_checksum(tmp_path):
    # Of a download in parts, the second request is for a range.
    for config, answers in (
        (TransferConfig(), [faults.corrupt_byte]),
        (DOWN, [faults.well, faults.corrupt_byte]),
    ):
        with ObjectServer({"GetObject": answers}) as server:
            server.store.objects["/bucket/k"] = stored(DATA)
            async with session_at(Seaweed(server.url)) as session, client(session, server) as s3:
                with pytest.raises(ChecksumMismatchError, match="the CRC32 of what arrived is"):
                    await s3.download_file("bucket", "k", tmp_path / "file", Config=config)
                assert os.listdir(tmp_path) == []


async def test_a_damaged_byte_is_found_by_a_composite_checksum(tmp_path):
    content = os.urandom(2 * PART)
    with ObjectServer() as server:
        async with session_at(Seaweed(server.url)) as session, client(session, server) as s3:
            await s3.upload_fileobj(content, "bucket", "k", Config=UP)
            server._by_operation["GetObject"] = iter([faults.well, faults.corrupt_byte])
            # HeadObject of the first part says how large the parts were.
            found = server.store.objects["/bucket/k"]
            server.HeadObject = lambda asked, body: (
                b"HTTP/1.1 206 Partial Content\r\nContent-Length: %d\r\n\r\n" % PART,
                b"",
            )
            with pytest.raises(ChecksumMismatchError, match=r"-2, that of the object"):
                await s3.download_file("bucket", "k", tmp_path / "file", Config=UP)
            assert found.checksum.endswith("-2")
            await s3.download_file("bucket", "k", tmp_path / "file", Config=UP)
    assert same((tmp_path / "file").read_bytes(), content)


async def test_an_object_replaced_meanwhile_is_said_to_be(tmp_path):
    for gone in (False, True):

        def told(operation, gone=gone):
            if operation == "GetObject" and server.store.asked["GetObject"] == 2:
                if gone:
                    del server.store.objects["/bucket/k"]
                else:
                    server.store.objects["/bucket/k"] = stored(DATA[::-1])

        with ObjectServer(told=told) as server:
            server.store.objects["/bucket/k"] = stored(DATA)
            async with session_at(Seaweed(server.url)) as session, client(session, server) as s3:
                with pytest.raises(ObjectChangedError, match="replaced or removed"):
                    await s3.download_file("bucket", "k", tmp_path / "file", Config=DOWN)
        assert os.listdir(tmp_path) == []


async def test_a_server_without_ranges_is_said_to_be_one(tmp_path):
    with ObjectServer() as server:
        server.store.objects["/bucket/k"] = stored(DATA)
        original = server.GetObject
        server.GetObject = lambda asked, body: original(
            asked.__class__(asked.method, asked.key, asked.query, {}), body
        )
        async with session_at(Seaweed(server.url)) as session, client(session, server) as s3:
            with pytest.raises(TransferFailedError, match="multipart_threshold above the size"):
                await s3.download_file("bucket", "k", tmp_path / "file", Config=DOWN)
            await s3.download_file("bucket", "k", tmp_path / "file")
    assert same((tmp_path / "file").read_bytes(), DATA)


STEPS = ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"]


@pytest.mark.matrix
@pytest.mark.parametrize(
    "fault",
    [
        faults.reset_before_headers,
        faults.stall_before_headers,
        faults.unavailable,
        faults.half_close,
        faults.truncate,
        faults.slow_headers,
        faults.close_after,
    ],
    ids=lambda fault: fault.__name__,
)
async def test_an_upload_recovers_from_a_fault_at_every_step(fault):
    for step in STEPS:
        with ObjectServer({step: [fault]}) as server, anyio.fail_after(30):
            async with (
                session_at(Seaweed(server.url)) as session,
                client(session, server, attempts=4) as s3,
            ):
                told = []
                try:
                    await s3.upload_fileobj(BIG, "bucket", "k", Callback=told.append, Config=UP)
                except s3.exceptions.NoSuchUpload:
                    # What S3 says of a completion that succeeded, when it is sent again.
                    assert server.store.asked["CompleteMultipartUpload"] > 1
                assert same(server.store.objects["/bucket/k"].content, BIG)
                assert sum(told) == len(BIG)
                assert all(count > 0 for count in told)
                assert idle(s3)


FATAL = [
    (faults.reset_before_headers, ConnectionClosedError),
    (faults.stall_before_headers, ReadTimeoutError),
    (faults.unavailable, ClientError),
]


@pytest.mark.parametrize(("fault", "error"), FATAL, ids=lambda one: one.__name__)
async def test_a_part_that_fails_for_good_is_the_one_error_and_aborts_once(fault, error, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(BIG)
    with ObjectServer({"UploadPart": [fault] * 50}) as server, anyio.fail_after(30):
        async with session_at(Seaweed(server.url)) as session, client(session, server) as s3:
            kind = S3UploadFailedError if error is ClientError else error
            with pytest.raises(kind):
                await s3.upload_file(path, "bucket", "k", Config=UP)
            with path.open("rb") as file, pytest.raises(error):
                await s3.upload_fileobj(file, "bucket", "k", Config=UP)
            assert idle(s3)
            assert limits_of(s3).used == 0
        assert server.store.asked["AbortMultipartUpload"] == 2
        assert server.store.uploads == {}
        assert server.store.objects == {}


async def test_an_abort_that_fails_is_noted_on_the_error():
    broken = {
        "UploadPart": [faults.refuse_early] * 9,
        "AbortMultipartUpload": [faults.refuse_early] * 9,
    }
    with ObjectServer(broken) as server:
        async with session_at(Seaweed(server.url)) as session, client(session, server) as s3:
            with pytest.raises(ClientError) as caught:
                await s3.upload_fileobj(BIG, "bucket", "k", Config=UP)
    assert "upload-1 to s3://bucket/k could not be aborted" in caught.value.__notes__[0]


async def test_a_source_of_a_copy_replaced_meanwhile_is_said_to_be():
    def told(operation):
        if operation == "CreateMultipartUpload":
            server.store.objects["/bucket/k"] = stored(BIG[::-1])

    with ObjectServer(told=told) as server:
        server.store.objects["/bucket/k"] = stored(BIG)
        async with session_at(Seaweed(server.url)) as session, client(session, server) as s3:
            with pytest.raises(ObjectChangedError, match="s3://bucket/k"):
                await s3.copy("bucket/k", "bucket", "copy", Config=UP)
        assert server.store.uploads == {}
        assert "/bucket/copy" not in server.store.objects

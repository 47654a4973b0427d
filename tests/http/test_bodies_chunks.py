"""AWS's own chunks: the bytes that upstream writes, and their checksums off the event loop."""

import base64
import gc
import io
import os
import ssl
import sys
import threading
import zlib

import anyio
import pytest
import trustme
from aiobotocore.config import AioConfig
from aiobotocore.httpchecksum import AioAwsChunkedWrapper
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.httpxsession import HttpxSession
from botocore.exceptions import AwsChunkedWrapperError
from botocore.httpchecksum import _CHECKSUM_CLS, Crc32Checksum, Sha256Checksum

from asession import Config, Session
from asession._aws.bodies import upload_of
from asession._aws.chunks import AwsChunks
from body_sources import KINDS, AsyncPieces, Pipe, close
from servers.recorder import Recorder, Reply

pytestmark = pytest.mark.anyio

NAME = "x-amz-checksum-crc32"
MIB = 1024 * 1024
DATA = os.urandom(2 * MIB + 5)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def tls(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def bundle(authority, tmp_path):
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def answer(request):
    return Reply(200, {"ETag": '"e"'}, b"")


def client(url, config=None, verify=None):
    session = Session("AKID", "secret", region_name="us-east-1", environ={}, verify=verify)
    return session.client("s3", endpoint_url=url, config=config)


def content(body):
    """What is in AWS's chunks."""
    rest, taken = body, b""
    while size := int(rest.partition(b"\r\n")[0], 16):
        rest = rest.partition(b"\r\n")[2]
        taken, rest = taken + rest[:size], rest[size + 2 :]
    return taken


async def in_memory(data):
    return io.BytesIO(data)


async def upload(data):
    return await upload_of(AsyncPieces(data))


async def at_once(chunks):
    return await chunks.read()


async def by_amounts(chunks):
    taken = b""
    while piece := await chunks.read(4001):
        assert len(piece) <= 4001
        taken += piece
    return taken


async def by_pieces(chunks):
    return b"".join([bytes(piece) async for piece in chunks.pieces()])


async def by_iteration(chunks):
    return b"".join([bytes(piece) async for piece in chunks])


@pytest.mark.parametrize("checksum", [Crc32Checksum, Sha256Checksum, None])
@pytest.mark.parametrize("source", [in_memory, upload])
async def test_the_bytes_are_upstreams(source, checksum):
    for length in (0, 1, 7, 65_536, 65_537, 200_000):
        for size in (7 if length < 100 else 8192, 100_000, None):
            data = DATA[:length]

            async def wrapper(data=data, size=size):
                return AioAwsChunkedWrapper(await source(data), checksum, NAME, size)

            expected = await (await wrapper()).read()
            for read in (at_once, by_amounts, by_pieces, by_iteration):
                chunks = AwsChunks.instead_of(await wrapper())
                assert await read(chunks) == expected, (length, size, read)
                assert chunks.content in (None, expected)
                assert await chunks.read() == b""
                assert await chunks.rewind()
                assert await read(chunks) == expected


async def test_a_short_body_in_memory_is_framed_at_once():
    chunks = AwsChunks(io.BytesIO(b"skipped abc"), Crc32Checksum, NAME, MIB)
    assert chunks.content == await chunks.read()
    assert AwsChunks(io.BytesIO(DATA), Crc32Checksum, NAME, MIB).content is None


async def test_it_goes_back_to_its_start_alone():
    chunks = AwsChunks(io.BytesIO(DATA), Crc32Checksum, NAME, MIB)
    first = await chunks.read(100)
    for where in ((1, 0), (0, 1), (0, 2)):
        with pytest.raises(AwsChunkedWrapperError, match="start"):
            chunks.seek(*where)
    assert chunks.seek(0) == 0
    assert await chunks.read(100) == first


async def generate(data):
    yield data


@pytest.mark.parametrize("source", [generate, Pipe])
async def test_a_source_for_one_reading_is_not_rewound(source):
    opened = source(DATA)
    chunks = AwsChunks(await upload_of(opened), Crc32Checksum, NAME, MIB)
    assert await chunks.rewind()  # it was not read yet
    await chunks.read(10)
    assert not await chunks.rewind()
    await close(opened)


async def test_cancelled_while_a_checksum_is_computed_it_is_whole_after_a_rewind():
    entered, leave = threading.Event(), threading.Event()

    class Slow(Crc32Checksum):
        def update(self, chunk):
            entered.set()
            leave.wait(5)
            super().update(chunk)

    chunks = AwsChunks(await upload(DATA), Slow, NAME, MIB)
    async with anyio.create_task_group() as group:
        group.start_soon(chunks.read)
        await anyio.to_thread.run_sync(entered.wait, 5)
        group.cancel_scope.cancel()
        leave.set()
    assert await chunks.rewind()
    expected = base64.b64encode(zlib.crc32(DATA).to_bytes(4, "big"))
    assert (await chunks.read()).endswith(b"\r\n0\r\n%b:%b\r\n\r\n" % (NAME.encode(), expected))


# Their hashes are new and empty, and go to a worker thread with the body.
HAND_ON = {"asession._aws.uploads", "asession._aws.payloads"}


class Watch:
    """Finds calls of hash functions on this thread by code that holds many bytes."""

    def __init__(self):
        self.seen = []
        self.calls = 0

    def __enter__(self):
        sys.setprofile(self._profile)
        return self

    def __exit__(self, *_):
        sys.setprofile(None)

    def _profile(self, frame, event, argument):
        if event != "c_call":
            return
        owner = type(getattr(argument, "__self__", None)).__name__
        updates = owner == "HASH" and argument.__name__ == "update"
        if not updates and argument.__name__ not in ("crc32", "openssl_sha256", "openssl_md5"):
            return
        self.calls += 1
        if frame.f_globals["__name__"] in HAND_ON and not updates:
            return
        if any(
            isinstance(value, bytes | bytearray | memoryview) and len(value) > 256 * 1024
            for value in frame.f_locals.values()
        ):
            self.seen.append((frame.f_code.co_qualname, argument.__name__))


@pytest.mark.matrix
@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.rewindable], ids=str)
async def test_nothing_big_is_hashed_on_the_loops_thread(kind, secure, tls, bundle, tmp_path):
    source = await kind.make(DATA, tmp_path / "source")
    with Recorder(answer, tls=tls if secure else None) as server:
        async with client(server.url, verify=bundle if secure else None) as s3:
            await s3.put_object(Bucket="b", Key="warm", Body=b"up")
            with Watch() as watch:
                await s3.put_object(Bucket="b", Key="k", Body=source)
    await close(source)
    assert watch.calls  # of the signature at least
    assert not watch.seen
    request = server.requests[-1]
    assert (content(request.body) if "x-amz-trailer" in request.headers else request.body) == DATA


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("body", [bytes, bytearray, io.BytesIO, AsyncPieces])
async def test_big_bodies_have_their_checksums_from_worker_threads(
    body, secure, tls, bundle, monkeypatch
):
    long = []

    class Watched(Crc32Checksum):
        def update(self, chunk):
            if len(chunk) > 64 * 1024:
                long.append(threading.get_ident())
            super().update(chunk)

    monkeypatch.setitem(_CHECKSUM_CLS, "crc32", Watched)
    with Recorder(answer, tls=tls if secure else None) as server:
        async with client(server.url, verify=bundle if secure else None) as s3:
            await s3.put_object(Bucket="b", Key="k", Body=body(DATA))
    (request,) = server.requests
    expected = base64.b64encode(zlib.crc32(DATA).to_bytes(4, "big")).decode()
    if secure and body is not AsyncPieces:
        assert request.body.endswith(f"{NAME}:{expected}\r\n\r\n".encode())
    else:
        assert request.headers[NAME] == expected
    assert long
    assert threading.get_ident() not in long


@pytest.mark.parametrize("backend", ["aiohttp", "httpx"])
async def test_other_http_libraries_send_the_same(backend, tls, bundle, anyio_backend_name):
    if backend == "aiohttp" and anyio_backend_name == "trio":
        pytest.skip("aiohttp does not run on trio")
    if backend == "httpx":
        pytest.importorskip("httpx2")
    chosen = AIOHTTPSession if backend == "aiohttp" else HttpxSession
    with Recorder(answer, tls=tls) as server:
        for config in (AioConfig(http_session_cls=chosen), Config()):
            async with client(server.url, config, bundle) as s3:
                await s3.put_object(Bucket="b", Key="k", Body=io.BytesIO(DATA))
        theirs, ours = server.requests
    assert theirs.body == ours.body
    gc.collect()

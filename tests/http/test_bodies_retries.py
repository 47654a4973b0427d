"""A body is sent whole at every try, or not again: never empty."""

import base64
import os
import ssl
import zlib

import anyio
import pytest
import trustme
from botocore.exceptions import ClientError, ConnectionClosedError

from asession import Config, Session
from body_sources import KINDS, ONCE_ONLY, REWINDABLE, AsyncSeeker, MeasuredAsyncPieces, close
from servers.recorder import Recorder, Reply

pytestmark = [pytest.mark.anyio, pytest.mark.matrix]

DATA = os.urandom(100_000)
MODES = ["legacy", "standard", "adaptive"]
BUSY = Reply(503, {"Content-Type": "application/xml"}, b"<Error><Code>SlowDown</Code></Error>")
FAILURES = {"busy": BUSY, "dropped": Reply(drop=True)}


class Failing:
    """Answers with failures first, then stores."""

    def __init__(self, *failures):
        self.failures = list(failures)

    def __call__(self, request):
        return self.failures.pop(0) if self.failures else Reply(200, {"ETag": '"e"'}, b"")


@pytest.fixture
def tls():
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with authority.cert_pem.tempfile() as bundle:
        yield context, bundle


def client(url, *, verify=None, mode="standard", tries=3):
    session = Session("AKID", "secret", region_name="us-east-1", environ={}, verify=verify)
    config = Config(retries={"mode": mode, "total_max_attempts": tries})
    return session.client("s3", endpoint_url=url, config=config)


def contents(server):
    """What each request brought, without the frames of AWS's own chunks."""
    return [undo(request) for request in server.requests]


def undo(request):
    if "aws-chunked" not in request.headers.get("content-encoding", ""):
        return request.body
    rest, content = request.body, b""
    while size := int(rest.partition(b"\r\n")[0], 16):
        rest = rest.partition(b"\r\n")[2]
        content, rest = content + rest[:size], rest[size + 2 :]
    return content


@pytest.mark.parametrize(("secure", "failure"), [(False, "dropped"), (True, "busy")])
@pytest.mark.parametrize("kind", REWINDABLE, ids=str)
async def test_a_rewindable_body_is_whole_at_every_try(kind, secure, failure, tls, tmp_path):
    context, bundle = tls
    source = await kind.make(DATA, tmp_path / "source")
    with Recorder(Failing(FAILURES[failure]), tls=context if secure else None) as server:
        async with client(server.url, verify=bundle if secure else None) as s3:
            await s3.put_object(Bucket="b", Key="k", Body=source)
        assert contents(server) == [DATA] * 2
    await close(source)


@pytest.mark.parametrize("mode", MODES)
async def test_an_async_reader_with_async_seek_never_stores_nothing(mode, tls):
    context, bundle = tls
    with Recorder(Failing(BUSY), tls=context) as server:
        async with client(server.url, verify=bundle, mode=mode) as s3:
            response = await s3.put_object(Bucket="b", Key="k", Body=AsyncSeeker(DATA))
        assert contents(server) == [DATA] * 2
    assert response["ResponseMetadata"]["RetryAttempts"] == 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ONCE_ONLY, ids=str)
async def test_a_body_for_one_reading_is_not_tried_again(kind, mode, tls, tmp_path):
    context, bundle = tls
    source = await kind.make(DATA, tmp_path / "source")
    with Recorder(Failing(BUSY), tls=context) as server:
        async with client(server.url, verify=bundle, mode=mode) as s3:
            with pytest.raises(ClientError, match="SlowDown"):
                await s3.put_object(Bucket="b", Key="k", Body=source, ContentLength=len(DATA))
        assert contents(server) == [DATA]
    await close(source)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ONCE_ONLY, ids=str)
async def test_the_first_error_of_a_body_for_one_reading_is_told(kind, mode, tls, tmp_path):
    context, bundle = tls
    source = await kind.make(DATA, tmp_path / "source")
    with Recorder(Failing(Reply(drop=True)), tls=context) as server:
        async with client(server.url, verify=bundle, mode=mode) as s3:
            with pytest.raises(ConnectionClosedError):
                await s3.put_object(Bucket="b", Key="k", Body=source, ContentLength=len(DATA))
        assert contents(server) == [DATA]
    await close(source)


async def test_a_body_for_one_reading_that_was_not_read_yet_is_tried_again(tls):
    context, bundle = tls
    refused = 0

    def refuse(request, **_):
        nonlocal refused
        refused += 1
        if refused == 1:
            raise ConnectionClosedError(endpoint_url=request.url)

    with Recorder(Failing(), tls=context) as server:
        async with client(server.url, verify=bundle) as s3:
            s3.meta.events.register("before-send.s3", refuse)
            kind = next(kind for kind in KINDS if kind.name == "async reader")
            source = await kind.make(DATA, None)
            await s3.put_object(Bucket="b", Key="k", Body=source, ContentLength=len(DATA))
        assert contents(server) == [DATA]


async def test_each_try_closes_the_iterator_that_it_opened(tls):
    context, bundle = tls
    opened, closed = [], []

    class Watched(MeasuredAsyncPieces):
        async def __aiter__(self):
            opened.append(self)
            try:
                yield self.data[:50_000]
                await anyio.sleep(0)
                yield self.data[50_000:]
            finally:
                closed.append(self)

    with Recorder(Failing(BUSY, BUSY), tls=context) as server:
        async with client(server.url, verify=bundle) as s3:
            await s3.put_object(Bucket="b", Key="k", Body=Watched(DATA))
    assert len(opened) == len(closed) == 3


async def test_the_checksum_is_of_each_try_s_own_bytes(tls):
    context, bundle = tls
    with Recorder(Failing(BUSY), tls=context) as server:
        async with client(server.url, verify=bundle) as s3:
            await s3.put_object(Bucket="b", Key="k", Body=MeasuredAsyncPieces(DATA))
    trailers = [request.body.rpartition(b"\r\n0\r\n")[2] for request in server.requests]
    expected = base64.b64encode(zlib.crc32(DATA).to_bytes(4, "big"))
    assert trailers == [b"x-amz-checksum-crc32:%b\r\n\r\n" % expected] * 2

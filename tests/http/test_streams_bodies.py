"""`StreamingBody` of responses: read in every way, closed early, dropped, truncated, late."""

import base64
import contextlib
import gc
import io
import os
import threading
import time
import warnings
import zlib

import anyio
import pytest
from botocore.exceptions import (
    FlexibleChecksumError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from botocore.httpchecksum import _CHECKSUM_CLS, Crc32Checksum

from asession import Config, Session
from servers.recorder import Recorder, Reply
from session.cancelling import cancelled_at

pytestmark = pytest.mark.anyio

DATA = os.urandom(300_001)
LINES = b"one\ntwo\r\nthree\n\nfive"


def client(url, *, connections=1, **config):
    session = Session("AKID", "secret", region_name="us-east-1", environ={})
    return session.client(
        "s3", endpoint_url=url, config=Config(max_pool_connections=connections, **config)
    )


def serving(body, **headers):
    return Recorder(lambda request: Reply(200, headers, body))


async def get(s3, **more):
    return (await s3.get_object(Bucket="b", Key="k", **more))["Body"]


async def until(condition):
    with anyio.fail_after(5):
        while not condition():
            await anyio.sleep(0.01)


async def whole(body):
    return await body.read()


async def by_amounts(body):
    taken = b""
    while piece := await body.read(1000):
        assert len(piece) == 1000 or len(taken) + len(piece) == len(DATA)
        taken += piece
        assert body.tell() == len(taken)
    return taken


async def by_chunks(body):
    return b"".join([chunk async for chunk in body.iter_chunks(4096)])


async def by_iteration(body):
    return b"".join([chunk async for chunk in body])


async def by_lines(body):
    return b"".join([line async for line in body.iter_lines(keepends=True)])


async def into_a_buffer(body):
    taken, buffer = b"", bytearray(7777)
    while count := await body.readinto(buffer):
        taken += buffer[:count]
    return taken


async def by_big_chunks(body):
    return b"".join([chunk async for chunk in body.iter_chunks(290_000)])


async def into_a_big_buffer(body):
    taken, buffer = b"", bytearray(290_000)
    while count := await body.readinto(buffer):
        taken += buffer[:count]
    return taken


async def within(body):
    async with body as entered:
        return await entered.read()


@pytest.mark.parametrize(
    "read", [whole, by_amounts, by_chunks, by_iteration, by_lines, into_a_buffer, within]
)
async def test_a_body_is_read_whole_and_its_connection_used_again(read):
    with serving(DATA) as server:
        async with client(server.url) as s3:
            for _ in range(2):
                body = await get(s3)
                assert await read(body) == DATA
                assert await body.read() == b""
        assert server.connections_opened == 1
        assert {request.headers["accept-encoding"] for request in server.requests} == {"identity"}


async def test_lines_are_split_as_botocore_splits_them():
    with serving(LINES) as server:
        async with client(server.url) as s3:
            expected = [b"one", b"two", b"three", b"", b"five"]
            assert [line async for line in (await get(s3)).iter_lines()] == expected
            assert await (await get(s3)).readlines() == expected


async def test_an_empty_body_is_read():
    with serving(b"") as server:
        async with client(server.url) as s3:
            assert await (await get(s3)).read() == b""
            assert [chunk async for chunk in await get(s3)] == []


async def test_many_small_reads_cost_no_more_for_a_longer_body():
    async def seconds_for_each(size):
        with serving(bytes(size * 1024 * 1024)) as server:
            async with client(server.url) as s3:
                body = await get(s3)
                start = time.thread_time()
                while await body.read(64 * 1024):
                    pass
                return (time.thread_time() - start) / size

    short = min([await seconds_for_each(2) for _ in range(3)])
    long = min([await seconds_for_each(32) for _ in range(3)])
    # A quadratic reader needs sixteen times as long for each byte.
    assert long < 8 * short


ENDLESS = {"Content-Length": str(1000 * len(DATA))}


@pytest.mark.parametrize("how", ["close", "aclose", "with"])
async def test_a_body_closed_early_gives_its_place_back(how):
    with serving(DATA, **ENDLESS) as server:
        async with client(server.url) as s3:
            for _ in range(3):
                with anyio.fail_after(5):
                    body = await get(s3)
                    await body.read(10)
                    if how == "close":
                        body.close()
                        body.close()
                    elif how == "aclose":
                        await body.aclose()
                    else:
                        async with body:
                            pass
        await until(lambda: server.connections_open == 0)


async def test_a_closed_body_cannot_be_read():
    with serving(DATA, **ENDLESS) as server:
        async with client(server.url) as s3:
            body = await get(s3)
            body.close()
            with pytest.raises(ResponseStreamingError, match="closed"):
                await body.read()


async def test_a_body_of_a_closed_session_cannot_be_read():
    with serving(DATA, **ENDLESS) as server:
        async with client(server.url) as s3:
            body = await get(s3)
        with pytest.raises(ResponseStreamingError, match="closed"):
            await body.read()
        await until(lambda: server.connections_open == 0)


async def test_an_unread_body_that_is_dropped_warns_and_gives_its_place_back():
    with serving(DATA, **ENDLESS) as server:
        async with client(server.url) as s3:
            body = await get(s3)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                del body
                gc.collect()
            assert [one.category for one in caught] == [ResourceWarning]
            with anyio.fail_after(5):
                await (await get(s3)).aclose()


async def test_a_read_body_that_is_dropped_says_nothing():
    with serving(DATA) as server:
        async with client(server.url) as s3:
            body = await get(s3)
            await body.read()
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                del body
                gc.collect()
            assert caught == []


@pytest.mark.parametrize("headers", [{}, {"x-amz-checksum-crc32": "AAAAAA=="}])
@pytest.mark.parametrize("how", ["iter_chunks", "iter_lines", "__aiter__"])
async def test_an_iteration_that_is_left_and_dropped_says_nothing(how, headers):
    with serving(LINES * 1000, **headers) as server:
        async with client(server.url) as s3:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                async with await get(s3) as body:
                    async for piece in getattr(body, how)():
                        assert piece
                        break
                    await anext(aiter(getattr(body, how)()))
                gc.collect()
                await anyio.sleep(0)
            assert caught == []


@pytest.mark.parametrize("read", [whole, by_amounts, by_chunks, by_lines, into_a_buffer])
async def test_a_truncated_body_is_an_error(read):
    def answer(request):
        return Reply(200, {"Content-Length": str(len(DATA) + 1)}, DATA, close=True)

    with Recorder(answer) as server:
        async with client(server.url) as s3:
            body = await get(s3)
            with pytest.raises((IncompleteReadError, ResponseStreamingError)):
                await read(body)
            with anyio.fail_after(5):
                await (await get(s3)).aclose()


@pytest.mark.parametrize("read", [whole, by_amounts, by_chunks, into_a_buffer])
async def test_a_stalled_body_is_a_read_timeout(read):
    with serving(DATA, **ENDLESS) as server:
        async with client(server.url, read_timeout=0.2) as s3:
            body = await get(s3)
            with pytest.raises(ReadTimeoutError):
                await read(body)
            with anyio.fail_after(5):
                await (await get(s3)).aclose()


async def test_a_cancelled_read_gives_the_place_back():
    with serving(DATA, **ENDLESS) as server:
        async with client(server.url) as s3:
            body = await get(s3)
            with anyio.move_on_after(0.1) as scope:
                await body.read()
            assert scope.cancelled_caught
            with pytest.raises(ResponseStreamingError, match="closed"):
                await body.read()
            with anyio.fail_after(5):
                await (await get(s3)).aclose()


async def test_bodies_are_read_concurrently():
    with serving(DATA) as server:
        async with client(server.url, connections=5) as s3:
            bodies = [await get(s3) for _ in range(5)]
            taken = [b""] * 5

            async def read(number):
                while piece := await bodies[number].read(10_000):
                    taken[number] += piece
                    await anyio.sleep(0)

            async with anyio.create_task_group() as group:
                for number in range(5):
                    group.start_soon(read, number)
            assert taken == [DATA] * 5
        assert server.connections_opened == 5


async def test_a_checksum_that_does_not_fit_is_an_error():
    with serving(DATA, **{"x-amz-checksum-crc32": "AAAAAA=="}) as server:
        async with client(server.url) as s3:
            with pytest.raises(FlexibleChecksumError):
                await (await get(s3, ChecksumMode="ENABLED")).read()


def crc32(data):
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


@pytest.fixture
def checksum_threads(monkeypatch):
    """The threads that compute checksums of many bytes."""
    threads = set()

    class Watched(Crc32Checksum):
        def update(self, chunk):
            if len(chunk) > 256 * 1024:
                threads.add(threading.get_ident())
            super().update(chunk)

    monkeypatch.setitem(_CHECKSUM_CLS, "crc32", Watched)
    return threads


@pytest.mark.parametrize("read", [whole, by_big_chunks, into_a_big_buffer])
async def test_the_checksum_of_big_pieces_is_computed_in_worker_threads(read, checksum_threads):
    with serving(DATA, **{"x-amz-checksum-crc32": crc32(DATA)}) as server:
        async with client(server.url) as s3:
            assert await read(await get(s3)) == DATA
    assert checksum_threads
    assert threading.get_ident() not in checksum_threads


@pytest.mark.parametrize("read", [whole, by_amounts, by_big_chunks, into_a_big_buffer])
async def test_a_corrupted_body_is_an_error_however_it_is_read(read):
    with serving(DATA[:-1] + b"!", **{"x-amz-checksum-crc32": crc32(DATA)}) as server:
        async with client(server.url) as s3:
            with pytest.raises((FlexibleChecksumError, AssertionError)) as caught:
                await read(await get(s3))
            assert caught.type is FlexibleChecksumError


@pytest.mark.parametrize("how", ["scope", "native"])
async def test_cancelled_at_any_await_a_read_loses_nothing_in_silence(how, anyio_backend_name):
    if how == "native" and anyio_backend_name != "asyncio":
        pytest.skip("only asyncio has Task.cancel")
    with serving(DATA, **{"x-amz-checksum-crc32": crc32(DATA)}) as server:
        async with client(server.url) as s3:
            for step in range(1, 100):
                body = await get(s3)
                taken = []

                async def read(body=body, taken=taken):
                    while piece := await body.read(290_000):
                        taken.append(piece)

                reached = await cancelled_at(step, read, how)
                with contextlib.suppress(ResponseStreamingError, FlexibleChecksumError):
                    taken.append(await body.read())
                    assert b"".join(taken) == DATA, step
                if not reached:
                    assert b"".join(taken) == DATA
                    assert step > 2
                    return
    raise AssertionError("the body never ended")


async def test_a_compressed_object_comes_as_it_is_stored():
    compressed = b"\x1f\x8b" + DATA
    with serving(compressed, **{"Content-Encoding": "gzip"}) as server:
        async with client(server.url) as s3:
            assert await (await get(s3)).read() == compressed


async def test_reads_of_nothing_and_of_all_that_is_left():
    with serving(DATA) as server:
        async with client(server.url) as s3:
            body = await get(s3)
            assert await body.read(0) == b""
            assert await body.read(5) == DATA[:5]
            assert body.readable()
            assert await body.read() == DATA[5:]
            assert not body.readable()
            assert await body.readinto(bytearray(3)) == 0
            assert isinstance(body, io.IOBase)

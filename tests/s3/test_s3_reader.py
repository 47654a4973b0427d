"""Objects read as they arrive, and handed to web responses; progress in loops and bars."""

import os

import anyio
import pytest
from boto3.exceptions import RetriesExceededError
from rich.progress import Progress
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

from asession import TransferConfig
from asession.s3 import open_object, rich_progress, tqdm_progress, watch_progress
from s3.conftest import session_at
from s3.stored import MIB, idle, same
from servers import faults
from servers.objects import ObjectServer, stored
from servers.seaweedfs import Seaweed

pytestmark = pytest.mark.anyio

DATA = os.urandom(3 * MIB + 7)


async def test_an_object_is_read_as_it_arrives(s3, bucket):
    await s3.put_object(Bucket=bucket, Key="k", Body=DATA, ContentType="text/x")
    async with open_object(s3, bucket, "k") as reader:
        assert (reader.size, reader.response["ContentType"]) == (len(DATA), "text/x")
        chunks = [chunk async for chunk in reader]
    assert same(b"".join(chunks), DATA)
    assert max(map(len, chunks)) <= 256 * 1024
    async with open_object(s3, bucket, "k") as reader:
        first = await anext(reader)
        assert same(first + await reader.read(), DATA)
    async with open_object(s3, bucket, "k") as reader:
        await anext(reader)  # and no more
    assert idle(s3)


async def test_a_broken_connection_is_taken_up_where_it_broke():
    with ObjectServer({"GetObject": [faults.truncate, faults.reset_after_headers]}) as server:
        server.store.objects["/bucket/k"] = stored(DATA)
        async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:
            async with open_object(s3, "bucket", "k") as reader:
                assert same(await reader.read(), DATA)
            assert server.store.asked["GetObject"] == 3
            assert idle(s3)


async def test_a_connection_that_breaks_for_ever_is_given_up():
    with ObjectServer({"GetObject": [faults.reset_after_headers] * 9}) as server:
        server.store.objects["/bucket/k"] = stored(DATA)
        async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:
            config = TransferConfig(num_download_attempts=2)
            async with open_object(s3, "bucket", "k", config=config) as reader:
                with pytest.raises(RetriesExceededError, match="broke off 2 times"):
                    await reader.read()
            assert server.store.asked["GetObject"] == 2


def application(session):
    """What the how-to shows."""

    async def video(request):
        async def respond(scope, receive, send):
            async with session.client("s3") as s3, open_object(s3, "bucket", "k") as reader:
                headers = {"Content-Length": str(reader.size)}
                response = StreamingResponse(reader, headers=headers)
                await response(scope, receive, send)

        return respond

    return Starlette(routes=[Route("/", video)])


def http(path):
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [],
    }


async def test_a_web_response_keeps_client_and_connection_until_it_is_sent():
    with ObjectServer() as server:
        server.store.objects["/bucket/k"] = stored(DATA)
        async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:
            sent = []

            async def send(message):
                await anyio.sleep(0)
                sent.append(message)

            await application(session)(http("/"), anyio.sleep_forever, send)
            assert sent[0]["status"] == 200
            body = b"".join(message.get("body", b"") for message in sent[1:])
            assert same(body, DATA)
            assert idle(s3)


async def test_a_web_client_that_leaves_frees_the_connection():
    with ObjectServer() as server:
        server.store.objects["/bucket/k"] = stored(DATA)
        async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:
            sent = 0

            async def send(message):
                nonlocal sent
                sent += 1
                if sent == 3:
                    raise OSError("the browser left")

            with pytest.raises(Exception):  # noqa: B017, PT011 - whatever Starlette makes of it
                await application(session)(http("/"), anyio.sleep_forever, send)
            assert idle(s3)


async def test_progress_is_a_loop(s3, bucket):
    async with watch_progress(
        lambda callback: s3.upload_fileobj(DATA, bucket, "k", Callback=callback)
    ) as progress:
        steps = [done async for done in progress]
    assert steps == sorted(set(steps))
    assert steps[-1] == len(DATA)


async def test_the_block_may_end_before_the_transfer(s3, bucket):
    async with watch_progress(
        lambda callback: s3.upload_fileobj(DATA, bucket, "k", Callback=callback)
    ) as progress:
        pass
    assert progress.total == len(DATA)


async def test_errors_of_the_transfer_and_of_the_block_are_raised_by_themselves(s3, bucket):
    with pytest.raises(s3.exceptions.NoSuchKey):
        async with watch_progress(
            lambda callback: s3.download_file(bucket, "no", "/nowhere/x", Callback=callback)
        ) as progress:
            assert [step async for step in progress] == []
    with pytest.raises(RuntimeError, match="mine"):
        async with watch_progress(lambda callback: anyio.sleep_forever()):
            raise RuntimeError("mine")


async def test_bars_of_rich_and_tqdm_are_moved(s3, bucket):
    class Bar:
        n = 0

        def update(self, count):
            self.n += count

    bar, progress = Bar(), Progress(disable=True)
    task = progress.add_task("up", total=len(DATA))
    for callback in (tqdm_progress(bar), rich_progress(progress, task)):
        await s3.upload_fileobj(DATA, bucket, "k", Callback=callback)
    assert bar.n == len(DATA)
    assert progress.tasks[0].completed == len(DATA)
    assert progress.finished

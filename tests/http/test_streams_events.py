"""Event streams of S3, Kinesis and Bedrock: iterated, ended, broken, abandoned."""

import gc
import json
import warnings

import anyio
import pytest
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import EventStreamError, ReadTimeoutError, ResponseStreamingError

from asession import Config, Session
from event_frames import error, event, exception, frame
from servers.recorder import Recorder, Reply

pytestmark = pytest.mark.anyio

RECORDS = [b"a,1\n", b"b,2\n" * 1000, b"c,3\n" * 50_000]


def records(payload):
    return event("Records", payload, "application/octet-stream")


SELECT = {
    "Bucket": "b",
    "Key": "k",
    "Expression": "SELECT * FROM s3object",
    "ExpressionType": "SQL",
    "InputSerialization": {"CSV": {}},
    "OutputSerialization": {"CSV": {}},
}
STATS = b"<Stats><BytesScanned>7</BytesScanned></Stats>"
WHOLE = b"".join(
    [*map(records, RECORDS), event("Cont"), event("Stats", STATS, "text/xml"), event("End")]
)


def client(url, service, **config):
    session = Session("AKID", "secret", region_name="us-east-1", environ={})
    return session.client(
        service, endpoint_url=url, config=Config(max_pool_connections=1, **config)
    )


def serving(body, **more):
    return Recorder(lambda request: Reply(200, more, body))


async def select(s3):
    return (await s3.select_object_content(**SELECT))["Payload"]


async def until(condition):
    with anyio.fail_after(5):
        while not condition():
            await anyio.sleep(0.01)


async def test_the_events_of_a_select_come_in_order():
    with serving(WHOLE) as server:
        async with client(server.url, "s3") as s3:
            events = [one async for one in await select(s3)]
    assert [one["Records"]["Payload"] for one in events[:3]] == RECORDS
    assert events[-2] == {"Stats": {"Details": {"BytesScanned": 7}}}
    assert events[-1] == {"End": {}}


async def test_anext_and_async_with_work_too():
    with serving(WHOLE) as server:
        async with client(server.url, "s3") as s3:
            async with await select(s3) as events:
                assert (await anext(events))["Records"]["Payload"] == RECORDS[0]
                assert len([one async for one in events]) == 5
            with pytest.raises(StopAsyncIteration):
                await anext(events)


async def test_the_chunks_of_a_model_come_in_order():
    parts = [json.dumps({"bytes": "eA=="}).encode(), json.dumps({"bytes": "eQ=="}).encode()]
    body = b"".join(event("chunk", part) for part in parts)
    with serving(body, **{"Content-Type": "application/vnd.amazon.eventstream"}) as server:
        async with client(server.url, "bedrock-runtime") as bedrock:
            response = await bedrock.invoke_model_with_response_stream(modelId="m", body=b"{}")
            assert [one["chunk"]["bytes"] async for one in response["body"]] == [b"x", b"y"]


SUBSCRIBE = {
    "ConsumerARN": "arn:aws:kinesis:us-east-1:123456789012:stream/s/consumer/c:1",
    "ShardId": "shardId-000000000000",
    "StartingPosition": {"Type": "LATEST"},
}
INITIAL = event("initial-response", b"{}")
SHARD = event(
    "SubscribeToShardEvent",
    json.dumps(
        {
            "Records": [{"SequenceNumber": "1", "Data": "eA==", "PartitionKey": "p"}],
            "ContinuationSequenceNumber": "1",
            "MillisBehindLatest": 0,
        }
    ).encode(),
)


async def test_a_subscription_begins_with_its_initial_response():
    with serving(INITIAL + SHARD + SHARD) as server:
        async with client(server.url, "kinesis") as kinesis:
            response = await kinesis.subscribe_to_shard(**SUBSCRIBE)
            events = [one async for one in response["EventStream"]]
    assert [one["SubscribeToShardEvent"]["Records"][0]["Data"] for one in events] == [b"x"] * 2


async def test_an_exception_at_the_beginning_is_told():
    refused = exception("ResourceInUseException", "another consumer")
    with serving(refused) as server:
        async with client(server.url, "kinesis") as kinesis:
            with pytest.raises(EventStreamError, match="another consumer"):
                await kinesis.subscribe_to_shard(**SUBSCRIBE)
            await until(lambda: server.connections_open == 0 or _idle(kinesis))
            await again(server, kinesis)


def _idle(kinesis):
    return kinesis._endpoint.http_session._transport.counters().idle == 1


async def again(server, kinesis):
    """The pool of one connection has room for another request."""
    with anyio.fail_after(5), pytest.raises(EventStreamError):
        await kinesis.subscribe_to_shard(**SUBSCRIBE)


async def test_an_error_between_events_ends_the_stream():
    body = records(b"x") + error("InternalError", "it broke") + records(b"never")
    with serving(body) as server:
        async with client(server.url, "s3") as s3:
            events = await select(s3)
            assert (await anext(events))["Records"]["Payload"] == b"x"
            with pytest.raises(EventStreamError, match="it broke") as caught:
                await anext(events)
            assert caught.value.response["Error"]["Code"] == "InternalError"
            with pytest.raises(StopAsyncIteration):
                await anext(events)
            with anyio.fail_after(5):
                await select(s3)


async def test_an_exception_between_events_ends_the_stream():
    chunk = event("chunk", json.dumps({"bytes": "eA=="}).encode())
    with serving(chunk + exception("throttlingException", "too fast") + chunk) as server:
        async with client(server.url, "bedrock-runtime") as bedrock:
            response = await bedrock.invoke_model_with_response_stream(modelId="m", body=b"{}")
            events = response["body"]
            assert await anext(events) == {"chunk": {"bytes": b"x"}}
            with pytest.raises(EventStreamError, match="too fast") as caught:
                await anext(events)
            assert caught.value.response["Error"]["Code"] == "throttlingException"
            assert [one async for one in events] == []


async def test_a_stream_that_breaks_off_is_an_error():
    with serving(WHOLE[:-5]) as server:
        async with client(server.url, "s3") as s3:
            events = await select(s3)
            with pytest.raises(ResponseStreamingError, match="middle of an event"):
                async for _ in events:
                    pass


async def test_a_connection_that_breaks_off_is_an_error():
    body = WHOLE[: len(WHOLE) // 2]
    with serving(body, **{"Content-Length": str(len(WHOLE))}, Connection="close") as server:
        async with client(server.url, "s3", read_timeout=1) as s3:
            events = await select(s3)
            with pytest.raises((ResponseStreamingError, ReadTimeoutError)):
                async for _ in events:
                    pass


async def test_a_corrupt_message_is_an_error():
    corrupt = bytearray(WHOLE)
    corrupt[len(records(RECORDS[0])) + 200] ^= 1
    with serving(bytes(corrupt)) as server:
        async with client(server.url, "s3") as s3:
            events = await select(s3)
            await anext(events)
            with pytest.raises(ChecksumMismatch):
                await anext(events)
            with anyio.fail_after(5):
                await select(s3)


async def test_a_message_without_an_event_is_passed_over():
    unknown = frame({":message-type": "event", ":event-type": "Novelty"}, b"?")
    with serving(unknown + event("End")) as server:
        async with client(server.url, "s3") as s3:
            assert [one async for one in await select(s3)][-1] == {"End": {}}


ENDLESS = {"Content-Length": str(10 * len(WHOLE))}


@pytest.mark.parametrize("how", ["aclose", "close", "with"])
async def test_a_stream_closed_early_leaves_nothing_open(how):
    with serving(WHOLE, **ENDLESS) as server:
        async with client(server.url, "s3") as s3:
            for _ in range(3):
                with anyio.fail_after(5):
                    events = await select(s3)
                    await anext(events)
                    if how == "aclose":
                        await events.aclose()
                        await events.aclose()
                    elif how == "close":
                        events.close()
                        events.close()
                    else:
                        async with events:
                            pass
                with pytest.raises(StopAsyncIteration):
                    await anext(events)
            if how != "close":  # sync code ends the connection at the next request
                await until(lambda: server.connections_open == 0)
        await until(lambda: server.connections_open == 0)


async def test_a_dropped_stream_warns_and_gives_its_connection_back():
    with serving(WHOLE, **ENDLESS) as server:
        async with client(server.url, "s3") as s3:
            events = await select(s3)
            await anext(events)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                del events
                gc.collect()
            assert [one.category for one in caught] == [ResourceWarning]
            with anyio.fail_after(5):
                events = await select(s3)
                await events.aclose()


async def test_a_silent_stream_is_a_read_timeout():
    with serving(WHOLE, **ENDLESS) as server:
        async with client(server.url, "s3", read_timeout=0.2) as s3:
            events = await select(s3)
            with pytest.raises(ReadTimeoutError):
                async for _ in events:
                    pass


async def test_a_cancelled_reader_leaves_nothing_open():
    with serving(WHOLE, **ENDLESS) as server:
        async with client(server.url, "s3") as s3:
            with anyio.move_on_after(0.3):
                async with await select(s3) as events:
                    async for _ in events:
                        pass
            await until(lambda: server.connections_open == 0)
            with anyio.fail_after(5):
                await (await select(s3)).aclose()


async def test_the_repr_tells_the_state():
    with serving(WHOLE) as server:
        async with client(server.url, "s3") as s3:
            events = await select(s3)
            assert repr(events) == "<EventStream of SelectObjectContent, open>"
            await events.aclose()
            assert repr(events) == "<EventStream of SelectObjectContent, closed>"

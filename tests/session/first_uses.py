"""A process that uses everything once and tells which files the thread of its loop touches.

`python first_uses.py BACKEND` prints, as one line of JSON, what `main` saw by kind of use; the
tests' directory is on its path.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from botocore.exceptions import ClientError

from asession import Session
from event_frames import event
from servers.answers import AwsAnswers
from servers.recorder import RecordedRequest, Recorder, Reply
from watch import FileWatch

OBJECT = {"Bucket": "bucket", "Key": "key"}
SELECTION = {
    **OBJECT,
    "Expression": "select 1",
    "ExpressionType": "SQL",
    "InputSerialization": {"CSV": {}},
    "OutputSerialization": {"CSV": {}},
}
ERROR = b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>"
CBOR = {"smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor"}


class Answers:
    """S3's of streams and errors, any service's of CBOR, and those of `AwsAnswers`."""

    def __init__(self) -> None:
        self._others = AwsAnswers()

    def __call__(self, request: RecordedRequest) -> Reply:
        """The answer to one request."""
        if "smithy-protocol" in request.headers:
            return Reply(200, CBOR, b"\xa0")
        if "select" in request.target:
            return Reply(200, {}, event("End"))
        if request.method == "GET" and request.path == "/bucket/key":
            return Reply(404, {"content-type": "application/xml"}, ERROR)
        return self._others(request)


async def main() -> dict[str, dict[str, Any]]:
    """What was seen at each use: how many files on any thread, and which on the loop's."""
    found: dict[str, dict[str, Any]] = {}

    async def note(use: str, work: Callable[[], Awaitable[Any]]) -> Any:
        with FileWatch() as watch:
            try:
                result = await work()
            except ClientError as error:
                result = error.response["Error"]["Code"]
        on_loop = [str(event) for event in watch.on_thread(threading.get_ident())]
        found[use] = {"anything": len(watch.events), "on_loop": on_loop, "result": str(result)}
        return result

    def at_once(function: Callable[[], Any]) -> Callable[[], Awaitable[Any]]:
        async def call() -> Any:
            return function()

        return call

    async def select() -> list[Any]:
        answer = await s3.select_object_content(**SELECTION)
        return [list(received) async for received in answer["Payload"]]

    with Recorder(Answers()) as aws:
        session = Session("AKIAX", "s", region_name="us-east-1", endpoint_url=aws.url)
        async with session:
            s3 = await note("client", lambda: _open(session, "s3"))
            await note("call", s3.list_buckets)
            await note("error", lambda: s3.get_object(**OBJECT))
            await note("error class", at_once(lambda: s3.exceptions.NoSuchKey))
            await note("presigned", lambda: s3.generate_presigned_url("get_object", OBJECT))
            await note("paginator", at_once(lambda: s3.get_paginator("list_objects_v2")))
            await note("waiter", at_once(lambda: s3.get_waiter("bucket_exists")))
            await note("event stream", select)
            cbor = await note("client of CBOR", lambda: _open(session, "eventbridgev2"))
            await note("CBOR", cbor.list_event_buses)
            await note("resource", lambda: _open(session, "dynamodb", "resource"))
            await note("services", session.get_available_services)
            await note("resources", session.get_available_resources)
            await note("partitions", session.get_available_partitions)
            await note("regions", lambda: session.get_available_regions("sqs"))
    return found


async def _open(session: Session, service: str, kind: str = "client") -> Any:
    return await getattr(session, kind)(service)


if __name__ == "__main__":
    print(json.dumps(anyio.run(main, backend=sys.argv[1])))

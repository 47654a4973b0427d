"""A DynamoDB that leaves batches half done: throttles, refuses items, answers late."""

from __future__ import annotations

import json
import random
import zlib
from dataclasses import replace
from typing import Any

from servers.messages import RecordedRequest, Reply
from servers.recorder import Recorder

BATCHES = ("BatchWriteItem", "BatchGetItem")


def error(code: str, message: str = "from the test", status: int = 400) -> Reply:
    """An error as DynamoDB gives it."""
    kind = f"com.amazonaws.dynamodb.v20120810#{code}"
    body = json.dumps({"__type": kind, "message": message}).encode()
    return Reply(status, {"Content-Type": "application/x-amz-json-1.0"}, body)


class Leftovers(Recorder):
    """Forwards to a DynamoDB, and keeps a share of each batch from it; lives as its recorder does.

    Args:
        upstream: The DynamoDB.
        refused: The share of the items or keys of a batch that comes back unprocessed.
        throttled: The share of the batches that is answered with an error.
        delay: The longest wait before an answer, in seconds.
        seed: Of the random numbers.

    Attributes:
        left_out: How many items and keys came back unprocessed.
        throttles: How many batches were answered with an error.
    """

    def __init__(
        self,
        upstream: str,
        *,
        refused: float = 0.0,
        throttled: float = 0.0,
        delay: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__(upstream=upstream)
        self._chance = random.Random(seed)
        self._refused = refused
        self._throttled = throttled
        self._delay = delay
        self.left_out = 0
        self.throttles = 0

    async def _reply_to(self, request: RecordedRequest) -> Reply:
        if request.action not in BATCHES:
            return await super()._reply_to(request)
        delay = self._chance.random() * self._delay
        if self._chance.random() < self._throttled:
            self.throttles += 1
            return replace(error("ProvisionedThroughputExceededException"), delay=delay)
        taken, left = self._split(request.action, json.loads(request.body))
        body: dict[str, Any] = {"Responses": {}} if request.action == "BatchGetItem" else {}
        if taken["RequestItems"]:
            body = await self._forward(request, taken)
        body["UnprocessedItems" if request.action == "BatchWriteItem" else "UnprocessedKeys"] = left
        encoded = json.dumps(body).encode()
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "x-amz-crc32": str(zlib.crc32(encoded)),
        }
        return Reply(200, headers, encoded, delay=delay)

    async def _forward(self, request: RecordedRequest, parameters: Any) -> dict[str, Any]:
        body = json.dumps(parameters).encode()
        headers = tuple(
            (name, str(len(body)) if name.lower() == "content-length" else value)
            for name, value in request.raw_headers
        )
        reply = await super()._reply_to(replace(request, body=body, raw_headers=headers))
        assert reply.status == 200, reply.body
        answer: dict[str, Any] = json.loads(reply.body)
        return answer

    def _split(self, action: str, parameters: Any) -> tuple[Any, Any]:
        taken: dict[str, Any] = {}
        left: dict[str, Any] = {}
        for table, wanted in parameters["RequestItems"].items():
            entries = wanted["Keys"] if action == "BatchGetItem" else wanted
            halves: tuple[list[Any], list[Any]] = ([], [])
            for entry in entries:
                halves[self._chance.random() < self._refused].append(entry)
            self.left_out += len(halves[1])
            for part, half in zip((taken, left), halves, strict=True):
                if half:
                    part[table] = {**wanted, "Keys": half} if action == "BatchGetItem" else half
        return {**parameters, "RequestItems": taken}, left

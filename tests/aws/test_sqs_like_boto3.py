"""SQS, which speaks JSON and keeps the error codes of the query protocol, answers as with boto3."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import anyio.to_thread
import boto3
import pytest
from botocore.exceptions import ClientError

from asession import Session

pytestmark = pytest.mark.anyio

BODY = "h\u00e9llo <&> \u2028 \U0001f600"
ATTRIBUTES = {
    "text": {"DataType": "String", "StringValue": "x"},
    "bytes": {"DataType": "Binary", "BinaryValue": b"\0\xff"},
    "number": {"DataType": "Number.int", "StringValue": "7"},
}


@pytest.fixture(params=["moto", "ministack"])
def settings(request: pytest.FixtureRequest) -> dict[str, str]:
    return {
        "aws_access_key_id": "AKIDSQS",
        "aws_secret_access_key": "secret",
        "region_name": "us-east-1",
        "endpoint_url": request.getfixturevalue(f"{request.param}_url"),
    }


async def test_messages_arrive_as_they_were_sent(
    settings: dict[str, str], random_name: Callable[[], str]
) -> None:
    async with Session(**settings) as session:  # type: ignore[arg-type]
        sqs = await session.client("sqs")
        url = (await sqs.create_queue(QueueName=random_name()))["QueueUrl"]
        sent = await sqs.send_message(QueueUrl=url, MessageBody=BODY, MessageAttributes=ATTRIBUTES)
        assert sent["MD5OfMessageBody"] == hashlib.md5(BODY.encode()).hexdigest()
        answer = await sqs.receive_message(
            QueueUrl=url,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        [message] = answer["Messages"]
        assert message["Body"] == BODY
        assert message["MessageAttributes"] == ATTRIBUTES
        assert message["Attributes"] == {"ApproximateReceiveCount": "1"}
        assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
        await sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        assert "Messages" not in await sqs.receive_message(QueueUrl=url)


async def test_errors_are_those_of_boto3(
    settings: dict[str, str], random_name: Callable[[], str]
) -> None:
    async with Session(**settings) as session:  # type: ignore[arg-type]
        sqs = await session.client("sqs")
        url = (await sqs.create_queue(QueueName=random_name()))["QueueUrl"]
        calls: dict[str, dict[str, Any]] = {
            "get_queue_url": {"QueueName": "nope"},
            "send_message": {"QueueUrl": f"{url}x", "MessageBody": "x"},
            "delete_message": {"QueueUrl": url, "ReceiptHandle": "nope"},
            "change_message_visibility": {
                "QueueUrl": url,
                "ReceiptHandle": "nope",
                "VisibilityTimeout": 1,
            },
        }
        ours = {}
        for operation, arguments in calls.items():
            with pytest.raises(ClientError) as caught:
                await getattr(sqs, operation)(**arguments)
            ours[operation] = described(caught.value)
    assert ours == await anyio.to_thread.run_sync(with_boto3, settings, calls)
    assert not [each for each in ours.values() if each[0] == "ClientError"]


def described(error: ClientError) -> tuple[str, Any]:
    return type(error).__name__, error.response["Error"]


def with_boto3(settings: dict[str, Any], calls: dict[str, dict[str, Any]]) -> dict[str, Any]:
    sqs = boto3.client("sqs", **settings)
    found = {}
    for operation, arguments in calls.items():
        with pytest.raises(ClientError) as caught:
            getattr(sqs, operation)(**arguments)
        found[operation] = described(caught.value)
    sqs.close()
    return found

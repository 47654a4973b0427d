"""SQS worker: several consumers, a session per tenant, and an orderly end at SIGTERM.

Run it with ``python examples/sqs_worker.py [--backend trio]``, and with ``--endpoint-url URL`` or
``AWS_ENDPOINT_URL`` against a local server. It makes queues, fills one, works it off, and then
sends itself the signal with which ECS, Kubernetes and systemd stop a service.
"""

from __future__ import annotations

import argparse
import json
import secrets
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import anyio
from anyio.abc import TaskStatus

import asession
from asession import Session, use_session
from asession.exceptions import ClientError

CONSUMERS = 3  # polls at the same time
BATCH = 10  # messages of a poll, handled at the same time; at most 10
WAIT = 1  # seconds a poll waits for messages; up to 20, and less than what SIGTERM leaves
VISIBILITY = 30  # seconds for which a message is ours, extended while it is handled
GRACE = 20  # seconds for messages in hand after SIGTERM; ECS and Kubernetes give 30 for all

TENANTS = {
    name: {
        "region": region,
        "aws_access_key_id": f"AKIA{name.upper()}",
        "aws_secret_access_key": "secret",
    }
    for name, region in {"red": "us-east-1", "green": "eu-west-1", "blue": "ap-south-1"}.items()
}

Handler = Callable[[dict[str, Any]], Awaitable[None]]


async def work(sqs: Any, queue: str, handle: Handler) -> None:
    """Handle messages until SIGTERM or SIGINT; those in hand are brought to an end."""
    stop = anyio.Event()
    async with anyio.create_task_group() as tasks:
        await tasks.start(stop_at_signal, stop, tasks.cancel_scope)
        async with anyio.create_task_group() as consumers:
            for _ in range(CONSUMERS):
                consumers.start_soon(consume, sqs, queue, handle, stop)
        tasks.cancel_scope.cancel()  # nobody is left to be stopped


async def stop_at_signal(
    stop: anyio.Event,
    scope: anyio.CancelScope,
    *,
    task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for _ in signals:
            break
        stop.set()
        await anyio.sleep(GRACE)
        scope.cancel()


async def consume(sqs: Any, queue: str, handle: Handler, stop: anyio.Event) -> None:
    while not stop.is_set():
        # A poll is not cut short: what it brings would be hidden, and nobody's, for a while.
        answer = await sqs.receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=BATCH,
            WaitTimeSeconds=WAIT,
            VisibilityTimeout=VISIBILITY,
            MessageAttributeNames=["tenant"],
        )
        async with anyio.create_task_group() as tasks:
            for message in answer.get("Messages", []):
                name = give_back if stop.is_set() else process
                tasks.start_soon(name, sqs, queue, message, handle)


async def process(sqs: Any, queue: str, message: dict[str, Any], handle: Handler) -> None:
    """Handle a message; it is deleted if that succeeds, given back if it fails or is cancelled."""
    handled = False
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(keep, sqs, queue, message)
            await handle(message)
            handled = True
            tasks.cancel_scope.cancel()
    except* Exception as errors:
        for error in errors.exceptions:
            print("failed:", repr(error))
    finally:
        # Also when this task is cancelled: what is done is not done again by others.
        with anyio.move_on_after(5, shield=True):
            if handled:
                await sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            else:
                await give_back(sqs, queue, message)


async def keep(sqs: Any, queue: str, message: dict[str, Any]) -> None:
    """Keep a message hidden from others for as long as it is handled."""
    while True:
        await anyio.sleep(VISIBILITY / 2)
        await sqs.change_message_visibility(
            QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=VISIBILITY
        )


async def give_back(sqs: Any, queue: str, message: dict[str, Any], *_: Any) -> None:
    """Let others have a message at once."""
    with suppress(ClientError):  # it is not ours any more: others can have it already
        await sqs.change_message_visibility(
            QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )


async def greet(who: str) -> str:
    # Far below, nobody passes a session along: the client is that of the message's tenant.
    async with asession.client("sts") as sts:
        return f"{who}, you are {(await sts.get_caller_identity())['Arn']}"


async def main(endpoint_url: str | None = None) -> None:
    async with AsyncExitStack() as stack:
        # Entered once, used for many messages: they share connections and credentials.
        tenants = {
            name: await stack.enter_async_context(
                Session(profile_name=name, profiles=TENANTS, endpoint_url=endpoint_url)
            )
            for name in TENANTS
        }
        session = await stack.enter_async_context(Session(endpoint_url=endpoint_url))
        sqs = await session.client("sqs")
        queue, dead = await make_queues(sqs)
        stack.push_async_callback(sqs.delete_queue, QueueUrl=queue)
        stack.push_async_callback(sqs.delete_queue, QueueUrl=dead)
        await fill(sqs, queue)
        handled: Counter[str] = Counter()

        async def handle(message: dict[str, Any]) -> None:
            tenant = message["MessageAttributes"]["tenant"]["StringValue"]
            with use_session(tenants[tenant]):
                await greet(json.loads(message["Body"])["who"])
            handled[tenant] += 1

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stop_in_the_end, sqs, dead, handled)
            await work(sqs, queue, handle)

        for tenant, count in sorted(handled.items()):
            print(f"{tenant}: {count} handled")


async def make_queues(sqs: Any) -> tuple[str, str]:
    """A queue, and another for its messages that fail twice."""
    name = f"jobs-{secrets.token_hex(4)}"
    dead = (await sqs.create_queue(QueueName=f"{name}-dead"))["QueueUrl"]
    answer = await sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
    arn = answer["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "2"})
    attributes = {"RedrivePolicy": redrive}
    return (await sqs.create_queue(QueueName=name, Attributes=attributes))["QueueUrl"], dead


async def fill(sqs: Any, queue: str) -> None:
    """Twelve messages for the tenants, and a poisonous one."""
    bodies = [(tenant, json.dumps({"who": str(n)})) for n in range(4) for tenant in TENANTS]
    for tenant, body in [*bodies, ("red", "no JSON")]:
        attributes = {"tenant": {"DataType": "String", "StringValue": tenant}}
        await sqs.send_message(QueueUrl=queue, MessageBody=body, MessageAttributes=attributes)


async def stop_in_the_end(sqs: Any, dead: str, handled: Counter[str]) -> None:
    """Send the signal when all is handled but for what cannot be."""
    name = "ApproximateNumberOfMessages"
    while True:
        answer = await sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=[name])
        if handled.total() == 12 and answer["Attributes"][name] == "1":
            break
        await anyio.sleep(0.05)
    print("dead letters: 1")
    signal.raise_signal(signal.SIGTERM)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint-url")
    parser.add_argument("--backend", default="asyncio", choices=["asyncio", "trio"])
    given = parser.parse_args()
    anyio.run(main, given.endpoint_url, backend=given.backend)

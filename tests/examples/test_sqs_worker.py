"""The SQS worker keeps its promises: nothing lost, nothing handled twice, an orderly end."""

from __future__ import annotations

import importlib.util
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from asession import Session

pytestmark = pytest.mark.anyio

EXAMPLE = Path(__file__).parents[2] / "examples" / "sqs_worker.py"
ATTRIBUTES = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


@pytest.fixture
def worker() -> Any:
    spec = importlib.util.spec_from_file_location("example_sqs_worker", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
async def sqs(moto_url: str) -> AsyncIterator[Any]:
    async with Session("AKIDSQS", "secret", region_name="us-east-1", endpoint_url=moto_url) as it:
        yield await it.client("sqs")


@pytest.fixture
async def queue(sqs: Any, random_name: Callable[[], str]) -> str:
    return str((await sqs.create_queue(QueueName=random_name()))["QueueUrl"])


def stop() -> None:
    signal.raise_signal(signal.SIGTERM)


async def counts(sqs: Any, queue: str) -> list[int]:
    """Messages that are visible, hidden, delayed."""
    answer = await sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=list(ATTRIBUTES))
    return [int(answer["Attributes"][name]) for name in ATTRIBUTES]


async def test_a_message_that_takes_longer_than_its_visibility_is_handled_once(
    worker: Any, sqs: Any, queue: str
) -> None:
    worker.VISIBILITY = 1
    await sqs.send_message(QueueUrl=queue, MessageBody="long")
    handled = []

    async def handle(message: dict[str, Any]) -> None:
        handled.append(message["Body"])
        await anyio.sleep(2.5)
        stop()

    await worker.work(sqs, queue, handle)
    assert handled == ["long"]
    assert await counts(sqs, queue) == [0, 0, 0]


async def test_messages_in_hand_are_brought_to_an_end_after_the_signal(
    worker: Any, sqs: Any, queue: str
) -> None:
    for n in range(5):
        await sqs.send_message(QueueUrl=queue, MessageBody=str(n))
    begun, ended = [], []

    async def handle(message: dict[str, Any]) -> None:
        begun.append(message["Body"])
        if len(begun) == 5:
            stop()
        await anyio.sleep(0.3)
        ended.append(message["Body"])

    await worker.work(sqs, queue, handle)
    assert sorted(ended) == sorted(begun) == list("01234")
    assert await counts(sqs, queue) == [0, 0, 0]


async def test_messages_that_do_not_end_in_time_are_given_back_at_once(
    worker: Any, sqs: Any, queue: str
) -> None:
    worker.GRACE = 0.1
    await sqs.send_message(QueueUrl=queue, MessageBody="endless")

    async def handle(message: dict[str, Any]) -> None:
        stop()
        await anyio.sleep_forever()

    with anyio.fail_after(20):
        await worker.work(sqs, queue, handle)
    assert await counts(sqs, queue) == [1, 0, 0]


async def test_a_message_that_was_handled_is_deleted_even_when_time_is_up(
    worker: Any, sqs: Any, queue: str
) -> None:
    worker.GRACE = 0
    await sqs.send_message(QueueUrl=queue, MessageBody="done")

    async def handle(message: dict[str, Any]) -> None:
        stop()
        with anyio.CancelScope(shield=True):
            await anyio.sleep(0.3)  # past the end of everybody's time

    await worker.work(sqs, queue, handle)
    assert await counts(sqs, queue) == [0, 0, 0]


async def test_what_the_last_poll_brings_is_given_back_unhandled(
    worker: Any, sqs: Any, queue: str
) -> None:
    await sqs.send_message(QueueUrl=queue, MessageBody="first")
    handled: list[str] = []
    begun = anyio.Event()

    async def handle(message: dict[str, Any]) -> None:
        handled.append(message["Body"])
        begun.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(worker.work, sqs, queue, handle)
        await begun.wait()
        await anyio.sleep(0.1)  # the next polls are under way
        stop()
        await anyio.sleep(0.1)
        await sqs.send_message(QueueUrl=queue, MessageBody="late")
    assert handled == ["first"]
    assert await counts(sqs, queue) == [1, 0, 0]


async def test_handling_stops_when_the_message_is_not_ours_any_more(
    worker: Any, sqs: Any, queue: str, capsys: pytest.CaptureFixture[str]
) -> None:
    worker.VISIBILITY = 1
    await sqs.send_message(QueueUrl=queue, MessageBody="taken")
    outcomes = []

    async def handle(message: dict[str, Any]) -> None:
        await sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        try:
            await anyio.sleep_forever()
        except BaseException as error:
            outcomes.append(error)
            stop()
            raise

    with anyio.fail_after(20):
        await worker.work(sqs, queue, handle)
    assert len(outcomes) == 1
    assert isinstance(outcomes[0], anyio.get_cancelled_exc_class())
    assert "failed: " in capsys.readouterr().out

"""Ways to leave the block of a `batch_writer`, and what becomes of the writes."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

import anyio
import pytest

from asession.dynamodb import Backoff
from dynamodb.conftest import OpenTable, items_of, slices
from servers.leftovers import Leftovers
from servers.messages import RecordedRequest, Reply
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio

QUICK = Backoff(base=0.001, cap=0.01)


async def put_and_fail(batch: Any) -> None:
    async with batch:
        await batch.put_item(Item={"id": "a"})
        raise LookupError("of the body")


async def test_nothing_is_sent_after_an_exception(
    open_table: OpenTable, ministack_url: str
) -> None:
    with Recorder(upstream=ministack_url) as recorder:
        async with open_table(recorder.url) as table:
            batch = table.batch_writer()
            with pytest.raises(LookupError, match="of the body") as caught:
                await put_and_fail(batch)
            assert slices(recorder) == []
            assert batch.unwritten == ({"PutRequest": {"Item": {"id": "a"}}},)
            [note] = caught.value.__notes__
            assert "1 of the writes" in note
            assert table.name in note


async def test_what_is_left_is_sent_after_an_exception_if_asked_for(open_table: OpenTable) -> None:
    async with open_table() as table:
        with pytest.raises(LookupError, match="of the body") as caught:
            await put_and_fail(table.batch_writer(flush_on_error=True))
        assert list(await items_of(table)) == ["a"]
        assert not hasattr(caught.value, "__notes__")


async def test_an_exception_of_the_body_wins_over_one_of_the_last_writes(
    open_table: OpenTable,
) -> None:
    async with open_table() as table:
        gone = type(table)(f"{table.name}-gone", client=table.meta.client)
        with pytest.raises(LookupError, match="of the body") as caught:
            await put_and_fail(batch := gone.batch_writer(flush_on_error=True))
        assert batch.unwritten == ({"PutRequest": {"Item": {"id": "a"}}},)
        assert any("ResourceNotFoundException" in note for note in caught.value.__notes__)


async def test_a_cancelled_block_sends_nothing_more_and_ends_at_once(
    open_table: OpenTable, ministack_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    def stall(request: RecordedRequest) -> Reply | None:
        return Reply(delay=60) if request.action == "BatchWriteItem" else None

    with Recorder(stall, upstream=ministack_url) as recorder:
        async with open_table(recorder.url) as table:
            with caplog.at_level(logging.WARNING, "asession.dynamodb"):
                with anyio.CancelScope() as scope:
                    async with table.batch_writer() as batch:
                        async with anyio.create_task_group() as tasks:
                            for number in range(24):
                                await batch.put_item(Item={"id": f"i{number}"})
                            tasks.start_soon(batch.put_item, {"id": "i24"})
                            while not slices(recorder):
                                await anyio.sleep(0.01)
                            scope.cancel()
            assert scope.cancelled_caught
            assert len(batch.unwritten) == 25
            assert len(slices(recorder)) == 1
            [record] = [found for found in caplog.records if found.name == "asession.dynamodb"]
            assert "25 of the writes" in record.getMessage()


async def test_flushing_on_error_does_not_hold_a_cancellation_up_for_long(
    open_table: OpenTable, ministack_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stalled = anyio.Event()

    async def stall(**_kwargs: Any) -> None:
        stalled.set()
        await anyio.sleep_forever()

    monkeypatch.setattr("asession.dynamodb.writer.FLUSH_TIMEOUT", 0.1)
    async with open_table() as table:
        with anyio.CancelScope() as scope:
            async with table.batch_writer(flush_on_error=True) as batch:
                await batch.put_item(Item={"id": "a"})
                scope.cancel()
                await anyio.sleep_forever()
        assert scope.cancelled_caught
        assert list(await items_of(table)) == ["a"]
        table.meta.client.meta.events.register("before-call.dynamodb.BatchWriteItem", stall)
        with anyio.CancelScope() as scope:
            async with table.batch_writer(flush_on_error=True) as batch:
                await batch.put_item(Item={"id": "b"})
                scope.cancel()
                await anyio.sleep_forever()
        assert stalled.is_set()
        assert batch.unwritten == ({"PutRequest": {"Item": {"id": "b"}}},)


async def test_a_cancelled_call_loses_nothing_while_the_block_goes_on(
    open_table: OpenTable, ministack_url: str
) -> None:
    stalls = 1

    def stall(request: RecordedRequest) -> Reply | None:
        nonlocal stalls
        if request.action == "BatchWriteItem" and stalls:
            stalls -= 1
            return Reply(delay=60)
        return None

    with Recorder(stall, upstream=ministack_url) as recorder:
        async with open_table(recorder.url) as table:
            async with table.batch_writer(["id"]) as batch:
                for number in range(24):
                    await batch.put_item(Item={"id": f"i{number}"})
                with anyio.CancelScope() as scope:
                    async with anyio.create_task_group() as tasks:
                        tasks.start_soon(batch.put_item, {"id": "i24"})
                        while not slices(recorder):
                            await anyio.sleep(0.01)
                        scope.cancel()
                assert len(batch.unwritten) == 25
                await batch.put_item(Item={"id": "i25"})
                assert len(batch.unwritten) == 1
            assert len(await items_of(table)) == 26


async def test_who_waits_for_a_turn_sends_nothing_after_an_exception(
    open_table: OpenTable, ministack_url: str
) -> None:
    arrived, release = anyio.Event(), anyio.Event()

    async def hold(**_kwargs: Any) -> None:
        arrived.set()
        await release.wait()

    with Recorder(upstream=ministack_url) as recorder:
        async with open_table(recorder.url) as table:
            table.meta.client.meta.events.register("before-call.dynamodb.BatchWriteItem", hold)
            batch = table.batch_writer()

            async def put(task: int) -> None:
                # Whoever fills a slice while another one is sent waits for its turn, and puts no
                # more meanwhile; after the block, nothing can be put.
                with suppress(RuntimeError):
                    for number in range(25):
                        await batch.put_item(Item={"id": f"{task}-{number}"})

            async def fail() -> None:
                async with batch:
                    for task in range(2):
                        tasks.start_soon(put, task)
                    await arrived.wait()
                    await anyio.wait_all_tasks_blocked()
                    raise LookupError("of the body")

            async with anyio.create_task_group() as tasks:
                with pytest.raises(LookupError, match="of the body"):
                    await fail()
                left = len(batch.unwritten)
                assert left > 25
                release.set()
            assert [len(writes) for writes in slices(recorder)] == [25]
            assert len(batch.unwritten) == left - 25
            assert len(await items_of(table)) == 25


async def test_the_end_of_the_block_waits_for_what_other_tasks_send(
    open_table: OpenTable, ministack_url: str
) -> None:
    with Leftovers(ministack_url, refused=0.3, delay=0.1) as leftovers:
        async with open_table(leftovers.url) as table:
            async with anyio.create_task_group() as tasks:
                async with table.batch_writer(["id"], backoff=QUICK) as batch:
                    for number in range(24):
                        await batch.put_item(Item={"id": f"i{number}"})
                    tasks.start_soon(batch.put_item, {"id": "i24"})
                    while not slices(leftovers):
                        await anyio.sleep(0)
                assert batch.unwritten == ()
                assert len(await items_of(table)) == 25


async def test_the_end_of_the_block_can_be_cancelled(
    open_table: OpenTable, ministack_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    def stall(request: RecordedRequest) -> Reply | None:
        return Reply(delay=60) if request.action == "BatchWriteItem" else None

    with Recorder(stall, upstream=ministack_url) as recorder:
        async with open_table(recorder.url) as table:
            batch = table.batch_writer()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(put_one, batch)
                while not slices(recorder):
                    await anyio.sleep(0.01)
                tasks.cancel_scope.cancel()
            assert batch.unwritten == ({"PutRequest": {"Item": {"id": "a"}}},)
            assert "1 of the writes" in caplog.text


async def put_one(writer: Any) -> None:
    async with writer as batch:
        await batch.put_item(Item={"id": "a"})

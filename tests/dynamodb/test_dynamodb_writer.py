"""`batch_writer` against a server: slices, retries, failures, and ways to leave the block."""

from __future__ import annotations

import pickle
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import anyio
import pytest

from asession.dynamodb import Backoff, Binary
from asession.exceptions import AsessionError, BatchWriteError, ClientError
from dynamodb.conftest import OpenTable, items_of, refuse, slices
from servers.leftovers import Leftovers, error
from servers.messages import RecordedRequest, Reply
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio

QUICK = Backoff(base=0.001, cap=0.01)


async def put_all(batch: Any, count: int) -> None:
    for number in range(count):
        await batch.put_item(Item={"id": f"i{number}"})


async def put_cancelled(writer: Any, count: int) -> None:
    """Leave that many writes to the end of the block."""
    async with writer as batch:
        for number in range(count):
            # A call that is cancelled sends nothing, but its item is in the writer.
            with anyio.CancelScope() as scope:
                scope.cancel()
                await batch.put_item(Item={"id": f"i{number}"})
        assert len(batch.unwritten) == count


async def test_writes_are_sent_in_slices_of_25(open_table: OpenTable, ministack_url: str) -> None:
    with Recorder(upstream=ministack_url) as recorder:
        async with open_table(recorder.url) as table:
            async with table.batch_writer() as batch:
                for number in range(60):
                    await batch.put_item(Item={"id": f"i{number}", "number": number})
                    assert len(slices(recorder)) == (number + 1) // 25
                assert len(batch.unwritten) == 10
                assert "10 writes waiting, 0 being sent" in repr(batch)
            assert batch.unwritten == ()
            assert [len(writes) for writes in slices(recorder)] == [25, 25, 10]
            assert len(await items_of(table)) == 60
            async with table.batch_writer() as batch:
                for number in range(59):
                    await batch.delete_item(Key={"id": f"i{number}"})
            assert list(await items_of(table)) == ["i59"]


async def test_a_block_without_writes_sends_nothing(
    open_table: OpenTable, ministack_url: str
) -> None:
    with Recorder(upstream=ministack_url) as recorder:
        async with open_table(recorder.url) as table, table.batch_writer():
            pass
        assert slices(recorder) == []


async def test_values_of_every_type_arrive(open_table: OpenTable) -> None:
    item = {
        "id": "a",
        "number": Decimal("1.50"),
        "set": {"red", "blue"},
        "raw": Binary(b"\x00\x01"),
        "nested": {"list": [1, "two", None, True]},
    }
    async with open_table() as table:
        async with table.batch_writer() as batch:
            await batch.put_item(item)
        assert await items_of(table) == {"a": item}


async def test_containers_of_any_kind_are_taken_as_boto3_takes_them(open_table: OpenTable) -> None:
    tags = {"red": 1, "blue": 2}
    async with open_table() as table:
        async with table.batch_writer(["id"]) as batch:
            await batch.put_item({"id": "a", "map": MappingProxyType(tags), "set": tags.keys()})
        assert await items_of(table) == {"a": {"id": "a", "map": tags, "set": {"red", "blue"}}}


async def test_an_item_is_copied_when_it_is_put(open_table: OpenTable) -> None:
    async with open_table() as table:
        item: dict[str, Any] = {"tags": []}
        async with table.batch_writer() as batch:
            for number in range(3):
                item["id"] = f"i{number}"
                item["tags"].append(number)
                await batch.put_item(Item=item)
        assert {key: len(found["tags"]) for key, found in (await items_of(table)).items()} == {
            "i0": 1,
            "i1": 2,
            "i2": 3,
        }


async def test_the_last_of_several_writes_of_a_key_counts(open_table: OpenTable) -> None:
    async with open_table(sort_key=True) as table:
        async with table.batch_writer(overwrite_by_pkeys=["id", "line"]) as batch:
            for value in range(30):
                await batch.put_item(Item={"id": "a", "line": value % 3, "value": value})
            await batch.delete_item(Key={"id": "a", "line": Decimal("0.0")})
            assert len(batch.unwritten) == 3
        found = [(item["line"], item["value"]) async for item in table.scan_items()]
        assert sorted(found) == [(1, 28), (2, 29)]


async def test_what_is_left_undone_is_sent_again(open_table: OpenTable, ministack_url: str) -> None:
    with Leftovers(ministack_url, refused=0.4, throttled=0.2) as leftovers:
        async with open_table(leftovers.url) as table:
            for keys in (None, ["id"]):
                async with table.batch_writer(keys, backoff=QUICK) as batch:
                    for number in range(80):
                        await batch.put_item(Item={"id": f"i{number}", "keys": keys})
                found = await items_of(table)
                assert len(found) == 80
                assert all(item["keys"] == keys for item in found.values())
        assert leftovers.left_out
        assert leftovers.throttles


async def test_several_requests_are_under_way_at_once_where_keys_are_known(
    open_table: OpenTable, ministack_url: str
) -> None:
    open_now = most = 0

    async def before(**_kwargs: Any) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)

    async def after(**_kwargs: Any) -> None:
        nonlocal open_now
        open_now -= 1

    async with open_table(ministack_url) as table:
        events = table.meta.client.meta.events
        events.register("before-call.dynamodb.BatchWriteItem", before)
        events.register("after-call.dynamodb.BatchWriteItem", after)
        for arguments, expected in [
            ({"overwrite_by_pkeys": ["id"], "concurrency": 3}, 3),
            ({"concurrency": 2}, 2),
            ({}, 1),
        ]:
            most = 0
            async with table.batch_writer(**arguments) as batch:

                async def put(task: int, batch: Any = batch) -> None:
                    for number in range(30):
                        await batch.put_item(Item={"id": f"{task}-{number}"})

                async with anyio.create_task_group() as tasks:
                    for task in range(10):
                        tasks.start_soon(put, task)
            assert most == expected
            assert len(await items_of(table)) == 300


async def test_writes_that_are_refused_for_ever_are_in_the_exception(
    open_table: OpenTable, ministack_url: str
) -> None:
    with Recorder(lambda request: refuse(request, "bad"), upstream=ministack_url) as recorder:
        async with open_table(recorder.url) as table:
            backoff = Backoff(base=0, cap=0, attempts=3)
            with pytest.raises(BatchWriteError) as caught:
                async with table.batch_writer(backoff=backoff) as batch:
                    await batch.put_item(Item={"id": "bad", "secret": "s3cr3t"})
            assert len(slices(recorder)) == 3
            failed = caught.value
            assert failed.unwritten == (
                {"PutRequest": {"Item": {"id": "bad", "secret": "s3cr3t"}}},
            )
            assert failed.table_name == table.name
            assert failed.response["Error"]["Code"] == "UnprocessedItems"
            assert failed.operation_name == "BatchWriteItem"
            assert isinstance(failed, ClientError)
            assert isinstance(failed, AsessionError)
            assert "1 writes" in str(failed)
            assert "s3cr3t" not in str(failed)
            copy = pickle.loads(pickle.dumps(failed))
            assert (str(copy), copy.unwritten) == (str(failed), failed.unwritten)
            assert batch.unwritten == ()


@pytest.mark.parametrize("keys", [None, ["id"]])
async def test_a_slice_that_the_service_rejects_does_not_take_others_along(
    open_table: OpenTable, ministack_url: str, keys: list[str] | None
) -> None:
    def answer(request: RecordedRequest) -> Reply | None:
        if refuse(request, "i3") is None:
            return None
        return error("ValidationException", "the item i3 is no good")

    with Recorder(answer, upstream=ministack_url) as recorder:
        async with open_table(recorder.url) as table:
            async with table.batch_writer(keys) as batch:
                with pytest.raises(BatchWriteError, match="the item i3 is no good") as caught:
                    await put_all(batch, 40)
                assert len(caught.value.unwritten) == 25
                assert isinstance(caught.value.__cause__, ClientError)
                assert caught.value.response["Error"]["Code"] == "ValidationException"
                for number in range(40, 50):
                    await batch.put_item(Item={"id": f"i{number}"})
            assert set(await items_of(table)) == {f"i{number}" for number in range(40, 50)}


@pytest.mark.parametrize(("bad", "written"), [(["i3", "i30"], 0), (["i3"], 15)])
async def test_the_end_of_the_block_tries_every_slice_and_reports_what_failed(
    open_table: OpenTable, ministack_url: str, bad: list[str], written: int
) -> None:
    def answer(request: RecordedRequest) -> Reply | None:
        return refuse(request, *bad) and error("ValidationException", "no good")

    with Recorder(answer, upstream=ministack_url) as recorder:
        async with open_table(recorder.url) as table:
            with pytest.raises(BatchWriteError, match="no good") as caught:
                await put_cancelled(table.batch_writer(["id"]), 40)
            assert [len(writes) for writes in slices(recorder)] == [25, 15]
            assert len(caught.value.unwritten) == 40 - written
            assert isinstance(caught.value.__cause__, ClientError)
            assert len(await items_of(table)) == written


async def test_a_network_error_is_reported_with_the_writes(open_table: OpenTable) -> None:
    async with open_table() as table:
        async with table.batch_writer() as batch:

            async def fail(**_kwargs: Any) -> None:
                raise ConnectionError("the network is gone")

            table.meta.client.meta.events.register("before-send.dynamodb.BatchWriteItem", fail)
            with pytest.raises(BatchWriteError, match="the network is gone") as caught:
                await put_all(batch, 25)
            assert isinstance(caught.value.__cause__, ConnectionError)
            assert len(caught.value.unwritten) == 25


async def test_a_value_without_a_type_fails_where_it_is_put(open_table: OpenTable) -> None:
    async with open_table() as table:
        async with table.batch_writer() as batch:
            await batch.put_item(Item={"id": "good"})
            with pytest.raises(TypeError, match="Float types") as caught:
                await batch.put_item(Item={"id": "bad", "price": 1.5})
            assert any("'price'" in note for note in caught.value.__notes__)
            with pytest.raises(TypeError, match="takes mappings, not list"):
                await batch.put_item([])
        assert list(await items_of(table)) == ["good"]


async def test_an_item_without_the_named_key_fails_where_it_is_put(open_table: OpenTable) -> None:
    async with open_table() as table:
        async with table.batch_writer(["id"]) as batch:
            with pytest.raises(ValueError, match="no attribute 'id'"):
                await batch.put_item(Item={"Id": "a"})
            with pytest.raises(TypeError, match="key attribute 'id' is a list"):
                await batch.put_item(Item={"id": ["a"]})
            assert batch.unwritten == ()


async def test_a_writer_is_used_inside_its_block_and_once(open_table: OpenTable) -> None:
    async with open_table() as table:
        batch = table.batch_writer()
        with pytest.raises(RuntimeError, match="used inside its block"):
            await batch.put_item(Item={"id": "a"})
        async with batch:
            pass
        with pytest.raises(RuntimeError, match="has been left"):
            await batch.delete_item(Key={"id": "a"})
        with pytest.raises(RuntimeError, match="entered once"):
            async with batch:
                raise AssertionError("unreachable")


async def test_arguments_that_make_no_sense_are_refused(open_table: OpenTable) -> None:
    async with open_table() as table:
        with pytest.raises(TypeError, match="overwrite_by_pkeys='id' must be a list"):
            table.batch_writer("id")
        with pytest.raises(ValueError, match="concurrency=0"):
            table.batch_writer(concurrency=0)

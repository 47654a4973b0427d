"""`batch_get`, `query_items` and `scan_items` against a server."""

from __future__ import annotations

import gc
import json
import pickle
import warnings
from typing import Any

import anyio
import pytest

from asession.dynamodb import Attr, Backoff, Key, batch_get
from asession.exceptions import AsessionError, BatchGetError, ClientError
from dynamodb.conftest import OpenTable, new_table, session_at
from servers.leftovers import Leftovers, error
from servers.messages import RecordedRequest, Reply
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio

QUICK = Backoff(base=0.001, cap=0.01)


async def fill(table: Any, count: int, **more: Any) -> None:
    async with table.batch_writer() as batch:
        for number in range(count):
            await batch.put_item(Item={"id": f"i{number}", "number": number, **more})


def sizes(recorder: Recorder) -> list[int]:
    """How many keys each BatchGetItem asked for."""
    return [
        sum(len(table["Keys"]) for table in json.loads(request.body)["RequestItems"].values())
        for request in recorder.requests
        if request.action == "BatchGetItem"
    ]


async def test_keys_are_read_in_slices_of_100(open_table: OpenTable, ministack_url: str) -> None:
    with Recorder(upstream=ministack_url) as recorder:
        async with open_table(recorder.url) as table:
            await fill(table, 120)
            keys = ({"id": f"i{number}"} for number in range(130))
            found = {item["id"]: item["number"] async for item in table.batch_get(keys)}
            # Ten of them are not there.
            assert found == {f"i{number}": number for number in range(120)}
            assert sizes(recorder) == [100, 30]


async def test_a_key_given_twice_gives_one_item(open_table: OpenTable) -> None:
    async with open_table() as table:
        await fill(table, 2)
        keys = [{"id": "i0"}, {"id": "i1"}, {"id": "i0"}]
        assert sorted([item["id"] async for item in table.batch_get(keys)]) == ["i0", "i1"]
        assert [item async for item in table.batch_get([])] == []


async def test_parameters_of_the_request_go_with_the_keys(
    open_table: OpenTable, ministack_url: str
) -> None:
    with Recorder(upstream=ministack_url) as recorder:
        async with open_table(recorder.url) as table:
            await fill(table, 1)
            found = table.batch_get(
                [{"id": "i0"}],
                ConsistentRead=True,
                ProjectionExpression="#n",
                ExpressionAttributeNames={"#n": "number"},
            )
            assert [item async for item in found] == [{"number": 0}]
            [sent] = json.loads(recorder.requests[-1].body)["RequestItems"].values()
            assert sent["ConsistentRead"] is True


async def test_several_tables_are_read_at_once(ministack_url: str, random_name: Any) -> None:
    async with session_at(ministack_url) as session, session.resource("dynamodb") as dynamodb:
        one, other = [await new_table(dynamodb, random_name()) for _ in range(2)]
        await fill(one, 3)
        await fill(other, 2)
        wanted = {
            one.name: [{"id": "i1"}],
            other.name: {"Keys": [{"id": "i0"}, {"id": "i1"}], "ConsistentRead": True},
        }
        for source in (dynamodb, one, dynamodb.meta.client):
            found = [(table, item["id"]) async for table, item in batch_get(source, wanted)]
            assert sorted(found) == sorted(
                [(one.name, "i1"), (other.name, "i0"), (other.name, "i1")]
            )
        found = [(table, item["id"]) async for table, item in dynamodb.batch_get(wanted)]
        assert len(found) == 3


async def test_a_client_reads_with_dynamodbs_own_form_of_values(
    open_table: OpenTable, ministack_url: str
) -> None:
    async with open_table() as table, session_at(ministack_url) as session:
        await fill(table, 1)
        client = await session.client("dynamodb")
        keys = [{"id": {"S": "i0"}}, {"id": {"S": "i0"}}]
        found = [item async for item in batch_get(client, {table.name: keys})]
        assert found == [(table.name, {"id": {"S": "i0"}, "number": {"N": "0"}})]


async def test_keys_left_unread_are_asked_for_again(
    open_table: OpenTable, ministack_url: str
) -> None:
    with Leftovers(ministack_url, refused=0.4, throttled=0.2, seed=1) as leftovers:
        async with open_table(leftovers.url) as table:
            async with table.batch_writer(backoff=QUICK) as batch:
                for number in range(150):
                    await batch.put_item(Item={"id": f"i{number}"})
            for _ in range(3):
                keys = [{"id": f"i{number}"} for number in range(150)]
                found = [item["id"] async for item in table.batch_get(keys, backoff=QUICK)]
                assert sorted(found) == sorted(key["id"] for key in keys)
            assert leftovers.throttles
            assert leftovers.left_out


async def test_keys_left_unread_for_ever_are_in_the_exception(
    open_table: OpenTable, ministack_url: str
) -> None:
    def refuse(request: RecordedRequest) -> Reply | None:
        if request.action != "BatchGetItem":
            return None
        wanted = json.loads(request.body)["RequestItems"]
        return Reply.json({"Responses": {}, "UnprocessedKeys": wanted})

    with Recorder(refuse, upstream=ministack_url) as recorder:
        async with open_table(recorder.url) as table:
            backoff = Backoff(base=0, cap=0, attempts=3)
            with pytest.raises(BatchGetError) as caught:
                await anext(table.batch_get([{"id": "s3cr3t"}], backoff=backoff))
            assert sizes(recorder) == [1, 1, 1]
            failed = caught.value
            assert failed.keys == {table.name: [{"id": "s3cr3t"}]}
            assert failed.response["Error"]["Code"] == "UnprocessedKeys"
            assert isinstance(failed, ClientError)
            assert isinstance(failed, AsessionError)
            assert "1 keys" in str(failed)
            assert "s3cr3t" not in str(failed)
            assert pickle.loads(pickle.dumps(failed)).keys == failed.keys


async def test_an_error_of_the_service_stays_a_client_error(
    open_table: OpenTable, ministack_url: str
) -> None:
    def reject(request: RecordedRequest) -> Reply | None:
        return error("AccessDeniedException") if request.action == "BatchGetItem" else None

    with Recorder(reject, upstream=ministack_url) as recorder:
        async with open_table(recorder.url) as table:
            with pytest.raises(ClientError) as caught:
                await anext(table.batch_get([{"id": "a"}]))
            assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
            assert sizes(recorder) == [1]


async def test_a_scan_goes_over_all_pages(open_table: OpenTable, ministack_url: str) -> None:
    with Recorder(upstream=ministack_url) as recorder:
        async with open_table(recorder.url) as table:
            await fill(table, 25)
            recorder.clear()
            found = [item["number"] async for item in table.scan_items(Limit=10)]
            assert sorted(found) == list(range(25))
            assert len(recorder.requests) == 3
            # A filter may leave nothing of a page; the pages go on.
            rare = table.scan_items(Limit=5, FilterExpression=Attr("number").eq(17))
            assert [item["id"] async for item in rare] == ["i17"]


async def test_a_scan_may_be_shared_by_tasks(open_table: OpenTable) -> None:
    async with open_table() as table:
        await fill(table, 30)
        found: list[Any] = []

        async def scan(segment: int) -> None:
            items = table.scan_items(Segment=segment, TotalSegments=3)
            found.extend([item["number"] async for item in items])

        async with anyio.create_task_group() as tasks:
            for segment in range(3):
                tasks.start_soon(scan, segment)
        assert sorted(found) == list(range(30))


async def test_a_query_goes_over_all_pages_in_order(open_table: OpenTable) -> None:
    async with open_table(sort_key=True) as table:
        async with table.batch_writer() as batch:
            for line in range(20):
                await batch.put_item(Item={"id": "a", "line": line})
                await batch.put_item(Item={"id": "b", "line": line})
        condition = Key("id").eq("a") & Key("line").gte(5)
        found = table.query_items(KeyConditionExpression=condition, Limit=4)
        assert [item["line"] async for item in found] == list(range(5, 20))
        backwards = table.query_items(
            KeyConditionExpression=condition, Limit=4, ScanIndexForward=False
        )
        assert [item["line"] async for item in backwards] == list(range(19, 4, -1))


async def test_counting_is_not_iterating(open_table: OpenTable) -> None:
    async with open_table() as table:
        with pytest.raises(ValueError, match="would have no items"):
            table.scan_items(Select="COUNT")


async def test_an_iteration_keeps_what_is_loaded(open_table: OpenTable) -> None:
    async with open_table() as table:
        await table.load()
        assert [item async for item in table.scan_items()] == []
        assert table.item_count == 0


async def test_leaving_early_leaves_nothing_open(open_table: OpenTable) -> None:
    with warnings.catch_warnings():
        # On trio, a generator that the event loop has to close is a ResourceWarning.
        warnings.simplefilter("error")
        async with open_table() as table:
            await fill(table, 5)
            keys = [{"id": f"i{number}"} for number in range(5)]
            for items in (table.scan_items(Limit=2), table.batch_get(keys)):
                async for _item in items:
                    break
            del items
            gc.collect()
            await anyio.lowlevel.checkpoint()

"""DynamoDB's resources against a server: Python values, conditions, tables."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import anyio
import boto3.dynamodb.conditions
import boto3.dynamodb.types
import pytest

import asession.dynamodb
from asession.dynamodb import Attr, Binary, Key
from asession.exceptions import ResourceNotLoadedError

pytestmark = pytest.mark.anyio


async def new_table(dynamodb: Any, name: str) -> Any:
    table = await dynamodb.create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "id", "KeyType": "HASH"},
            {"AttributeName": "line", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "line", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    await table.wait_until_exists()
    return table


async def test_items_make_a_round_trip_as_python_values(open_resource: Any, name: str) -> None:
    async with open_resource("dynamodb") as dynamodb:
        table = await new_table(dynamodb, name)
        item = {
            "id": "a",
            "line": 1,
            "price": Decimal("1.50"),
            "tags": {"red", "blue"},
            "raw": Binary(b"\x00\x01"),
            "nested": {"list": [1, "two", None, True]},
        }
        await table.put_item(Item=item)
        # The caller's item is not turned into wire types behind its back.
        assert item["line"] == 1
        response = await table.get_item(Key={"id": "a", "line": 1})
        assert response["Item"] == item


async def test_conditions_become_expressions(open_resource: Any, name: str) -> None:
    async with open_resource("dynamodb") as dynamodb:
        table = await new_table(dynamodb, name)
        for line in range(5):
            await table.put_item(Item={"id": "a", "line": line, "even": line % 2 == 0})
        found = await table.query(
            KeyConditionExpression=Key("id").eq("a") & Key("line").between(1, 3)
        )
        assert [item["line"] for item in found["Items"]] == [1, 2, 3]
        found = await table.scan(FilterExpression=Attr("even").eq(True))
        assert sorted(item["line"] for item in found["Items"]) == [0, 2, 4]
        with pytest.raises(dynamodb.meta.client.exceptions.ConditionalCheckFailedException):
            await table.put_item(
                Item={"id": "a", "line": 1}, ConditionExpression=Attr("id").not_exists()
            )


async def test_update_and_delete_return_python_values(open_resource: Any, name: str) -> None:
    async with open_resource("dynamodb") as dynamodb:
        table = await new_table(dynamodb, name)
        await table.put_item(Item={"id": "a", "line": 1, "count": 1})
        response = await table.update_item(
            Key={"id": "a", "line": 1},
            UpdateExpression="SET #c = #c + :n",
            ExpressionAttributeNames={"#c": "count"},
            ExpressionAttributeValues={":n": 41},
            ReturnValues="ALL_NEW",
        )
        assert response["Attributes"]["count"] == 42
        await table.delete_item(Key={"id": "a", "line": 1})
        assert "Item" not in await table.get_item(Key={"id": "a", "line": 1})


async def test_conditions_of_tasks_at_once_do_not_mix(open_resource: Any, name: str) -> None:
    async with open_resource("dynamodb") as dynamodb:
        table = await new_table(dynamodb, name)
        for number in range(8):
            await table.put_item(Item={"id": f"i{number}", "line": number})
        found: dict[int, Any] = {}

        async def query(number: int) -> None:
            condition = Key("id").eq(f"i{number}") & Key("line").eq(number)
            response = await dynamodb.Table(name).query(KeyConditionExpression=condition)
            found[number] = [item["line"] for item in response["Items"]]

        async with anyio.create_task_group() as tasks:
            for number in range(8):
                tasks.start_soon(query, number)
        assert found == {number: [number] for number in range(8)}


async def test_table_attributes_need_a_load_and_an_action_ends_it(
    open_resource: Any, name: str
) -> None:
    async with open_resource("dynamodb") as dynamodb:
        # As boto3 has it, the response of CreateTable is the data of the new table.
        table = await new_table(dynamodb, name)
        assert table.table_name == table.name == name
        assert table.item_count == 0
        await table.put_item(Item={"id": "a", "line": 1})
        with pytest.raises(ResourceNotLoadedError, match="item_count"):
            _ = table.item_count
        assert (await table.reload()).item_count == 1
        assert [found.name async for found in dynamodb.tables.all() if found == table]
        await table.delete()
        await table.wait_until_not_exists()


def test_public_names_are_boto3s_own() -> None:
    assert asession.dynamodb.Key is boto3.dynamodb.conditions.Key
    assert asession.dynamodb.Attr is boto3.dynamodb.conditions.Attr
    for public in ("Binary", "TypeSerializer", "TypeDeserializer"):
        assert getattr(asession.dynamodb, public) is getattr(boto3.dynamodb.types, public)
    assert set(asession.dynamodb.__all__) <= set(dir(asession.dynamodb))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = asession.dynamodb.nonsense

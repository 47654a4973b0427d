"""Keys as values, waits, and the slices of a read, without an event loop."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from asession.dynamodb import Backoff, Binary
from asession.dynamodb.keys import identity_in, identity_of
from asession.dynamodb.reads import ReadPlan
from asession.dynamodb.values import copy_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"id": "a", "line": 1}, {"line": Decimal("1.0"), "id": "a"}),
        ({"id": b"a"}, {"id": Binary(b"a")}),
        ({"id": bytearray(b"a")}, {"id": b"a"}),
        ({"id": {"S": "a"}}, {"id": {"S": "a"}}),
        ({"id": {"N": "1"}}, {"id": {"N": "1.0"}}),
        ({"id": {"B": b"a"}}, {"id": {"B": bytearray(b"a")}}),
    ],
)
def test_keys_that_are_one_to_dynamodb_are_equal(one: Any, other: Any) -> None:
    assert identity_of(one) == identity_of(other)
    assert hash(identity_of(one)) == hash(identity_of(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"id": "1"}, {"id": 1}),
        ({"id": "a"}, {"id": b"a"}),
        ({"id": "a", "line": 1}, {"id": "a", "line": 2}),
        ({"id": {"S": "1"}}, {"id": {"N": "1"}}),
    ],
)
def test_other_keys_are_not(one: Any, other: Any) -> None:
    assert identity_of(one) != identity_of(other)


def test_the_key_in_an_item_has_the_order_of_the_names() -> None:
    item = {"id": "a", "line": 1, "other": object()}
    assert identity_in(item, ["id", "line"]) == ("a", 1)
    with pytest.raises(ValueError, match="no attribute 'missing'"):
        identity_in(item, ["id", "missing"])


def test_waits_double_up_to_a_cap_and_are_random_below_it() -> None:
    backoff = Backoff(base=1.0, cap=10.0)
    assert [backoff.delay(refusals, lambda: 1.0) for refusals in range(1, 7)] == [
        1,
        2,
        4,
        8,
        10,
        10,
    ]
    assert backoff.delay(10**9, lambda: 1.0) == 10
    assert backoff.delay(3, lambda: 0.25) == 1
    waits = {backoff.delay(4) for _ in range(20)}
    assert len(waits) > 1
    assert all(0 <= wait <= 8 for wait in waits)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"base": -1}, "base=-1"),
        ({"base": 2, "cap": 1}, "cap=1"),
        ({"attempts": 0}, "attempts=0"),
    ],
)
def test_waits_that_make_no_sense_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Backoff(**arguments)


def keys(*numbers: int) -> list[dict[str, Any]]:
    return [{"id": number} for number in numbers]


@pytest.mark.parametrize("value", [["a"], {"a", "b"}, {"L": [{"S": "a"}]}])
def test_a_value_that_no_key_can_have_is_named(value: Any) -> None:
    with pytest.raises(TypeError, match=r"the key attribute 'id' is a (list|set|dict)"):
        identity_of({"id": value})
    with pytest.raises(TypeError, match=r"the key attribute 'id' is a (list|set|dict)"):
        identity_in({"id": value}, ["id"])


def test_a_key_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(TypeError, match=r"a key is a mapping .*, not str"):
        read_plan({"orders": ["a"]}).take()


def test_copies_share_nothing_that_changes() -> None:
    raw, names = bytearray(b"a"), {"x": 1}
    value = {
        "map": MappingProxyType({"list": (1, [names])}),
        "names": names.keys(),
        "raw": raw,
        "binary": Binary(raw),
    }
    copied = copy_of(value)
    raw += b"b"
    names["y"] = 2
    assert copied == {
        "map": {"list": [1, [{"x": 1}]]},
        "names": {"x"},
        "raw": b"a",
        "binary": Binary(b"a"),
    }


def read_plan(wanted: Any, size: int = 3, attempts: int = 3) -> ReadPlan:
    return ReadPlan(wanted, size=size, attempts=attempts)


def test_reads_are_cut_into_slices_over_tables_each_with_its_options() -> None:
    plan = read_plan({"a": keys(1, 2), "b": {"Keys": keys(1, 2, 3), "ConsistentRead": True}})
    assert plan.request(plan.take()) == {
        "a": {"Keys": keys(1, 2)},
        "b": {"Keys": keys(1), "ConsistentRead": True},
    }
    assert plan.request(plan.take()) == {"b": {"Keys": keys(2, 3), "ConsistentRead": True}}
    assert plan.take() == []


def test_a_key_is_read_once_in_each_table() -> None:
    plan = read_plan({"a": keys(1, 2, 1), "b": [{"id": Decimal(1)}, {"id": 1}]}, size=9)
    assert plan.request(plan.take()) == {"a": {"Keys": keys(1, 2)}, "b": {"Keys": keys(1)}}


def test_keys_of_a_generator_are_asked_for_when_they_are_needed() -> None:
    asked: list[int] = []

    def generate() -> Iterator[dict[str, Any]]:
        for number in range(7):
            asked.append(number)
            yield {"id": number}

    plan = read_plan({"a": generate()})
    assert asked == []
    plan.take()
    assert asked == [0, 1, 2]


def test_unread_keys_go_first_and_are_given_up_after_the_last_attempt() -> None:
    plan = read_plan({"a": keys(1, 2, 3, 4, 5)}, attempts=2)
    again, given_up = plan.settle(plan.take(), {"a": {"Keys": [{"id": Decimal(2)}]}})
    assert ([read.key for read in again], given_up) == (keys(2), [])
    batch = plan.take()
    assert plan.request(batch) == {"a": {"Keys": keys(2, 4, 5)}}
    again, given_up = plan.settle(batch, {"a": {"Keys": keys(2, 5)}})
    assert [read.key for read in again] == keys(5)
    assert [read.key for read in given_up] == keys(2)
    assert [read.key for read in plan.rest()] == keys(5)
    assert plan.take() == []


def test_unread_keys_that_the_answer_calls_otherwise_are_not_lost() -> None:
    plan = read_plan({"arn:a": {"Keys": keys(1, 2), "ConsistentRead": True}}, attempts=2)
    unread = {"a": {"Keys": keys(2), "ConsistentRead": True}}
    again, given_up = plan.settle(plan.take(), unread)
    assert ([read.key for read in again], given_up) == (keys(2), [])
    batch = plan.take()
    assert plan.request(batch) == unread
    again, given_up = plan.settle(batch, unread)
    assert (again, [read.key for read in given_up]) == ([], keys(2))


def test_what_to_read_without_keys_is_refused() -> None:
    with pytest.raises(ValueError, match="what to read of 'a' has no 'Keys'"):
        read_plan({"a": {"ConsistentRead": True}})

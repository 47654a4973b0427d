"""Which writes go into a request, and in which order, without an event loop."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asession.dynamodb.plan import Write, WritePlan

KEYS = ["id"]


def put(key: Any, value: Any = 0) -> dict[str, Any]:
    return {"PutRequest": {"Item": {"id": key, "value": value}}}


def delete(key: Any) -> dict[str, Any]:
    return {"DeleteRequest": {"Key": {"id": key}}}


def plan_of(size: int = 3, attempts: int = 4, key_names: list[str] | None = None) -> WritePlan:
    return WritePlan(size=size, attempts=attempts, key_names=key_names)


def requests(batch: list[Write]) -> list[Any]:
    return [write.request for write in batch]


def test_a_slice_is_due_when_it_is_full_and_the_rest_when_asked_for() -> None:
    plan = plan_of()
    for number in range(5):
        assert plan.is_due(partial=False) is (number >= 3)
        plan.add(put(number))
    assert requests(plan.take(partial=False)) == [put(0), put(1), put(2)]
    assert plan.take(partial=False) == []
    assert (len(plan), plan.in_flight) == (5, 3)
    assert requests(plan.take(partial=True)) == [put(3), put(4)]
    assert not plan.is_due(partial=True)
    assert plan.take(partial=True) == []


def test_what_was_not_refused_is_done() -> None:
    plan = plan_of()
    for number in range(3):
        plan.add(put(number))
    batch = plan.take(partial=False)
    assert plan.settle(batch, [put(1)]) == []
    assert plan.unwritten() == (put(1),)
    batch = plan.take(partial=True)
    assert requests(batch) == [put(1)]
    assert plan.settle(batch, []) == []
    assert len(plan) == 0


def test_refused_writes_go_first_and_alone_where_keys_are_unknown() -> None:
    plan = plan_of()
    for number in range(3):
        plan.add(put("same" if number == 1 else number, number))
    batch = plan.take(partial=False)
    plan.settle(batch, [put("same", 1)])
    for number in range(3, 6):
        plan.add(put("same" if number == 4 else number, number))
    # In one request with the newer write of its key, the service would refuse both.
    assert requests(plan.take(partial=False)) == [put("same", 1)]
    assert requests(plan.take(partial=False)) == [put(3, 3), put("same", 4), put(5, 5)]


def test_refused_writes_fill_a_slice_with_others_where_keys_are_known() -> None:
    plan = plan_of(key_names=KEYS)
    for number in range(3):
        plan.add(put(number))
    plan.settle(plan.take(partial=False), [put(2)])
    plan.add(put(3))
    assert not plan.is_due(partial=False)
    plan.add(put(4))
    assert requests(plan.take(partial=False)) == [put(2), put(3), put(4)]


def test_a_newer_write_of_a_key_takes_the_place_of_a_waiting_one() -> None:
    plan = plan_of(key_names=KEYS)
    plan.add(put("a", 1))
    plan.add(put("b"))
    plan.add(put("a", 2))
    assert plan.unwritten() == (put("b"), put("a", 2))
    plan.add(delete("a"))
    assert requests(plan.take(partial=True)) == [put("b"), delete("a")]


def test_a_key_in_flight_is_not_sent_again_before_its_answer() -> None:
    plan = plan_of(key_names=KEYS)
    plan.add(put("a", 1))
    first = plan.take(partial=True)
    plan.add(put("a", 2))
    plan.add(put("b"))
    assert requests(plan.take(partial=True)) == [put("b")]
    assert not plan.is_due(partial=True)
    assert len(plan) == 3
    plan.settle(first, [])
    assert requests(plan.take(partial=True)) == [put("a", 2)]


@pytest.mark.parametrize("outcome", ["refused", "given back"])
def test_a_write_that_comes_back_is_dropped_for_a_newer_one(outcome: str) -> None:
    plan = plan_of(key_names=KEYS, attempts=1)
    plan.add(put("a", 1))
    first = plan.take(partial=True)
    plan.add(put("a", 2))
    if outcome == "refused":
        # Nor is it given up: it does not matter any more.
        assert plan.settle(first, [put("a", 1)]) == []
    else:
        plan.give_back(first)
    assert plan.unwritten() == (put("a", 2),)


def test_a_write_that_came_back_is_overwritten_by_a_newer_one() -> None:
    plan = plan_of(key_names=KEYS)
    plan.add(put("a", 1))
    plan.give_back(plan.take(partial=True))
    plan.add(put("a", 2))
    assert plan.unwritten() == (put("a", 2),)


@pytest.mark.parametrize("key_names", [None, KEYS])
def test_what_is_given_back_keeps_its_place_in_front(key_names: list[str] | None) -> None:
    plan = plan_of(size=2, key_names=key_names)
    for number in range(4):
        plan.add(put(number))
    plan.give_back(plan.take(partial=False))
    assert requests(plan.take(partial=False)) == [put(0), put(1)]
    assert requests(plan.take(partial=False)) == [put(2), put(3)]


@pytest.mark.parametrize("key_names", [None, KEYS])
def test_a_write_is_given_up_after_its_last_attempt(key_names: list[str] | None) -> None:
    plan = plan_of(attempts=3, key_names=key_names)
    plan.add(put("a"))
    for _ in range(2):
        assert plan.settle(plan.take(partial=True), [put("a")]) == []
    assert requests(plan.settle(plan.take(partial=True), [put("a")])) == [put("a")]
    assert len(plan) == 0


def test_a_failed_slice_is_forgotten() -> None:
    plan = plan_of()
    plan.add(put("a"))
    plan.give_up(plan.take(partial=True))
    assert (len(plan), plan.unwritten()) == (0, ())


def test_a_write_without_its_key_is_refused_at_once() -> None:
    plan = plan_of(key_names=["id", "line"])
    with pytest.raises(ValueError, match="no attribute 'line', which overwrite_by_pkeys names"):
        plan.add(put("a"))
    assert len(plan) == 0


class Table:
    """A table that takes what it likes, and is answered for in any order."""

    def __init__(self, plan: WritePlan, chance: random.Random) -> None:
        self.plan = plan
        self.chance = chance
        self.items: dict[str, Any] = {}
        self.open: list[list[Write]] = []
        self.lost: list[Any] = []

    def send(self, *, partial: bool) -> None:
        batch = self.plan.take(partial=partial)
        if batch:
            keys = [write.key for write in batch]
            flying = [write.key for other in self.open for write in other]
            assert len(keys) == len(set(keys)) <= 3
            assert not set(keys) & set(flying)
            self.open.append(batch)

    def answer(self) -> None:
        if not self.open:
            return
        batch = self.open.pop(self.chance.randrange(len(self.open)))
        if self.chance.random() < 0.2:
            self.plan.give_back(batch)
            return
        refused = [write.request for write in batch if self.chance.random() < 0.4]
        for write in batch:
            if write.request not in refused:
                self.take(write.request)
        self.lost += requests(self.plan.settle(batch, refused))

    def take(self, request: Any) -> None:
        if "PutRequest" in request:
            item = request["PutRequest"]["Item"]
            self.items[item["id"]] = item["value"]
        else:
            self.items.pop(request["DeleteRequest"]["Key"]["id"], None)


@given(seed=st.integers(0, 2**32), writes=st.integers(1, 40), keys=st.integers(1, 8))
def test_the_last_write_of_each_key_wins_whatever_order_answers_come_in(
    seed: int, writes: int, keys: int
) -> None:
    chance = random.Random(seed)
    plan = plan_of(attempts=1000, key_names=KEYS)
    table = Table(plan, chance)
    last: dict[str, Any] = {}
    for number in range(writes):
        key = f"k{chance.randrange(keys)}"
        if chance.random() < 0.3:
            plan.add(delete(key))
            last.pop(key, None)
        else:
            plan.add(put(key, number))
            last[key] = number
        for _ in range(chance.randrange(3)):
            chance.choice([table.answer, lambda: table.send(partial=False)])()
    for _ in range(10_000):
        if not len(plan):
            break
        table.send(partial=True)
        table.answer()
    assert (len(plan), table.lost) == (0, [])
    assert table.items == last

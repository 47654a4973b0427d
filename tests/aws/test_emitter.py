"""Our emitter calls the same handlers in the same order as aiobotocore's, with the same answers."""

from __future__ import annotations

import contextlib
import copy
import logging
import random

import pytest
from aiobotocore.hooks import AioHierarchicalEmitter
from botocore.hooks import EventAliaser
from botocore.utils import EVENT_ALIASES

from asession._aws.emitter import EventEmitter, alias

pytestmark = pytest.mark.anyio

NAMES = [
    "before-call",
    "before-call.s3",
    "before-call.s3.GetObject",
    "before-call.*.GetObject",
    "before-call.*.*",
    "needs-retry.s3",
    "*",
]
EVENTS = ["before-call.s3.GetObject", "before-call.ec2.GetObject", "needs-retry.s3", "nothing"]


class Later:
    """Awaitable, and neither a coroutine nor a future."""

    def __init__(self, value):
        self.value = value

    def __await__(self):
        yield from ()
        return self.value


def handlers(calls):
    """Handlers of every kind, which note their calls in `calls`."""

    def make(number):
        answer = [None, None, 0, False, f"answer {number}"][number % 5]

        def plain(event_name, **kwargs):
            calls.append((number, event_name, sorted(kwargs)))
            return answer

        async def awaited(event_name, **kwargs):
            calls.append((number, event_name, sorted(kwargs)))
            return answer

        def late(event_name, **kwargs):
            calls.append((number, event_name, sorted(kwargs)))
            return Later(answer)

        return [plain, awaited, late][number % 3]

    return [make(number) for number in range(30)]


async def history(emitter_class, seed):
    """What an emitter does in a random life."""
    chance = random.Random(seed)
    calls = []
    known = handlers(calls)
    emitters = [emitter_class()]
    told = []
    for _ in range(200):
        emitter = chance.choice(emitters)
        action = chance.choice(
            ["register"] * 3
            + ["register_first", "register_last", "unregister", "copy", "alias"]
            + ["emit", "emit_until_response"] * 3
        )
        if action == "copy":
            if len(emitters) < 6:
                emitters.append(copy.copy(emitter))
        elif action == "alias":
            if len(emitters) < 6:
                emitters.append(EventAliaser(copy.copy(emitter)))
        elif action.startswith("emit"):
            event = chance.choice(EVENTS)
            result = await getattr(emitter, action)(event, a=1, b=2)
            calls.append("end")
            pairs = result if action == "emit" else [result]
            told.append([(known.index(h) if h else None, response) for h, response in pairs])
        else:
            number = chance.randrange(len(known))
            name, unique = chance.choice(NAMES), chance.choice([None, None, "one", "two"])
            counted = bool(unique == "two")
            # Upstream's answer where nothing is registered; ours is nothing.
            with contextlib.suppress(AttributeError):
                getattr(emitter, action)(
                    name, known[number], unique_id=unique, unique_id_uses_count=counted
                )
    return calls, told


@pytest.mark.parametrize("seed", range(40))
async def test_a_random_life_is_the_same_as_upstreams(seed):
    ours = await history(EventEmitter, seed)
    assert ours == await history(AioHierarchicalEmitter, seed)
    assert any(told for told in ours[1])


async def test_a_handler_registered_during_an_event_is_called_by_the_next():
    emitter = EventEmitter()
    calls = []

    def second(**kwargs):
        calls.append("second")

    def first(**kwargs):
        calls.append("first")
        emitter.register("event", second, unique_id="once")

    emitter.register("event", first)
    await emitter.emit("event")
    assert calls == ["first"]
    await emitter.emit("event")
    assert calls == ["first", "first", "second"]


async def test_a_copy_that_registers_leaves_the_original_alone():
    emitter = EventEmitter()
    emitter.register("event", lambda **kwargs: "one")
    await emitter.emit("event.s3")
    other = copy.copy(emitter)
    assert type(other) is EventEmitter
    other.register("event.s3", lambda **kwargs: "two")
    assert [response for _, response in await other.emit("event.s3")] == ["two", "one"]
    assert [response for _, response in await emitter.emit("event.s3")] == ["one"]


async def test_an_error_of_a_handler_ends_the_event():
    emitter = EventEmitter()
    calls = []

    async def fails(**kwargs):
        raise LookupError("from the handler")

    emitter.register_first("event", fails)
    emitter.register("event", lambda **kwargs: calls.append(1))
    with pytest.raises(LookupError, match="from the handler"):
        await emitter.emit("event")
    assert calls == []


async def test_events_are_logged_where_botocore_logs_them(caplog):
    def named_handler(**kwargs):
        return None

    for emitter in (EventEmitter(), AioHierarchicalEmitter()):
        emitter.register("event", named_handler)
        with caplog.at_level(logging.DEBUG, "botocore.hooks"):
            await emitter.emit("event.s3")
    ours, theirs = caplog.records
    assert ours.getMessage() == theirs.getMessage()
    assert ours.name == theirs.name


@pytest.mark.parametrize("form", ["before-call.{}", "before-call.{}.Operation", "{}", "a.{}.b.c"])
def test_every_old_name_is_understood_as_upstream_understands_it(form):
    upstream = EventAliaser(None)
    for old, new in EVENT_ALIASES.items():
        for word in (old, new, f"{old}x"):
            event = form.format(word)
            assert alias(event) == upstream._alias_event_name(event)

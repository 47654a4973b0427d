"""Observers can break nothing, and go where their session goes; events are values."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields
from datetime import UTC, datetime
from typing import Any

import pytest

from asession import Credentials, Session
from asession.observe import (
    ClientOpened,
    CredentialsRefreshed,
    Event,
)
from observe.seen import ROLE, Seen, session_to
from servers.answers import AwsAnswers
from servers.identity import IdentityServer
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio


async def test_an_observer_that_fails_breaks_nothing_and_is_logged_once(
    seen: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(event: Event) -> None:
        raise RuntimeError("no room for events")

    with Recorder(AwsAnswers()) as server, caplog.at_level(logging.WARNING, "asession.observe"):
        async with session_to(server.url, broken, seen) as session, session.client("s3") as s3:
            await s3.list_buckets()
    assert len(seen.events) >= 5
    [record] = [found for found in caplog.records if found.name == "asession.observe"]
    assert record.event == "observer.failed"
    assert "broken failed when told client.opened" in record.getMessage()
    assert "no room for events" in record.getMessage()


async def test_a_failing_observer_is_logged_without_the_error_it_was_told_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def source() -> Credentials:
        raise RuntimeError("the vault refused the-password")

    def broken(event: Event) -> None:
        if isinstance(event, CredentialsRefreshed):
            raise ValueError("no room for events")

    session = Session(credentials=source, observers=[broken])
    with caplog.at_level(logging.WARNING, "asession"):
        async with session:
            with pytest.raises(RuntimeError):
                await session.get_frozen_credentials()
    assert "no room for events" in caplog.text
    assert "the-password" not in caplog.text


async def test_keys_that_end_beyond_all_calendars_are_keys(seen: Seen) -> None:
    async def source() -> Credentials:
        return Credentials("AKIAFOREVER", "secret", expires_at=datetime.max.replace(tzinfo=UTC))

    async with Session(credentials=source, observers=[seen]) as session:
        assert (await session.get_frozen_credentials()).access_key == "AKIAFOREVER"
    [told] = seen.of(CredentialsRefreshed)
    assert told.outcome == "refreshed"


async def test_sessions_made_from_one_have_its_observers(
    seen: Seen, identity: IdentityServer
) -> None:
    parent = session_to(identity.url, seen)
    frankfurt = parent.replace(region_name="eu-central-1")
    deaf = parent.replace(observers=[])
    for session in (frankfurt, deaf, parent.assume_role(ROLE)):
        async with session, session.client("sts"):
            pass
    assert [event.region for event in seen.of(ClientOpened)] == ["eu-central-1", "eu-west-1"]


class Importable:
    """An observer that can travel."""

    def __call__(self, event: Event) -> None:
        """Take no note."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Importable)

    __hash__ = object.__hash__


def test_observers_travel_with_their_session_if_they_can() -> None:
    session = Session(observers=[Importable(), print])
    assert pickle.loads(pickle.dumps(session))._options.observers == (Importable(), print)
    with pytest.raises(pickle.PicklingError, match="observers="):
        pickle.dumps(Session(observers=[lambda event: None]))


async def anything(event: Event) -> None:
    """No observer: nobody would await it."""


class AsyncCall:
    """No observer either."""

    async def __call__(self, event: Event) -> None:
        """Nobody would await it."""


@pytest.mark.parametrize("wrong", [print, [anything], [AsyncCall()], ["print"], 1, {print}])
def test_what_cannot_be_told_is_refused_at_once(wrong: Any) -> None:
    with pytest.raises(TypeError, match="observers="):
        Session(observers=wrong)


def test_a_session_shows_how_many_observers_it_has() -> None:
    assert repr(Session(observers=[print])) == "Session(observers=<1 observers>)"
    assert repr(Session(observers=[])) == "Session()"


def every_event() -> Iterator[type[Event]]:
    from asession import observe

    for name in observe.__all__:
        found = getattr(observe, name)
        if isinstance(found, type) and issubclass(found, Event) and found.name:
            yield found


@pytest.mark.parametrize("kind", list(every_event()), ids=lambda kind: kind.__name__)
def test_events_are_values_with_names(kind: type[Event]) -> None:
    assert kind.name.count(".") == 1
    assert bool(kind.message) is bool(kind.logger)
    reserved = vars(logging.makeLogRecord({})) | {"message": 1, "asctime": 1, "event": 1}
    names = [field.name for field in fields(kind)]
    assert not set(names) & set(reserved)
    event = kind(**dict.fromkeys(names, 1))
    assert event.message % event.fields() if event.message else True
    with pytest.raises(FrozenInstanceError):
        setattr(event, names[0], 2)


def test_names_of_events_are_unique() -> None:
    names = [kind.name for kind in every_event()]
    assert len(names) == len(set(names)) == 11

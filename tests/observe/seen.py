"""An observer that keeps what it is told, and sessions that it observes."""

from __future__ import annotations

from typing import Any, TypeVar

from asession import Session
from asession.observe import (
    ConnectionAcquired,
    ConnectionClosed,
    ConnectionOpened,
    ConnectionReleased,
    Event,
)

KEYS = {"aws_access_key_id": "AKIAOBSERVED", "aws_secret_access_key": "secret"}
ROLE = "arn:aws:iam::123456789012:role/observed"
BUCKETS = b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"

E = TypeVar("E", bound=Event)


class Seen:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def open_connections(self) -> dict[str, int]:
        """How many are in use and idle, counted as the events say."""
        counts = {"active": 0, "idle": 0}
        for event in self.events:
            match event:
                case ConnectionOpened():
                    counts["active"] += 1
                case ConnectionAcquired():
                    counts["idle"] -= 1
                    counts["active"] += 1
                case ConnectionReleased():
                    counts["active"] -= 1
                    counts["idle"] += 1
                case ConnectionClosed(was_idle=was_idle):
                    counts["idle" if was_idle else "active"] -= 1
            assert min(counts.values()) >= 0
        return counts


def session_to(url: str, *observers: Any, **kwargs: Any) -> Session:
    given = {**KEYS, "region_name": "eu-west-1", "environ": {}, **kwargs}
    return Session(endpoint_url=url, observers=observers, **given)

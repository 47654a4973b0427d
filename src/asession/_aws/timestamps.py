"""Timestamps of responses, a hundred times as fast as dateutil and equal to it."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from botocore.utils import parse_timestamp as parse_unusual
from dateutil.tz import tzlocal, tzoffset, tzutc  # type: ignore[import-untyped]

# A year below 1000 may mean another century to dateutil, and to Python hour 24 the next day; such
# strings are left to dateutil.
_ISO_8601 = re.compile(
    r"([1-9][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]"
    r"(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?)"
    r"(?:(Z)|([+-])([01][0-9]|2[0-3]):?([0-5][0-9]))?"
)
_HTTP_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) "
    r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
    r"([1-9][0-9]{3}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT"
)
_SECONDS = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?")
_MONTHS = {
    month: number
    for number, month in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
_UTC: Any = tzutc()


def parse_timestamp(value: Any) -> datetime:
    """What `botocore.utils.parse_timestamp` makes of a value, zone classes included.

    The forms that AWS sends (ISO 8601, HTTP dates, seconds since 1970 as numbers or strings) are
    read here; whatever else, and each value out of range, goes to botocore, which reads or refuses
    it.

    Raises:
        ValueError: No form of timestamp.
        RuntimeError: A time that no zone can express.
    """
    kind = type(value)
    try:
        if kind is str:
            parsed = _from_text(value)
        elif kind is int or kind is float:
            parsed = _from_seconds(value)
        else:
            parsed = None
    except (ValueError, OverflowError, OSError):
        parsed = None
    return parse_unusual(value) if parsed is None else parsed


def _from_text(text: str) -> datetime | None:
    iso = _ISO_8601.fullmatch(text)
    if iso is not None:
        moment, zulu, sign, hours, minutes = iso.groups()
        naive = datetime.fromisoformat(moment)
        if zulu is None and sign is None:
            return naive
        offset = 0 if zulu is not None else int(hours) * 3600 + int(minutes) * 60
        if not offset:
            zone = _zulu(time.tzname, time.timezone, time.altzone, time.daylight)
            return None if zone is None else naive.replace(tzinfo=zone)
        return naive.replace(tzinfo=tzoffset(None, -offset if sign == "-" else offset))
    date = _HTTP_DATE.fullmatch(text)
    if date is not None:
        day, month, year, hour, minute, second = date.groups()
        return datetime(
            int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=_UTC
        )
    if _SECONDS.fullmatch(text) is not None:
        return _from_seconds(float(text))
    return None


def _from_seconds(seconds: float) -> datetime | None:
    zone = _local(time.tzname, time.timezone, time.altzone, time.daylight)
    if zone is None:
        return None
    moment = datetime.fromtimestamp(seconds, UTC)
    if time.timezone:
        moment -= timedelta(seconds=time.timezone)
    return moment.replace(tzinfo=zone)


# Both are asked each time, because `time.tzset` may change the zone of the process.


@lru_cache(maxsize=4)
def _local(names: tuple[str, str], offset: int, summer: int, has_summer: int) -> Any:
    """Local time where it is UTC and a constant; `None` where it takes dateutil's rules."""
    return None if has_summer or offset != summer else tzlocal()


@lru_cache(maxsize=4)
def _zulu(names: tuple[str, str], offset: int, summer: int, has_summer: int) -> Any:
    """What dateutil reads as no offset: the name "UTC", which is local time's if that has it."""
    if "UTC" not in names:
        return tzutc()
    return _local(names, offset, summer, has_summer) if names[0] == "UTC" else None

"""Our timestamps equal botocore's, value, zone class and error, in every zone of the process."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
from botocore.utils import parse_timestamp as upstream
from hypothesis import example, given, settings
from hypothesis import strategies as st

from asession._aws import timestamps
from asession._aws.timestamps import parse_timestamp

ZONES = ["UTC", "GMT", "UTC-3", "UTC0XST", "Asia/Kolkata", "Europe/Berlin", "Europe/London"]
FORMATS = [
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%d",
    "%Y%m%dT%H%M%SZ",
    "%a, %d %b %Y %H:%M:%S GMT",
    "%a, %d %b %Y %H:%M:%S UTC",
    "%a, %d %b %Y %H:%M:%S +0000",
    "%a, %d %b %Y %H:%M:%S -0130",
    "%d %b %Y %H:%M:%S",
    "%a %b %d %H:%M:%S %Y",
]
ODD = [
    "",
    " ",
    "now",
    "nan",
    "inf",
    "1e3",
    " 12 ",
    "1_000",
    "٣",
    "20200101",
    "2020-W01-1",
    "0001-01-01T00:00:00Z",
    "0031-12-31T23:59:59Z",
    "2020-02-30T00:00:00Z",
    "2020-13-01T00:00:00Z",
    "2020-01-01T24:00:00Z",
    "2020-01-01T00:00:60Z",
    "2020-01-01T00:00:00z",
    "2020-01-01T00:00:00,5Z",
    "2020-01-01T00:00:00.Z",
    "2020-01-01T00:00:00 Z",
    "2020-01-01T00:00:00+00:00",
    "2020-01-01T00:00:00-00:00",
    "2020-01-01T00:00:00+99:00",
    "2020-01-01T00:00:00+05",
    "2020-01-01T00:00:00Z\n",
    "9999-12-31T23:59:59.999999999Z",
    "Mon, 21 Oct 2015 07:28:00 GMT",
    "Wed, 32 Oct 2015 07:28:00 GMT",
    "Wed, 21 Oct 0015 07:28:00 GMT",
    "wed, 21 oct 2015 07:28:00 gmt",
    b"2020-01-01T00:00:00Z",
    b"12",
    None,
    True,
    [],
    datetime(2020, 1, 1),  # noqa: DTZ001 - what botocore does with a naive time is the question
    float("nan"),
    float("inf"),
    1e18,
    -1e18,
    10**30,
]


@pytest.fixture(params=ZONES)
def zone(request, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


def outcome(parse, value):
    try:
        parsed = parse(value)
    except Exception as error:
        return type(error)
    return (
        parsed.replace(tzinfo=None),
        parsed.fold,
        type(parsed.tzinfo),
        repr(parsed),
        parsed.tzinfo,
        attempt(parsed.utcoffset),  # dateutil makes zones that Python then refuses
        attempt(parsed.tzname),
    )


def attempt(ask):
    try:
        return ask()
    except Exception as error:
        return type(error)


def check(value):
    ours, theirs = outcome(parse_timestamp, value), outcome(upstream, value)
    assert ours == theirs, value


moments = st.datetimes().filter(lambda moment: moment.year >= 1000)


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_odd_values_are_read_or_refused_as_by_botocore(zone, value):
    check(value)


def test_formatted_times_equal_botocores(zone):
    @settings(max_examples=60, deadline=None)
    @given(moments, st.sampled_from(FORMATS))
    def run(moment, form):
        check(moment.strftime(form))

    run()


def test_every_number_of_fraction_digits_equals_botocores(zone):
    @settings(max_examples=50, deadline=None)
    @given(
        moments,
        st.text("0123456789", max_size=12),
        st.sampled_from(["", "Z", "+00:00", "-0000", "+05:30", "-0800", "+23:59", "+24:00"]),
    )
    def run(moment, fraction, suffix):
        fraction = fraction and f".{fraction}"
        check(f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}{suffix}")

    run()


def test_seconds_equal_botocores_as_numbers_and_as_strings(zone):
    @settings(max_examples=80, deadline=None)
    @given(
        st.one_of(
            st.integers(-(10**10), 10**11),
            st.floats(-1e10, 1e11),
            st.decimals(-(10**9), 10**10, places=3),
            st.integers(),
            st.floats(),
        )
    )
    @example(1600000000)
    @example(1600000000.0000005)
    @example(-0.0)
    @example(253402300799.9999999)
    @example(-62135596800)
    def run(number):
        check(str(number))
        if isinstance(number, int | float):
            check(number)

    run()


def test_any_text_is_read_or_refused_as_by_botocore(zone):
    @settings(max_examples=60, deadline=None)
    @given(st.text(alphabet="0123456789-+:.TZ ,GMT", max_size=30))
    def run(text):
        check(text)

    run()


def test_the_forms_of_aws_never_reach_dateutil(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    reached: list[object] = []
    monkeypatch.setattr(timestamps, "parse_unusual", reached.append)
    for value in (
        "2020-01-01T00:00:00.000Z",
        "2020-01-01T00:00:00+05:30",
        "Wed, 21 Oct 2015 07:28:00 GMT",
        1600000000,
        1600000000.25,
        "1600000000.25",
    ):
        assert isinstance(parse_timestamp(value), datetime)
    assert not reached


def test_a_change_of_the_process_zone_is_seen(monkeypatch):
    seen = []
    for name in ("UTC", "Asia/Kolkata"):
        monkeypatch.setenv("TZ", name)
        time.tzset()
        seen.append(parse_timestamp(0).utcoffset())
    assert seen == [timedelta(0), timedelta(hours=5, minutes=30)]


@pytest.fixture(autouse=True)
def restored_zone(monkeypatch):
    yield
    monkeypatch.undo()
    time.tzset()

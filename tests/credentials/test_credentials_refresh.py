"""When credentials are replaced, as numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asession.credentials.keys import digest
from asession.credentials.refresh import FOREVER, Schedule, Stage, back_off, extension

MINUTE = 60.0
HOUR = 60 * MINUTE


@pytest.mark.parametrize(
    ("life", "advisory", "mandatory"),
    [
        (12 * HOUR, 15 * MINUTE, 10 * MINUTE),  # botocore's windows
        (HOUR, 15 * MINUTE, 7.5 * MINUTE),  # a quarter and an eighth
        (2.0, 0.5, 0.25),
    ],
)
def test_windows_are_botocores_or_a_share_of_the_life(life, advisory, mandatory):
    schedule = Schedule.of(1000.0, 1000.0 + life)
    assert schedule.end - schedule.advisory == pytest.approx(advisory)
    assert schedule.end - schedule.mandatory == pytest.approx(mandatory)


def test_stages_follow_each_other():
    schedule = Schedule.of(0.0, 800.0)
    moments = {0: Stage.FRESH, 599: Stage.FRESH, 600: Stage.ADVISORY, 699: Stage.ADVISORY}
    moments |= {700: Stage.MANDATORY, 799: Stage.MANDATORY, 800: Stage.EXPIRED}
    assert {at: schedule.stage(at) for at in moments} == moments


def test_keys_without_an_end_stay_fresh():
    assert Schedule.of(0.0, None) is FOREVER
    assert FOREVER.stage(1e12) is Stage.FRESH


@given(
    st.floats(0, 1e9), st.floats(-1e5, 1e5), st.floats(0, 1, exclude_max=True), st.floats(0, 1e9)
)
def test_jitter_delays_within_the_advisory_window_alone(obtained, life, jitter, now):
    plain = Schedule.of(obtained, obtained + life)
    late = Schedule.of(obtained, obtained + life, jitter)
    assert plain.advisory <= late.advisory <= late.mandatory <= late.end
    assert (late.mandatory, late.end) == (plain.mandatory, plain.end)
    assert late.stage(now) in Stage


def test_a_source_that_fails_is_left_alone_for_longer_and_longer():
    waits = [back_off(failures, 1.0) for failures in range(1, 12)]
    assert waits[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert set(waits[7:]) == {60}
    assert back_off(3, 0.0) == 2
    assert back_off(10_000) == 30


def test_expired_keys_of_a_machine_are_used_for_five_to_ten_minutes_more():
    assert (extension(0.0), extension(1.0)) == (5 * MINUTE, 10 * MINUTE)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=50)
@given(values, values)
def test_digests_are_equal_only_if_the_values_are(one, other):
    assert (digest(one) == digest(other)) == (repr(one) == repr(other) or _same(one, other))


def _same(one, other):
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other


def test_an_object_is_never_taken_for_a_later_one_in_its_place():
    class Thing:
        def method(self):
            pass

    thing = Thing()
    assert digest(thing) == digest(thing)
    assert digest(thing.method) == digest(thing.method)
    assert len({digest(Thing()) for _ in range(1000)}) == 1000


def test_a_digest_holds_nothing_of_its_inputs():
    assert b"secret" not in digest("secret")
    assert len(digest("secret" * 1000)) == 32

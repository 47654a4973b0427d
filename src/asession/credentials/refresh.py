"""When credentials are replaced: refresh windows, jitter, back-off; numbers in, numbers out.

All times are seconds: moments since the epoch, as `time.time` has them, or lengths.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

Clock = Callable[[], float]
"""Tells the time in seconds since the epoch; `time.time` unless a test has its own."""

Random = Callable[[], float]
"""A number from 0 up to 1; `random.random` unless a test has its own."""

# botocore's windows. The life of short-lived credentials makes them smaller.
ADVISORY_SECONDS = 15 * 60.0
MANDATORY_SECONDS = 10 * 60.0
ADVISORY_SHARE = 1 / 4
MANDATORY_SHARE = 1 / 8

# How far into the advisory window the first attempt may wait, as a share of it: so that many
# processes that got their credentials together do not replace them together.
_JITTER_SHARE = 1 / 4

_FIRST_BACK_OFF = 1.0
_LONGEST_BACK_OFF = 60.0

# How long expired credentials of a stable source are used before it is asked again: 5 to 10
# minutes, as in the other SDKs.
_EXTENSION_SECONDS = 5 * 60.0

LONGEST_REST = 2 * _EXTENSION_SECONDS
"""The longest time that a source is left alone, in seconds."""

TERMINAL_SECONDS = 3.0
"""How long an error that trying again does not mend is remembered."""

REJECTION_SECONDS = 30.0
"""How long after a replacement forced by a service no other is forced."""


class Stage(Enum):
    """What a caller does about credentials at some moment of their life."""

    FRESH = "use them"
    ADVISORY = "one caller replaces them, the others use them"
    MANDATORY = "everybody waits for their replacement; they still work if it fails"
    EXPIRED = "everybody waits for their replacement"


@dataclass(frozen=True, slots=True)
class Schedule:
    """The moments that part the stages of one set of credentials; a value.

    Attributes:
        advisory: When one caller begins to replace them.
        mandatory: When all wait for the replacement.
        end: When they stop working.
    """

    advisory: float
    mandatory: float
    end: float

    @classmethod
    def of(cls, obtained: float, end: float | None, jitter: float = 0.0) -> Schedule:
        """The schedule of credentials.

        The windows are botocore's, or a quarter and an eighth of their life if that is less.

        Args:
            obtained: When they were obtained.
            end: When they stop working; `None` for never.
            jitter: From 0 to 1: how late in the allowed span the advisory window begins.
        """
        if end is None:
            return FOREVER
        life = max(end - obtained, 0.0)
        advisory = min(ADVISORY_SECONDS, life * ADVISORY_SHARE)
        mandatory = min(MANDATORY_SECONDS, life * MANDATORY_SHARE)
        return cls(end - advisory * (1 - jitter * _JITTER_SHARE), end - mandatory, end)

    def stage(self, now: float) -> Stage:
        """The stage at some moment."""
        if now < self.advisory:
            return Stage.FRESH
        if now < self.mandatory:
            return Stage.ADVISORY
        return Stage.MANDATORY if now < self.end else Stage.EXPIRED


FOREVER = Schedule(float("inf"), float("inf"), float("inf"))
"""The schedule of credentials without an end."""


def back_off(failures: int, jitter: float = 0.0) -> float:
    """How long to leave a source alone that failed while what it gave before still works.

    Args:
        failures: How often it has failed since it last answered, from 1.
        jitter: From 0 to 1: how much of the upper half is used.

    Returns:
        Seconds: doubling from 1 to 60, less up to a half.
    """
    longest = min(_LONGEST_BACK_OFF, _FIRST_BACK_OFF * 2.0 ** min(failures - 1, 16))
    return longest * (0.5 + 0.5 * jitter)


def extension(jitter: float = 0.0) -> float:
    """How long expired credentials of a stable source are used before it is asked again."""
    return _EXTENSION_SECONDS * (1 + jitter)

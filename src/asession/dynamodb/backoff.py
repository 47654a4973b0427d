"""How long to wait before DynamoDB is asked again for what it left undone."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

_DOUBLINGS = 32  # beyond any cap, and far from overflowing a float


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits that double up to a cap, each multiplied with a random number from 0 to 1; a value.

    This is the "full jitter" of the AWS Architecture Blog, "Exponential Backoff And Jitter": many
    writers that were refused together do not come back together.

    Attributes:
        base: The longest first wait, in seconds.
        cap: The longest wait of all, in seconds.
        attempts: How often one item is sent before it is given up. With the default values, that
            takes about half a minute in which the table takes nothing at all.

    Raises:
        ValueError: A number makes no sense.
    """

    base: float = 0.05
    cap: float = 5.0
    attempts: int = 20

    def __post_init__(self) -> None:
        if not 0 <= self.base <= self.cap:
            raise ValueError(
                f"Backoff(base={self.base!r}, cap={self.cap!r}): both are seconds, and base is "
                "neither negative nor more than cap"
            )
        if self.attempts < 1:
            raise ValueError(f"Backoff(attempts={self.attempts!r}) must be at least 1")

    def delay(self, refusals: int, chance: Callable[[], float] = random.random) -> float:
        """The wait after an item was refused that many times in a row, in seconds.

        Args:
            refusals: At least 1.
            chance: Gives a random number from 0 to 1.
        """
        longest = min(self.cap, self.base * 2.0 ** min(refusals - 1, _DOUBLINGS))
        return longest * chance()

"""A value together with where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from.

    Attributes:
        kind: The step of the precedence that gave it.
        detail: The argument (``"region_name="``), the environment variable, or the file and
            section; empty for defaults.
    """

    kind: Literal["argument", "environment", "file", "default"]
    detail: str = ""

    def __str__(self) -> str:
        return self.detail or self.kind


DEFAULT = Origin("default")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A value in force and its origin."""

    value: Any
    origin: Origin

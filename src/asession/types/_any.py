"""What the modules here have at run time: `Any`, for annotations that are evaluated."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """`Any`, by whatever name."""
    if name.startswith("__"):
        raise AttributeError(name)
    return Any

"""Fixtures of the tests of observers."""

from __future__ import annotations

import pytest

from observe.seen import Seen


@pytest.fixture
def seen() -> Seen:
    """An observer that keeps what it is told."""
    return Seen()

"""The home directory of one test, as the testing kit makes it."""

from __future__ import annotations

from asession.testing import Home as Home

"""moto's server: most services, quick to start, checks no signatures."""

from __future__ import annotations

from asession.testing.kinds import MOTO as MOTO

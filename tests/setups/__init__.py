"""Broken set-ups, each with what an explanation of it must name: cause, place and fix."""

from __future__ import annotations

from setups.files import FILES
from setups.keys import KEYS
from setups.network import NETWORK
from setups.sources import SOURCES
from setups.usual import USUAL

SETUPS = [*USUAL, *FILES, *KEYS, *SOURCES, *NETWORK]

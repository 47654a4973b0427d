"""Broken set-ups in a home of their own, with a server of their own."""

from __future__ import annotations

import os

import pytest

from asession.testing import Home
from servers.identity import IdentityServer
from setups.making import Stage, stage_in


@pytest.fixture
def stage(home: Home, identity: IdentityServer) -> Stage:
    """Makes a set-up; the environment is restored at the end of the test."""
    return stage_in(home.path, identity, os.environ)

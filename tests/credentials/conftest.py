"""Stages of cases, and the oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from credentials.cases import Case, Stage, set_up
from credentials.oracle import Oracle
from servers.identity import IdentityServer


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    """botocore, to be asked."""
    with Oracle() as running:
        yield running


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[[Case], Stage]]:
    """Sets up a case in a home directory and with a server of its own."""
    with ExitStack() as stack:

        def staged(case: Case) -> Stage:
            host = case.read("http.json", {}).get("host", "127.0.0.1")
            server = stack.enter_context(IdentityServer(host=host))
            home = tmp_path / f"home-{server.port}"
            home.mkdir()
            return set_up(case, home, server)

        yield staged

"""The command line, run inside the process of the test."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from asession._cli.main import main
from asession.testing import Home
from servers.identity import IdentityServer
from setups.making import Stage, stage_in


@dataclass(frozen=True, slots=True)
class Ended:
    """How one command ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The output as JSON, which it must be as a whole."""
        return json.loads(self.out)


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> str:
    """The event loop of the commands."""
    return str(request.param)


@pytest.fixture
def asession(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Runs one command."""

    def run(*arguments: str) -> Ended:
        capsys.readouterr()
        status = main(arguments)
        return Ended(status, *capsys.readouterr())

    return run


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch, home: Any, identity: Any) -> Any:
    """Keys in the default profile, a region, and a server that answers for AWS."""
    home.write_config("[default]\nregion = us-east-1\n")
    home.write_credentials(
        "[default]\naws_access_key_id = AKIADEFAULTDEFAULT\naws_secret_access_key = hidden-secret\n"
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL", identity.url)
    return identity


@pytest.fixture
def stage(home: Home, identity: IdentityServer) -> Stage:
    """Makes a set-up; the environment is restored at the end of the test."""
    return stage_in(home.path, identity, os.environ)

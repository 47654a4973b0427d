"""Fixtures of all tests: both event loops, isolation, servers, and the watch on files."""

from __future__ import annotations

import functools
import gc
import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import hypothesis  # noqa: F401 - at its first import it looks for referrers, which freezing hides
import pytest

from asession.testing import Home, OutsideGuard, isolated_environment
from asession.testing.guard import GUARD
from servers.identity import IdentityServer
from servers.ministack import MINISTACK
from servers.moto import MOTO
from servers.process import running
from servers.seaweedfs import SEAWEEDFS, Seaweed
from watch import FileWatch

GUARD.on()

_UVLOOP = "asyncio+uvloop"
_HANDFUL = 6


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--uvloop", action="store_true", help="run the async tests on uvloop too")


def pytest_configure(config: pytest.Config) -> None:
    # The kit's marker, for a page that uses it; its plugin is not loaded where it is not installed.
    config.addinivalue_line("markers", "never_blocking(limit): of the testing kit")
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        # As for Ctrl-C: fixtures are torn down, so that the servers are stopped.
        signal.signal(signal.SIGTERM, functools.partial(_terminate, os.getpid()))


def _terminate(owner: int, number: int, frame: FrameType | None) -> None:
    if os.getpid() == owner:
        raise KeyboardInterrupt
    os._exit(128 + number)  # a fork made by a test: it owns no fixture


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--uvloop"):
        items[:] = [item for item in items if f"[{_UVLOOP}" not in item.name]
    chosen_by_name = config.option.keyword or any("::" in argument for argument in config.args)
    if os.environ.get("ASESSION_SOAK") != "1" and not chosen_by_name:
        dropped = set(_beyond_the_sample(items))
        if dropped:
            config.hook.pytest_deselected(items=list(dropped))
            items[:] = [item for item in items if item not in dropped]


def _beyond_the_sample(items: list[pytest.Item]) -> Iterator[pytest.Item]:
    """Two of three variants of each test in a matrix, where it has more than a handful."""
    groups: dict[tuple[str, str, str], list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("matrix") is not None:
            loop = "trio" if "[trio" in item.name else "asyncio"
            groups.setdefault((item.path.name, item.name.split("[")[0], loop), []).append(item)
    for variants in groups.values():
        if len(variants) > _HANDFUL:
            yield from (item for at, item in enumerate(variants) if at % 3)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("asyncio", {"debug": True}), id="asyncio"),
        pytest.param(("trio", {}), id="trio"),
        pytest.param(("asyncio", {"use_uvloop": True}), id=_UVLOOP),
    ],
)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """The event loops that every async test runs on; uvloop with ``--uvloop``."""
    return request.param


@pytest.fixture(scope="module", autouse=True)
def light_heap() -> None:
    """Keep what earlier modules loaded out of the collector's sight.

    Tests collect garbage to find what was left open; service models are millions of objects, and
    each collection would look at all of them.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A HOME of its own and no AWS, proxy or CA settings for every test."""
    path = tmp_path_factory.mktemp(f"home-{secrets.token_hex(6)}", numbered=False)
    with isolated_environment(path) as home:
        yield home


@pytest.fixture(autouse=True)
def no_credentials_of_other_tests() -> None:
    """Forget what other tests got from sources that look the same, such as a container's."""
    module = sys.modules.get("asession.credentials.cache")
    if module is not None:
        module.PROCESS_CACHE.clear()


@pytest.fixture(autouse=True)
def network_guard() -> Iterator[OutsideGuard]:
    """Fails a test whose process tried to connect beyond loopback."""
    yield GUARD
    attempts = GUARD.take()
    assert not attempts, f"left this machine: {', '.join(attempts)}"


@pytest.fixture
def random_name() -> Callable[[], str]:
    """Makes names for buckets, tables and the like, which share one server."""
    return lambda: f"t-{secrets.token_hex(8)}"


@pytest.fixture
def file_watch() -> FileWatch:
    """Records file access by thread while ``with file_watch:`` runs."""
    return FileWatch()


@pytest.fixture
def identity() -> Iterator[IdentityServer]:
    """A server of credentials: STS, SSO, sign-in, instance metadata, containers."""
    with IdentityServer() as server:
        yield server


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """moto: most services, no signatures checked."""
    with running(MOTO) as server:
        yield server.url


@pytest.fixture(scope="session")
def ministack_url() -> Iterator[str]:
    """ministack: a second opinion on the same services."""
    with running(MINISTACK) as server:
        yield server.url


@pytest.fixture(scope="session")
def seaweed() -> Iterator[Seaweed]:
    """SeaweedFS: S3 with signatures checked."""
    with running(SEAWEEDFS) as server:
        yield Seaweed(server.url)

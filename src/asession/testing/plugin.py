"""The pytest plugin: fixtures and options; nothing happens until one of them is used."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from asession.session import Session
    from asession.testing.guard import OutsideGuard
    from asession.testing.home import Home
    from asession.testing.server import LocalServer


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, all off."""
    group = parser.getgroup("asession", "AWS sessions")
    group.addoption(
        "--aws-server",
        default="moto",
        metavar="KIND",
        help="what the fixture aws_server starts: moto (default), ministack, or a command line "
        "with {port}",
    )
    group.addoption(
        "--aws-loopback-only",
        action="store_true",
        help="fail every test that leaves loopback or opens the user's ~/.aws",
    )
    group.addoption(
        "--never-blocking",
        type=float,
        default=None,
        metavar="SECONDS",
        help="fail every async test that holds its event loop for longer",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker."""
    config.addinivalue_line(
        "markers", "never_blocking(limit=0.1): fail if the event loop is held for longer"
    )


@pytest.fixture(scope="session")
def aws_server(request: pytest.FixtureRequest) -> Iterator[LocalServer]:
    """A local AWS server for the whole run: moto, or what ``--aws-server`` says.

    All tests share it: give buckets and tables names of their own.
    """
    import shlex

    from asession.testing.server import aws_server as run

    kind: str = request.config.getoption("--aws-server")
    with run(shlex.split(kind) if "{port}" in kind else kind) as server:
        yield server


@pytest.fixture
def aws_session(aws_server: LocalServer) -> Session:
    """A new session for `aws_server` with keys that are none, not entered.

    Not entered, so that it works with every plugin for async tests, and in sync tests that start
    a loop themselves: the test enters it, or opens clients with ``async with`` alone.
    """
    return aws_server.session()


@pytest.fixture
def aws_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A HOME of its own for the test, and no AWS, proxy or certificate settings."""
    from asession.testing.environment import isolated_environment

    with isolated_environment(tmp_path_factory.mktemp("aws-home")) as home:
        yield home


@pytest.fixture
def aws_loopback_only() -> Iterator[OutsideGuard]:
    """Fails the test if it leaves loopback, or opens a file in the user's ``~/.aws``."""
    from asession.testing.guard import loopback_only

    with loopback_only() as guard:
        yield guard


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Put the guards asked for around a test.

    Before the plugins that run async tests take the function: anyio's, pytest-asyncio, pytest-trio.
    """
    test = getattr(item, "obj", None)
    limit = _limit(item)
    if limit is not None and inspect.iscoroutinefunction(test):
        setattr(item, "obj", _watched(test, limit))  # noqa: B010 - no attribute of every item
    if not item.config.getoption("--aws-loopback-only"):
        return (yield)
    from asession.testing.guard import loopback_only

    with loopback_only():
        return (yield)


def _limit(item: pytest.Item) -> float | None:
    marker = item.get_closest_marker("never_blocking")
    if marker is None:
        chosen: float | None = item.config.getoption("--never-blocking")
        return chosen
    given = marker.args[0] if marker.args else marker.kwargs.get("limit", 0.1)
    return float(given)


def _watched(test: Any, limit: float) -> Any:
    @functools.wraps(test)
    async def watched(*args: Any, **kwargs: Any) -> Any:
        from asession.testing.blocking import never_blocking

        with never_blocking(limit):
            return await test(*args, **kwargs)

    return watched

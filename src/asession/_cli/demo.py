"""``python -m asession demo``: the steps on both event loops, and a summary of them."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from importlib.metadata import version

import anyio

from asession._cli.demo_home import demo_home
from asession._cli.demo_server import DemoUnavailableError, demo_server
from asession._cli.demo_steps import (
    EXPECTED,
    ROLE_ARN,
    ROLE_SESSION_NAME,
    STEPS,
    Expected,
    MismatchError,
    make_users,
)
from asession._default import setup_default_session
from asession._version import __version__

LOOPS = ("asyncio", "trio")
# How long one step may take, in seconds; all of them together take a few.
_DEADLINE = 20.0


def demo(expected: Expected = EXPECTED) -> int:
    """Run the demo and print how it went.

    Args:
        expected: What the steps compare their results with.

    Returns:
        0 if every step found what it expected, 1 otherwise.
    """
    began = time.perf_counter()
    try:
        with demo_home() as home, demo_server() as url:
            print(
                f"asession {__version__} on Python {platform.python_version()}, "
                f"against moto {version('moto')} at {url}"
            )
            dev, environment = anyio.run(make_users, url, "dev", "environment")
            home.write_profiles(dev=dev, role_arn=ROLE_ARN, role_session_name=ROLE_SESSION_NAME)
            print("profiles: default (empty), dev (keys), ops (a role over dev)")
            os.environ.update(
                AWS_ENDPOINT_URL=url,
                AWS_ACCESS_KEY_ID=environment.access_key,
                AWS_SECRET_ACCESS_KEY=environment.secret_key,
            )
            setup_default_session()
            results = [ok for loop in LOOPS for ok in _run_steps(loop, expected)]
    except DemoUnavailableError as error:
        print(error, file=sys.stderr)
        return 1
    took = time.perf_counter() - began
    wrong = results.count(False)
    if wrong:
        print(f"\n{wrong} of {len(results)} steps FAILED, in {took:.1f} s")
        return 1
    print(f"\nall {len(results)} steps as expected, in {took:.1f} s")
    return 0


def _run_steps(loop: str, expected: Expected) -> Iterator[bool]:
    print(f"\n{loop}")
    for name, step in STEPS.items():
        began = time.perf_counter()
        try:
            found = anyio.run(_in_time, step, expected, backend=loop)
        except Exception as error:  # the other steps still have something to say
            word, found = "FAILED", "; ".join(_reasons(error))
        else:
            word = "ok"
        print(f"  {word:<6}  {name:<18}  {time.perf_counter() - began:6.2f} s  {found}", flush=True)
        yield word == "ok"


async def _in_time(step: Callable[[Expected], Awaitable[str]], expected: Expected) -> str:
    with anyio.fail_after(_DEADLINE):
        return await step(expected)


def _reasons(error: BaseException) -> list[str]:
    if isinstance(error, BaseExceptionGroup):
        # Tasks that fail alike say so once.
        return list(dict.fromkeys(text for one in error.exceptions for text in _reasons(one)))
    if isinstance(error, MismatchError):
        return [str(error)]
    return [f"{type(error).__name__}: {error}"]

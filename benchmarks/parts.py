"""Where the time of opening a session and a client goes: a profile of every thread, by part."""

from __future__ import annotations

import cProfile
import pstats
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.layers import by_layer

# The first that is part of a file's path decides; see `benchmarks.layers`.
PARTS = (
    ("/asession/_aws/catalogue", "model files: found, read, decoded"),
    ("/asession/_aws/models", "model files: found, read, decoded"),
    ("/asession/_aws/index", "model files: found, read, decoded"),
    ("/asession/_profiles/", "profile files"),
    ("/asession/_settings/", "configuration"),
    ("/asession/_aws/variables.py", "configuration"),
    ("/asession/_aws/endpoints.py", "endpoints and their rules"),
    ("/asession/_aws/emitter.py", "events and handlers"),
    ("/asession/_http/", "transport and TLS"),
    ("/asession/_aws/http_session.py", "transport and TLS"),
    ("/asession/", "asession's session and clients"),
    ("botocore/loaders.py", "model files: found, read, decoded"),
    ("botocore/configloader.py", "profile files"),
    ("botocore/configprovider.py", "configuration"),
    ("botocore/config.py", "configuration"),
    ("botocore/args.py", "configuration"),
    ("botocore/regions.py", "endpoints and their rules"),
    ("botocore/endpoint_provider.py", "endpoints and their rules"),
    ("botocore/hooks.py", "events and handlers"),
    ("botocore/_helpers.py", "events and handlers"),
    ("botocore/handlers.py", "events and handlers"),
    ("botocore/utils.py", "events and handlers"),
    ("botocore/credentials.py", "credentials"),
    ("botocore/tokens.py", "credentials"),
    ("botocore/httpsession.py", "transport and TLS"),
    ("botocore/httpxsession.py", "transport and TLS"),
    ("/httpx2/", "transport and TLS"),
    ("/httpcore2/", "transport and TLS"),
    ("/aiohttp/", "transport and TLS"),
    ("/urllib3/", "transport and TLS"),
    ("botocore/model.py", "client class and model"),
    ("botocore/client.py", "client class and model"),
    ("botocore/docs/", "client class and model"),
    ("botocore/session.py", "botocore's session"),
    ("botocore/", "the rest of botocore"),
    ("/boto3/", "the rest of botocore"),
    ("/asyncio/", "event loop and threads"),
    ("/trio/", "event loop and threads"),
    ("/anyio/", "event loop and threads"),
    ("/selectors.py", "event loop and threads"),
    ("/threading.py", "event loop and threads"),
    ("/concurrent/", "event loop and threads"),
    ("<frozen importlib", "imports"),
    ("/benchmarks/", "the benchmark"),
)


def part_of(path: str) -> str | None:
    """The part of a file, or `None` if its callers decide."""
    path = path.replace("\\", "/")
    return next((part for piece, part in PARTS if piece in path), None)


class ThreadProfiles:
    """Profiles of CPU time, one for each thread that begins while its `with` block runs.

    The thread of the block has one too. Threads that wait cost nothing: it is the time of their
    own processor that is measured.
    """

    def __init__(self) -> None:
        self._profiles: list[cProfile.Profile] = []
        self._mine: cProfile.Profile | None = None

    def __enter__(self) -> ThreadProfiles:
        threading.setprofile(self._begun)
        self._mine = self._new()
        self._mine.enable()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._mine is not None
        self._mine.disable()
        threading.setprofile(None)

    def stats(self) -> pstats.Stats:
        """All of them together; the threads are idle or gone by now."""
        stats = pstats.Stats(*self._profiles)
        # Idle is in the middle of a wait, which is now ended by the clock of another thread.
        functions: dict[Any, Any] = stats.stats  # type: ignore[attr-defined]
        for function in [one for one in functions if "'acquire'" in one[2]]:
            del functions[function]
        return stats

    def _begun(self, *_: object) -> None:
        # Called in a new thread, at its first event; the profile takes the place of this function.
        sys.setprofile(None)
        self._new().enable()

    def _new(self) -> cProfile.Profile:
        profile = cProfile.Profile(time.thread_time)
        self._profiles.append(profile)
        return profile


async def profiled(work: Callable[[], Awaitable[None]], times: int) -> dict[str, Any]:
    """The CPU time of each part of one opening, in microseconds under the profiler."""
    with ThreadProfiles() as profiles:
        for _ in range(times):
            await work()
    return by_layer(profiles.stats(), times, layer_of=part_of)

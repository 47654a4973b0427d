"""Using asession changes nothing in botocore, aiobotocore and boto3."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from house import upstream_snapshot

HERE = Path(__file__).parent


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_using_a_session_leaves_every_upstream_attribute_as_it_was(
    moto_url: str, backend: str, tmp_path: Path
) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environ |= {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(
        [sys.executable, str(HERE / "upstream_snapshot.py"), backend, moto_url],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["size"] > 5000
    assert report["differences"] == []
    assert report["plain_after"] == report["plain_before"]
    assert report["plain_before"]["http"] == "AIOHTTPSession"


SOURCE = """
LIMIT = 1
HANDLERS = [("before-call", print)]
TABLE = {"a": print}

def function(a, b=1):
    return a

class Client:
    kind = "plain"
    def call(self):
        return 1
    @staticmethod
    def make():
        return Client()

THE_CLIENT = Client()
"""


@pytest.fixture
def upstream() -> Iterator[ModuleType]:
    """A small module that stands for an upstream package."""
    module = ModuleType("pretended_upstream")
    exec(SOURCE, vars(module))
    sys.modules[module.__name__] = module
    yield module
    del sys.modules[module.__name__]


def patch_code(module: ModuleType) -> None:
    module.function.__code__ = (lambda a, b: b).__code__


def patch_defaults(module: ModuleType) -> None:
    module.function.__defaults__ = (2,)


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        (lambda m: setattr(m, "LIMIT", 2), "replaced: pretended_upstream.LIMIT"),
        (lambda m: setattr(m, "extra", 2), "added: pretended_upstream.extra"),
        (lambda m: delattr(m, "LIMIT"), "removed: pretended_upstream.LIMIT"),
        (lambda m: m.HANDLERS.append(1), "replaced: pretended_upstream.HANDLERS[]"),
        (lambda m: m.TABLE.update(a=len), "replaced: pretended_upstream.TABLE[]"),
        (patch_code, "replaced: pretended_upstream.function()"),
        (patch_defaults, "replaced: pretended_upstream.function(defaults)"),
        (
            lambda m: setattr(m.Client, "call", lambda self: 2),
            "replaced: pretended_upstream.Client.call",
        ),
        (
            lambda m: setattr(m.Client, "make", staticmethod(print)),
            "replaced: pretended_upstream.Client.make",
        ),
        (lambda m: setattr(m.Client, "own", 1), "added: pretended_upstream.Client.own"),
        (
            lambda m: setattr(m.THE_CLIENT, "own", 1),
            "added: pretended_upstream.THE_CLIENT.own",
        ),
    ],
)
def test_a_patch_is_noticed(
    upstream: ModuleType, patch: Callable[[ModuleType], None], expected: str
) -> None:
    packages = (upstream.__name__,)
    before = upstream_snapshot.take(packages)
    assert upstream_snapshot.differences(before, upstream_snapshot.take(packages)) == []
    patch(upstream)
    assert expected in upstream_snapshot.differences(before, upstream_snapshot.take(packages))

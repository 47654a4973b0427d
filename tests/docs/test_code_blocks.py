"""Every Python block of the README and the documentation runs, each one on its own.

A block that defines ``async def main()`` is run on asyncio and on trio, whatever its page starts it
with. One that has an ``if __name__ == "__main__":`` part is a program, and is run as a process of
its own. Any other is executed as it stands. The info string ``python fragment`` marks what is no
program: it is only compiled. ``python theirs`` marks code of another library, to be read beside
ours: it runs on asyncio where that library is installed, and is compiled elsewhere.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import boto3
import pytest

import asession
from home import Home
from servers.identity import IdentityServer
from servers.moto import MOTO
from servers.process import running

ROOT = Path(__file__).parents[2]
FENCE = re.compile(
    r"^(?P<indent> *)```python(?P<info>[^\n]*)\n(?P<code>.*?)^(?P=indent)```\s*$",
    re.MULTILINE | re.DOTALL,
)
LOOPS = ("asyncio", "trio")

# The profiles that the documentation speaks of.
CONFIG = """
[default]
region = us-east-1
[profile dev]
region = eu-west-1
[profile ops]
region = us-west-2
source_profile = dev
role_arn = arn:aws:iam::123456789012:role/ops
[profile prod]
region = eu-central-1
[profile corp]
region = eu-west-1
sso_session = corp
sso_account_id = 123456789012
sso_role_name = dev
[profile lapsed]
region = eu-west-1
sso_session = lapsed
sso_account_id = 123456789012
sso_role_name = dev
[sso-session corp]
sso_region = eu-west-1
sso_start_url = https://corp.awsapps.com/start
[sso-session lapsed]
sso_region = eu-west-1
sso_start_url = https://corp.awsapps.com/start
"""
CREDENTIALS = "".join(
    f"[{name}]\naws_access_key_id = AKIA{name.upper()}\naws_secret_access_key = secret\n"
    for name in ("default", "dev", "prod")
)


# What `aws sso login --sso-session corp` leaves; nobody has logged in to the other one.
SSO_TOKEN = {
    "startUrl": "https://corp.awsapps.com/start",
    "region": "eu-west-1",
    "accessToken": "access-token",
    "expiresAt": "2099-01-01T00:00:00Z",
}


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: its page, its first line there (from 1), its info string, its code."""

    page: str
    line: int
    info: str
    code: str

    @property
    def tree(self) -> ast.Module:
        """The block, its lines counted as in the page, without what starts `main`."""
        tree = ast.parse("\n" * (self.line - 1) + self.code, self.page)
        if self.has_main:
            tree.body = [node for node in tree.body if not _starts_main(node)]
        return tree

    @property
    def has_main(self) -> bool:
        """Whether it defines ``async def main()``."""
        return any(
            isinstance(node, ast.AsyncFunctionDef) and node.name == "main"
            for node in ast.parse(self.code).body
        )

    @property
    def can_run(self) -> bool:
        """Whether everything it imports at its top is installed here."""
        imports = [node for node in ast.parse(self.code).body if isinstance(node, ast.Import)]
        froms = [node for node in ast.parse(self.code).body if isinstance(node, ast.ImportFrom)]
        names = [alias.name for node in imports for alias in node.names]
        names += [node.module for node in froms if node.module]
        return all(importlib.util.find_spec(name.partition(".")[0]) for name in names)

    @property
    def is_program(self) -> bool:
        """Whether it has to be a process of its own."""
        return "__main__" in self.code

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def _starts_main(node: ast.stmt) -> bool:
    # `anyio.run(main)` and its likes, at the top of the block.
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) in {"anyio.run", "asyncio.run", "trio.run"}
        and ast.unparse(node.value.args[0]) in {"main", "main()"}
    )


def blocks(page: str, text: str) -> Iterator[Block]:
    """The Python blocks of a page, in order."""
    for match in FENCE.finditer(text):
        lines = [line.removeprefix(match["indent"]) for line in match["code"].splitlines()]
        line = text[: match.start("code")].count("\n") + 1
        yield Block(page, line, match["info"].strip(), "\n".join(lines))


def all_blocks() -> Iterator[Block]:
    """The blocks of the README and of every page of the documentation."""
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        page = path.relative_to(ROOT).as_posix()
        if not page.startswith("docs/_build/"):
            yield from blocks(page, path.read_text("utf-8"))


def run_block(block: Block, loop: str, folder: Path) -> None:
    """Run one block in `folder`."""
    if block.info == "fragment" or (block.info == "theirs" and not block.can_run):
        compile(block.tree, block.page, "exec")
    elif block.is_program:
        program = folder / "program.py"
        program.write_text(block.code, "utf-8")
        subprocess.run([sys.executable, "-W", "error", str(program)], check=True, timeout=60)
    else:
        assert block.info in {"", "theirs"}, f"{block}: {block.info!r} says nothing to this test"
        if "import httpx2" in block.code:
            pytest.importorskip("httpx2")
        names: dict[str, Any] = {"__name__": "page"}
        exec(compile(block.tree, block.page, "exec"), names)
        if block.has_main:
            assert inspect.iscoroutinefunction(names["main"])
            anyio.run(names["main"], backend=loop)


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    """A server of this module alone, because its state is wiped before each block."""
    with running(MOTO) as server:
        yield server.url


@pytest.fixture(scope="module")
def portal_url() -> Iterator[str]:
    """The portal of IAM Identity Center, which moto has not."""
    with IdentityServer() as server:
        yield server.url


@pytest.fixture
def stage(
    home: Home,
    server_url: str,
    portal_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Path]:
    """What every block finds: a few profiles, one SSO login, an empty server, a folder."""
    reset = urllib.request.Request(f"{server_url}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset, timeout=10).close()
    home.write_config(CONFIG)
    home.write_credentials(CREDENTIALS)
    kept = home.path / ".aws" / "sso" / "cache" / f"{hashlib.sha1(b'corp').hexdigest()}.json"
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps(SSO_TOKEN), "utf-8")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server_url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", portal_url)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # put back afterwards
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    terminate = signal.getsignal(signal.SIGTERM)  # asyncio does not put it back after its own
    yield tmp_path
    signal.signal(signal.SIGTERM, terminate)
    os.environ.clear()
    os.environ.update(before)
    asession.setup_default_session()


def cases() -> Iterator[Any]:
    """Each block, on each loop where that makes a difference."""
    for block in all_blocks():
        on_both = block.has_main and not block.is_program and block.info != "theirs"
        for loop in LOOPS if on_both else LOOPS[:1]:
            yield pytest.param(block, loop, id=f"{block}-{loop}")


@pytest.mark.parametrize(("block", "loop"), list(cases()))
def test_a_block_runs(block: Block, loop: str, stage: Path) -> None:
    run_block(block, loop, stage)


def test_nearly_all_blocks_are_programs() -> None:
    found = list(all_blocks())
    fragments = [str(block) for block in found if block.info == "fragment"]
    assert len(found) >= 20
    assert len(fragments) <= len(found) // 10, fragments


ASYNC = """
# Title

```python
import anyio
import asession

async def main():
    async with asession.Session() as session:
        assert session.region_name == "REGION"

anyio.run(main)
```
"""


@pytest.mark.parametrize("loop", LOOPS)
def test_a_block_with_a_main_is_run_on_the_loop_asked_for(loop: str, stage: Path) -> None:
    text = (
        "```python\nimport sniffio\nasync def main():\n    print(sniffio.current_async_library())\n"
    )
    [block] = blocks("page.md", text.replace("print(", "assert 'LOOP' == (") + "```\n")
    run_block(Block("page.md", 1, "", block.code.replace("LOOP", loop)), loop, stage)
    with pytest.raises(AssertionError):
        run_block(block, loop, stage)


def test_a_block_that_fails_fails_at_its_line(stage: Path) -> None:
    [block] = blocks("page.md", ASYNC)
    with pytest.raises(AssertionError) as caught:
        run_block(block, "asyncio", stage)
    assert caught.traceback[-1].lineno + 1 == 10


def test_the_profiles_of_the_documentation_are_there(stage: Path) -> None:
    [block] = blocks("page.md", ASYNC.replace("REGION", "us-east-1"))
    run_block(block, "trio", stage)


def test_a_program_that_fails_fails_the_test(stage: Path) -> None:
    [block] = blocks(
        "page.md", '```python\nif __name__ == "__main__":\n    raise SystemExit(3)\n```\n'
    )
    with pytest.raises(subprocess.CalledProcessError):
        run_block(block, "asyncio", stage)


def test_code_of_another_library_runs_where_that_is_installed(stage: Path) -> None:
    for name, expected in (("aiobotocore.session", ZeroDivisionError), ("no_such_library", None)):
        [block] = blocks("page.md", f"```python theirs\nimport {name}\n1 / 0\n```\n")
        if expected is None:
            run_block(block, "asyncio", stage)
        else:
            with pytest.raises(expected):
                run_block(block, "asyncio", stage)
    [block] = blocks("page.md", "```python theirs\nimport no_such_library\nno python\n```\n")
    with pytest.raises(SyntaxError):
        run_block(block, "asyncio", stage)


def test_a_fragment_must_compile_and_is_not_run(stage: Path) -> None:
    good, bad = blocks(
        "page.md", "```python fragment\n1 / 0\n```\n\n  ```python fragment\n  no python\n  ```\n"
    )
    run_block(good, "asyncio", stage)
    with pytest.raises(SyntaxError):
        run_block(bad, "asyncio", stage)

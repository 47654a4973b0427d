"""A file is read again only when it has changed, and always then."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from asession._profiles import load
from asession._profiles.cache import Recent
from asession._profiles.load import load_profiles
from asession._runtime.files import read_file
from profiles.files import LONG_AGO_NS, Files, set_time

pytestmark = pytest.mark.anyio


async def test_unchanged_files_give_the_same_snapshot_without_being_read(
    files: Files, reads: list[str], parses: list[str]
) -> None:
    files.write("[default]\nregion = x\n", "[dev]\nk = v\n")
    first = await files.load()
    assert sorted(reads) == sorted(parses) == ["config", "credentials"]
    assert await files.load() is first
    assert (len(reads), len(parses)) == (2, 2)


async def test_a_file_is_parsed_once_even_if_it_is_used_with_another_one(
    files: Files, parses: list[str]
) -> None:
    files.write("[default]\nregion = x\n", "[dev]\nk = v\n")
    await files.load()
    await load_profiles({}, config_file=files.config, credentials_file="")
    assert sorted(parses) == ["config", "credentials"]


async def test_only_the_changed_file_is_read_again(files: Files, reads: list[str]) -> None:
    files.write("[default]\nregion = x\n", "[dev]\nk = 1\n")
    first = await files.load()
    files.write(credentials="[dev]\nk = 2\n")
    set_time(files.credentials, LONG_AGO_NS + 1)
    second = await files.load()
    assert (first.profiles["dev"], second.profiles["dev"]) == ({"k": "1"}, {"k": "2"})
    assert sorted(reads) == ["config", "credentials", "credentials"]


async def test_a_replaced_file_of_the_same_size_and_time_is_seen(files: Files) -> None:
    files.write("[default]\nregion = x\n")
    first = await files.load()
    other = files.config.with_name("other")
    other.write_text("[default]\nregion = y\n")
    set_time(other, LONG_AGO_NS)
    other.replace(files.config)
    second = await files.load()
    assert (first.profiles["default"], second.profiles["default"]) == (
        {"region": "x"},
        {"region": "y"},
    )


async def test_a_file_that_appears_or_goes_is_seen(files: Files) -> None:
    nothing = await files.load()
    assert await files.load() is nothing
    files.write("[profile dev]\n")
    assert (await files.load()).available_profiles == ("dev",)
    files.config.unlink()
    assert (await files.load()).files == nothing.files


async def test_a_second_write_within_one_tick_of_the_clock_is_seen(
    files: Files, parses: list[str]
) -> None:
    # Same size, same inode, same time: what two quick writes may leave on any file system.
    now = time.time_ns()
    for region in ("x", "y"):
        files.config.write_text(f"[default]\nregion = {region}\n")
        set_time(files.config, now + 10**9)
        assert (await files.load()).profiles == {"default": {"region": region}}
    last = await files.load()
    assert await files.load() is last
    assert parses == ["config", "config"]


@pytest.mark.parametrize(("age_ns", "reads_again"), [(10**9, True), (3 * 10**9, False)])
async def test_a_file_system_that_knows_whole_seconds_only_is_given_more_time(
    files: Files, reads: list[str], age_ns: int, reads_again: bool
) -> None:
    files.write("[default]\n")
    whole_second = time.time_ns() // 10**9 * 10**9
    set_time(files.config, whole_second + 10**9 - age_ns)
    await files.load()
    await files.load()
    assert (len(reads) == 2) is reads_again


async def test_a_file_that_changes_while_it_is_read_is_read_again(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write("[profile old]\n")
    rewritten = False

    async def slow(path: str) -> bytes:
        nonlocal rewritten
        data = await read_file(path)
        if not rewritten:
            rewritten = True
            files.write("[profile new]\n")
            set_time(files.config, LONG_AGO_NS + 1)
            return data[:5]
        return data

    monkeypatch.setattr(load, "read_file", slow)
    assert (await files.load()).available_profiles == ("new",)


async def test_a_file_that_never_rests_is_taken_as_it_is_but_not_cached(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write("[profile p0]\n")
    count = 0

    async def restless(path: str) -> bytes:
        nonlocal count
        data = await read_file(path)
        count += 1
        files.write(f"[profile p{count}]\n")
        set_time(files.config, LONG_AGO_NS + count)
        return data

    monkeypatch.setattr(load, "read_file", restless)
    assert (await files.load()).available_profiles == (f"p{count - 1}",)
    monkeypatch.undo()
    assert (await files.load()).available_profiles == (f"p{count}",)


async def test_a_file_that_goes_before_it_is_opened_is_missing(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write("[profile dev]\n")

    async def late(path: str) -> bytes:
        files.config.unlink()
        return await read_file(path)

    monkeypatch.setattr(load, "read_file", late)
    assert (await files.load()).files[0].status == "missing"


async def test_the_cache_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "_contents", Recent(3))
    monkeypatch.setattr(load, "_pairs", Recent(3))
    for number in range(5):
        path = tmp_path / str(number)
        path.write_bytes(b"[default]\n")
        await load_profiles({}, config_file=path, credentials_file="")
    assert (len(load._contents), len(load._pairs)) == (3, 3)


def test_the_cache_drops_what_was_unused_for_longest() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert [recent.get(key) for key in "abc"] == [1, None, 3]


def test_threads_that_made_equal_values_agree_on_the_first() -> None:
    recent: Recent[str, list[str]] = Recent(2)
    first, second, other = ["x"], ["x"], ["y"]
    assert recent.agree("k", first) is first
    assert recent.agree("k", second) is first
    assert recent.agree("k", other) is other
    assert recent.get("k") is other


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_child_forked_while_the_cache_is_locked_can_use_it() -> None:
    recent: Recent[str, int] = Recent(2)
    with recent._lock:
        child = os.fork()
        if child == 0:
            recent.put("a", 1)
            os._exit(0 if recent.get("a") == 1 else 1)
    deadline = time.monotonic() + 10
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    if ended[0] == 0:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert ended == (child, 0)

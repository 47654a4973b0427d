"""Reading both files: at once, off the event loop, and only when they have changed."""

from __future__ import annotations

import contextlib
import os
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from botocore.configloader import load_config

from asession._profiles import load
from asession._profiles.load import load_profiles
from asession._profiles.snapshot import FileState, ProfileSnapshot
from asession._runtime.files import read_file
from asession.exceptions import ConfigParseError
from profiles.files import Files
from watch import FileWatch

pytestmark = pytest.mark.anyio

needs_permissions = pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")


@contextlib.contextmanager
def not_root() -> Iterator[None]:
    """Permissions count, even if the tests run as root, who may read everything."""
    user = os.geteuid()
    if user != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


async def test_credentials_are_merged_over_the_config_file(files: Files) -> None:
    files.write("[profile dev]\nregion = x\nk = config\n", "[dev]\nk = credentials\n")
    snapshot = await files.load()
    assert snapshot.profiles == {"dev": {"region": "x", "k": "credentials"}}
    assert snapshot.origin_of("dev", "k") == f"{files.credentials} [dev]"
    assert snapshot.files == (
        FileState(str(files.config), "config", "read"),
        FileState(str(files.credentials), "credentials", "read"),
    )


async def test_the_files_of_the_home_directory_are_the_default(tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[profile home]\n")
    environ = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    assert (await load_profiles(environ)).available_profiles == ("home",)


async def test_arguments_win_and_are_expanded_with_the_given_environment(files: Files) -> None:
    files.write("[profile argument]\n", "[other]\n")
    environ = {
        "AWS_CONFIG_FILE": "/nowhere",
        "HERE": str(files.config.parent),
        "HOME": str(files.config.parent),
        "USERPROFILE": str(files.config.parent),
    }
    snapshot = await load_profiles(
        environ, config_file="$HERE/config", credentials_file="~/credentials"
    )
    assert snapshot.available_profiles == ("argument", "other")


async def test_one_file_may_be_both(files: Files) -> None:
    files.write("[default]\nregion = x\n")
    snapshots = [
        await load_profiles({}, config_file=files.config, credentials_file=files.config)
        for _ in range(2)
    ]
    assert snapshots[0].profiles == {"default": {"region": "x"}}
    assert snapshots[0] is snapshots[1]


async def test_missing_files_and_directories_count_as_empty_without_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    missing = tmp_path / "file" / "below"
    missing.parent.write_text("not a directory")
    snapshot = await load_profiles({}, config_file=missing, credentials_file=tmp_path)
    assert [state.status for state in snapshot.files] == ["missing", "directory"]
    assert snapshot.full_config() == {"profiles": {}}
    assert snapshot.searched == (f"{missing} (missing)", f"{tmp_path} (directory)")
    assert caplog.records == []


@pytest.mark.parametrize("path", ["", "null\0character", "lone\udcffsurrogate\ud800"])
async def test_a_path_that_cannot_exist_is_a_missing_file(path: str) -> None:
    snapshot = await load_profiles({}, config_file=path, credentials_file=path)
    assert [state.status for state in snapshot.files] == ["missing", "missing"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
async def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with anyio.fail_after(5):
        snapshot = await load_profiles({}, config_file=pipe, credentials_file="")
    assert snapshot.files[0].describe() == f"{pipe} (missing: not a regular file)"


async def test_an_empty_file_is_a_file(files: Files) -> None:
    files.write("", "")
    snapshot = await files.load()
    assert [state.status for state in snapshot.files] == ["read", "read"]
    assert snapshot.full_config() == {"profiles": {}, "sso_sessions": {}, "services": {}}


@needs_permissions
async def test_an_unreadable_file_counts_as_empty_with_one_warning(
    files: Files, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write("[default]\n", "[dev]\nk = v\n")
    files.config.chmod(0)
    files.config.parent.chmod(0o755)
    # Relative paths: the directories above are closed to all but the user who runs the tests.
    monkeypatch.chdir(files.config.parent)
    snapshots: list[ProfileSnapshot] = []

    async def one() -> None:
        found = await load_profiles({}, config_file="config", credentials_file="credentials")
        snapshots.append(found)

    with not_root():
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(one)
        await one()
        with pytest.raises(PermissionError):
            Path("config").read_bytes()
        expected = load_config("config")
    assert len(set(snapshots)) == 1
    assert snapshots[0].files[0] == FileState("config", "config", "unreadable", "Permission denied")
    assert snapshots[0].config_only() == expected
    assert snapshots[0].profiles == {"dev": {"k": "v"}}
    assert [(record.name, record.getMessage()) for record in caplog.records] == [
        ("asession.profiles", "cannot read config: Permission denied; it counts as empty")
    ]
    files.config.chmod(0o644)
    readable = await load_profiles({}, config_file="config", credentials_file="credentials")
    assert readable.available_profiles == ("default", "dev")


@needs_permissions
async def test_a_file_in_a_closed_directory_is_unreadable_too(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    random_name: Callable[[], str],
) -> None:
    # A name of its own: there is no second warning about the same path.
    closed = tmp_path / random_name()
    closed.mkdir()
    (closed / "config").write_text("[default]\n")
    closed.chmod(0)
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    with not_root():
        snapshot = await load_profiles({}, config_file=f"{closed.name}/config", credentials_file="")
    closed.chmod(0o700)
    state = f"{closed.name}/config (unreadable: Permission denied)"
    assert snapshot.files[0].describe() == state
    assert snapshot.full_config() == {"profiles": {}}
    assert len(caplog.records) == 1


async def test_an_error_in_the_file_comes_out_bare_and_without_its_text(files: Files) -> None:
    files.write("[a]\nk = v\n", "[a]\nk = v\nhidden-secret\n")
    with pytest.raises(ConfigParseError) as caught:
        await files.load()
    assert (caught.value.path, caught.value.line) == (str(files.credentials), 3)
    assert "hidden-secret" not in str(caught.value)


async def test_no_frame_of_an_error_holds_the_text_of_a_file(files: Files) -> None:
    # Error reporters send the variables of every frame.
    files.write("[a]\nk = hidden-secret\n", "[a]\nk = hidden-secret\nbroken\n")
    with pytest.raises(ConfigParseError) as caught:
        await files.load()
    frames = list(traceback.walk_tb(caught.value.__traceback__))
    assert "load_profiles" in [frame.f_code.co_name for frame, _ in frames]
    seen = [repr(value) for frame, _ in frames for value in frame.f_locals.values()]
    assert not any("hidden-secret" in text for text in seen)


async def test_of_two_broken_files_the_config_file_is_reported(files: Files) -> None:
    files.write("broken", "broken")
    with pytest.raises(ConfigParseError) as caught:
        await files.load()
    assert caught.value.path == str(files.config)


async def test_a_repaired_file_is_read_again(files: Files) -> None:
    files.write("broken")
    with pytest.raises(ConfigParseError):
        await files.load()
    files.write("[profile dev]")
    assert (await files.load()).available_profiles == ("dev",)


async def test_both_files_are_read_at_the_same_time(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write("[profile dev]\n", "[dev]\n")
    waiting: list[str] = []
    both = anyio.Event()

    async def meeting(path: str) -> bytes:
        waiting.append(path)
        if len(waiting) == 2:
            both.set()
        await both.wait()
        return await read_file(path)

    monkeypatch.setattr(load, "read_file", meeting)
    with anyio.fail_after(5):
        await files.load()
    assert sorted(waiting) == [str(files.config), str(files.credentials)]


async def test_a_cancelled_load_leaves_the_next_one_unharmed(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write("[profile dev]\n", "[dev]\n")

    async def endless(path: str) -> bytes:
        await anyio.sleep_forever()
        raise AssertionError("unreachable")

    with monkeypatch.context() as patch:
        patch.setattr(load, "read_file", endless)
        with anyio.move_on_after(0.05) as scope:
            await files.load()
    assert scope.cancelled_caught
    assert (await files.load()).available_profiles == ("dev",)


async def test_the_thread_of_the_event_loop_touches_no_file(
    files: Files, file_watch: FileWatch
) -> None:
    environ = {"HOME": str(files.config.parent), "USERPROFILE": str(files.config.parent)}
    arguments: dict[str, Any] = {"config_file": "~/config", "credentials_file": "~/credentials"}
    files.write("[profile dev]\n", "[dev]\n")
    with file_watch:
        await load_profiles(environ, **arguments)
        await load_profiles(environ, **arguments)
        await load_profiles({}, **arguments)
    touched = {event.path for event in file_watch.events}
    assert {str(files.config), str(files.credentials)} <= touched
    assert file_watch.on_thread(threading.get_ident()) == []


async def test_many_tasks_that_load_at_once_get_the_same_snapshot(files: Files) -> None:
    files.write("[profile dev]\n", "[dev]\n")
    found: list[ProfileSnapshot] = []

    async def one() -> None:
        found.append(await files.load())

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(one)
    assert len(found) == 20
    assert len(set(found)) == 1


async def test_event_loops_in_eight_threads_get_the_same_snapshot(
    files: Files, anyio_backend_name: str
) -> None:
    files.write("[profile dev]\n", "[dev]\n")
    start = threading.Barrier(8, timeout=10)

    def one_loop() -> ProfileSnapshot:
        start.wait()
        return anyio.run(files.load, backend=anyio_backend_name)

    found: list[ProfileSnapshot] = []

    async def one() -> None:
        found.append(await anyio.to_thread.run_sync(one_loop))

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(one)
    assert len(found) == 8
    assert len(set(found)) == 1
    assert found[0].available_profiles == ("dev",)

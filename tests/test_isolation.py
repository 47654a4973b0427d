"""No test sees the user's settings, leaves this machine, or touches files unseen by the watch."""

from __future__ import annotations

import operator
import os
import socket
import ssl
import threading
from pathlib import Path

import anyio
import anyio.to_thread
import botocore.session
import pytest

from asession.testing import OutsideError, OutsideGuard
from home import Home
from watch import FileWatch


@pytest.mark.parametrize("host", ["192.0.2.1", "169.254.169.254", "::2"])
def test_leaving_this_machine_is_refused_and_remembered(
    host: str, network_guard: OutsideGuard
) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as connection, pytest.raises(OutsideError):
        connection.connect((host, 80))
    assert network_guard.take() == [f"socket.connect {host}"]


def test_resolving_a_name_is_refused_and_remembered(network_guard: OutsideGuard) -> None:
    with pytest.raises(OutsideError):
        socket.getaddrinfo("example.com", 80)
    assert network_guard.take() == ["socket.getaddrinfo example.com"]
    assert socket.getaddrinfo("localhost", 80)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])  # uvloop is not seen
async def test_the_guard_stops_the_event_loops_too(network_guard: OutsideGuard) -> None:
    with pytest.raises((OutsideError, OSError, BaseExceptionGroup)):
        await anyio.connect_tcp("192.0.2.1", 80)
    assert network_guard.take()


@pytest.mark.anyio
async def test_the_watch_tells_the_loop_from_its_threads(
    file_watch: FileWatch, tmp_path: Path
) -> None:
    def touch() -> int:
        (tmp_path / "file").write_text("x")
        os.listdir(tmp_path)
        return threading.get_ident()

    Path(__file__).exists()  # before it records
    with file_watch:
        worker = await anyio.to_thread.run_sync(touch)
    here = threading.get_ident()
    calls = [(event.call, event.path) for event in file_watch.on_thread(worker)]
    assert ("open", str(tmp_path / "file")) in calls
    assert ("os.listdir", str(tmp_path)) in calls
    assert file_watch.on_thread(here) == []
    assert file_watch.on_thread(worker)[0].comes_from("touch (")


@pytest.mark.parametrize(
    "call", ["path.isfile", "path.exists", "path.isdir", "stat", "lstat", "access", "listdir"]
)
def test_the_watch_sees(call: str, file_watch: FileWatch, tmp_path: Path) -> None:
    look_up = operator.attrgetter(call)
    arguments = (str(tmp_path), os.R_OK) if call == "access" else (str(tmp_path),)
    before = look_up(os), os.supports_follow_symlinks
    with file_watch:
        look_up(os)(*arguments)
    look_up(os)(*arguments)
    seen = file_watch.on_thread(threading.get_ident())
    assert [(event.call, event.path.split()[0]) for event in seen] == [
        (f"os.{call}", str(tmp_path))
    ]
    assert before == (look_up(os), os.supports_follow_symlinks)


def test_the_watch_sees_pathlib(file_watch: FileWatch, tmp_path: Path) -> None:
    with file_watch:
        tmp_path.stat()
        list(tmp_path.iterdir())
    calls = [event.call for event in file_watch.on_thread(threading.get_ident())]
    assert calls in (["os.stat", "os.listdir"], ["os.stat", "os.scandir"])


def test_the_watch_sees_certificates_being_loaded(file_watch: FileWatch) -> None:
    with file_watch:
        ssl.create_default_context()
    seen = file_watch.on_thread(threading.get_ident())
    assert [event.call for event in seen] == ["ssl.load_default_certs"]
    assert "load_verify_locations" not in vars(ssl.SSLContext)


def test_the_environment_is_empty_of_aws(home: Home) -> None:
    names = {name for name in os.environ if name.upper().startswith(("AWS_", "BOTO"))}
    assert names == {"AWS_EC2_METADATA_DISABLED"}
    assert Path("~").expanduser() == home.path
    file = home.write_config("[default]\nregion = eu-north-1\n")
    assert botocore.session.Session().get_config_variable("region") == "eu-north-1"
    assert file == home.path / ".aws" / "config"

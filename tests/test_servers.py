"""The server processes that the other tests rely on start, answer, and stop."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from servers.moto import MOTO
from servers.process import HOST, ServerFailedError, ServerSpec, free_ports, running, start
from servers.seaweedfs import SEAWEEDFS, Seaweed
from servers.sync import sync_client


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("server", ["moto_url", "ministack_url"])
def test_an_emulator_keeps_buckets_and_tables(
    server: str, request: pytest.FixtureRequest, random_name: Callable[[], str]
) -> None:
    url, name = request.getfixturevalue(server), random_name()
    with sync_client("s3", url) as s3, sync_client("dynamodb", url) as dynamodb:
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        assert name in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
        assert name not in dynamodb.list_tables()["TableNames"]


def test_seaweedfs_keeps_an_object(seaweed: Seaweed, random_name: Callable[[], str]) -> None:
    bucket = random_name()
    with sync_client("s3", seaweed.url, seaweed.access_key, seaweed.secret_key) as s3:
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="a/b c", Body=b"content" * 10_000)
        assert s3.get_object(Bucket=bucket, Key="a/b c")["Body"].read() == b"content" * 10_000


@pytest.mark.parametrize(
    ("access_key", "secret_key", "code"),
    [(None, "wrong", "SignatureDoesNotMatch"), ("AKIDUNKNOWN", None, "InvalidAccessKeyId")],
)
def test_seaweedfs_refuses_wrong_keys(
    seaweed: Seaweed, access_key: str | None, secret_key: str | None, code: str
) -> None:
    keys = access_key or seaweed.access_key, secret_key or seaweed.secret_key
    with (
        sync_client("s3", seaweed.url, *keys) as s3,
        pytest.raises(ClientError) as caught,
    ):
        s3.list_buckets()
    assert caught.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("spec", [MOTO, SEAWEEDFS], ids=lambda spec: spec.name)
def test_a_stopped_server_leaves_nothing(spec: ServerSpec) -> None:
    with running(spec) as server:
        directory = server._directory
        assert process_exists(server.pid)
        assert is_listening(server.ports[0])
        assert directory.exists()
    assert not process_exists(server.pid)
    assert not any(is_listening(port) for port in server.ports)
    assert not directory.exists()
    assert not any(path.exists() for path in spec.litter(server.ports))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_of_the_test_run_stops_no_server() -> None:
    with running(MOTO) as server:
        child = os.fork()
        if not child:
            server.stop()
            os._exit(0)
        os.waitpid(child, 0)
        assert server.running
        assert is_listening(server.ports[0])


def test_a_server_that_ends_shows_its_log() -> None:
    spec = python_server("print('the reason'); raise SystemExit(3)")
    with pytest.raises(ServerFailedError, match=r"ended before it answered(?s:.)*the reason"):
        start(spec)


def test_a_server_that_is_silent_is_given_up_and_stopped(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    with pytest.raises(ServerFailedError, match="did not answer in time"):
        start(python_server(code), timeout=1)
    assert not process_exists(int(note.read_text()))


def test_a_taken_port_is_replaced(tmp_path: Path) -> None:
    tried: list[int] = []

    def command(ports: Any, directory: Path) -> list[str]:
        tried.append(ports[0])
        # The first time the port of a listening socket, as if somebody had been quicker.
        port = taken.getsockname()[1] if len(tried) == 1 else ports[0]
        return [sys.executable, "-m", "http.server", "--bind", HOST, str(port)]

    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        with running(ServerSpec(name="files", command=command, ready=[(0, "/")])):
            assert len(tried) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux ties them")
def test_a_server_dies_with_a_test_run_that_is_killed(tmp_path: Path) -> None:
    code = """
        import time
        from servers.process import running
        from servers.moto import MOTO
        with running(MOTO) as server:
            print(server.pid, server._directory, flush=True)
            time.sleep(60)
    """
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "TMPDIR": str(tmp_path)}
    run = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, env=environ
    )
    with run:
        assert run.stdout is not None
        pid = int(run.stdout.readline().split()[0])
        run.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while process_is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not process_is_alive(pid)


def test_a_server_sees_none_of_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "private")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    code = "import os; print(sorted(os.environ)); raise SystemExit(os.environ['HOME'])"
    with pytest.raises(ServerFailedError) as caught:
        start(python_server(code))
    message = str(caught.value)
    assert "AWS_EC2_METADATA_DISABLED" in message
    assert "AWS_PROFILE" not in message
    assert "HTTPS_PROXY" not in message
    assert os.environ["HOME"] not in message


def test_free_ports_differ() -> None:
    assert len(set(free_ports(20))) == 20


def python_server(code: str) -> ServerSpec:
    return ServerSpec(
        name="python",
        command=lambda ports, directory: [sys.executable, "-c", code],
        ready=[(0, "/")],
    )


def process_is_alive(pid: int) -> bool:
    """Like `process_exists`, but a zombie that init has not collected counts as dead."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"

"""`aws_server` runs a server for a block and ends it at every exit; the environment is put back."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import anyio
import pytest
from aiobotocore.stub import AioStubber
from botocore.exceptions import ClientError, StubAssertionError

from asession import Session
from asession.testing import (
    LocalServer,
    OutsideError,
    ServerFailedError,
    aws_server,
    isolated_environment,
    loopback_only,
)

pytestmark = pytest.mark.anyio

SERVE = [sys.executable, "-m", "http.server", "--bind", "{host}", "{port}"]


async def test_a_block_has_a_server_and_a_session_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-user")
    async with aws_server() as server:
        assert server.running
        async with server.session() as session, session.client("s3") as s3:
            await s3.create_bucket(Bucket="a-bucket")
            assert [one["Name"] for one in (await s3.list_buckets())["Buckets"]] == ["a-bucket"]
            keys = await session.get_credentials()
            assert keys is not None
            assert keys.access_key == "testing"
    assert not server.running


async def test_a_server_ends_when_its_block_is_cancelled() -> None:
    seen: list[LocalServer] = []
    with anyio.CancelScope() as scope:
        async with aws_server(SERVE) as server:
            seen.append(server)
            scope.cancel()
            await anyio.sleep_forever()
    assert not seen[0].running


def test_a_server_given_by_command_ends_when_its_block_fails() -> None:
    block = aws_server(SERVE)
    with pytest.raises(KeyError), block as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        with pytest.raises(RuntimeError, match="entered already"):
            block.__enter__()
        raise KeyError
    assert not server.running
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)


@pytest.mark.parametrize(
    ("server", "says"), [("motto", "'moto', 'ministack'"), ([], "empty"), (["x"], "{port}")]
)
def test_a_server_that_is_not_known_is_refused(server: str | list[str], says: str) -> None:
    with pytest.raises(ServerFailedError, match=says):
        aws_server(server)


def test_a_command_that_fails_says_so_with_its_log() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no luck with {port}')"]
    with pytest.raises(ServerFailedError, match="no luck with"), aws_server(command):
        pass


def test_the_environment_is_isolated_and_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("https_proxy", "http://192.0.2.1")
    before = dict(os.environ)
    with isolated_environment() as home:
        assert Path.home() == home.path
        assert "AWS_PROFILE" not in os.environ
        assert "https_proxy" not in os.environ
        assert os.environ["AWS_EC2_METADATA_DISABLED"] == "true"
        os.environ["AWS_REGION"] = "x"
    assert dict(os.environ) == before
    assert not home.path.exists()


def test_opening_the_settings_of_the_user_is_refused_even_if_swallowed() -> None:
    import pwd

    path = Path(pwd.getpwuid(os.getuid()).pw_dir) / ".aws" / "config"
    with pytest.raises(OutsideError, match=r"\.aws"), loopback_only():
        try:
            path.read_text()
        except AssertionError:
            pass


async def test_stubs_of_aiobotocore_work_on_our_clients() -> None:
    async with Session("a", "b", region_name="eu-west-1").client("sts") as sts:
        with AioStubber(sts) as stub:
            stub.add_response("get_caller_identity", {"Account": "1"}, {})
            stub.add_client_error("get_caller_identity", "Denied")
            stub.add_response("get_caller_identity", {}, {"Other": "x"})
            assert (await sts.get_caller_identity())["Account"] == "1"
            with pytest.raises(ClientError, match="Denied"):
                await sts.get_caller_identity()
            with pytest.raises(StubAssertionError):
                await sts.get_caller_identity()

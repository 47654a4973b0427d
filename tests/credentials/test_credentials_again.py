"""What sources read again when their credentials end."""

from __future__ import annotations

import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import pytest

from asession import Session
from home import Home
from servers.identity import EKS_PATH, IdentityServer
from servers.messages import RecordedRequest, Reply
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio

ROLE = "arn:aws:iam::123456789012:role/web"
_FAR = "2099-01-01T00:00:00Z"
_SCRIPT = """
import datetime, json, pathlib
end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds={life})
keys = {{"AccessKeyId": pathlib.Path({id!r}).read_text(), "SecretAccessKey": "s"}}
print(json.dumps({{"Version": 1, **keys, "SessionToken": "t", "Expiration": end.isoformat()}}))
"""
LIFE = 3.0  # seconds; ends are told to the second, so that two of them are sure


def environ(home: Home, server: IdentityServer, **more: str) -> dict[str, str]:
    return {
        "HOME": str(home.path),
        "AWS_ENDPOINT_URL": server.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        **more,
    }


def kept_in(path: Path, text: str) -> str:
    path.write_text(text, "utf-8")
    return str(path)


async def test_tokens_in_files_and_processes_are_read_again_at_each_refresh(
    home: Home, identity: IdentityServer
) -> None:
    identity.mint.expires_in = LIFE
    pod, web, script = (home.path / name for name in ("pod", "web", "keys.py"))
    script.write_text(_SCRIPT.format(life=LIFE, id=str(home.path / "id")))
    home.write_config(f"[profile proc]\ncredential_process = {sys.executable} -I -S {script}\n")
    sessions = [
        Session(
            environ=environ(
                home,
                identity,
                AWS_CONTAINER_CREDENTIALS_FULL_URI=identity.url + EKS_PATH,
                AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=kept_in(pod, "pod-1"),
            )
        ),
        Session(
            environ=environ(
                home,
                identity,
                AWS_WEB_IDENTITY_TOKEN_FILE=kept_in(web, "web-1"),
                AWS_ROLE_ARN=ROLE,
            )
        ),
        Session(environ=environ(home, identity), profile_name="proc"),
    ]
    kept_in(home.path / "id", "AKIAONE")
    async with AsyncExitStack() as entered:
        for session in sessions:
            await entered.enter_async_context(session)
        first = [await session.get_frozen_credentials() for session in sessions]
        for path, text in ((pod, "pod-2"), (web, "web-2"), (home.path / "id", "AKIATWO")):
            kept_in(path, text)
        await anyio.sleep(LIFE + 0.1)
        identity.clear()
        again = [await session.get_frozen_credentials() for session in sessions]
    tokens = {call.token or call.parameters.get("WebIdentityToken") for call in identity.calls}
    assert tokens == {"pod-2", "web-2"}
    assert [keys.access_key for keys in (first[2], again[2])] == ["AKIAONE", "AKIATWO"]
    assert all(one.token != two.token for one, two in zip(first[:2], again[:2], strict=True))


async def test_a_renewed_sso_token_is_kept_as_the_cli_keeps_it_and_used_by_the_next_session(
    home: Home, identity: IdentityServer
) -> None:
    identity.portal.access_tokens = set()
    identity.portal.refresh_tokens = {"refresh-0"}
    home.write_config(
        "[default]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = dev\n"
        "[sso-session corp]\nsso_start_url = https://corp.example/start\nsso_region = us-east-1\n"
    )
    # The name is the SHA-1 of "corp", as `aws sso login` has it.
    cache = home.path / ".aws" / "sso" / "cache" / "ee0bfd2552fbd840c02cc48b6e823320543c450f.json"
    cache.parent.mkdir(parents=True)
    token = {"accessToken": "access-0", "expiresAt": "2020-01-01T00:00:00Z", "region": "us-east-1"}
    registration = {
        "clientId": "c",
        "clientSecret": "s",
        "registrationExpiresAt": "2099-01-01T00:00:00Z",
    }
    cache.write_text(json.dumps({**token, **registration, "refreshToken": "refresh-0"}))
    for _ in range(2):
        session = Session(environ=environ(home, identity))
        assert await session.get_frozen_credentials()
    assert identity.count("sso-oidc:CreateToken") == 1
    kept = json.loads(cache.read_text())
    assert (kept["accessToken"], kept["refreshToken"]) == ("access-token-1", "refresh-token-1")
    assert cache.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in cache.parent.iterdir()] == [cache.name]


async def test_bearer_tokens_are_renewed_by_one_call_for_all_tasks_and_clients(
    home: Home, identity: IdentityServer
) -> None:
    home.write_config(
        "[default]\nsso_session = corp\n"
        "[sso-session corp]\nsso_start_url = https://corp.example/start\nsso_region = us-east-1\n"
    )
    cache = home.path / ".aws" / "sso" / "cache" / "ee0bfd2552fbd840c02cc48b6e823320543c450f.json"
    cache.parent.mkdir(parents=True)
    token = {
        "accessToken": "access-0",
        "expiresAt": "2020-01-01T00:00:00Z",
        "refreshToken": "refresh-0",
        "clientId": "c",
        "clientSecret": "s",
        "registrationExpiresAt": "2099-01-01T00:00:00Z",
    }
    cache.write_text(json.dumps(token))
    identity.delay("sso-oidc:CreateToken", 0.05)

    def answer(_request: RecordedRequest) -> Reply:
        return Reply.json({"items": []})

    with Recorder(answer) as service:
        session = Session(environ=environ(home, identity))
        async with session, anyio.create_task_group() as group:
            for _ in range(2):
                client = await session.client("codecatalyst", endpoint_url=service.url)
                for _ in range(20):
                    group.start_soon(client.list_spaces)
    sent = [request.headers["authorization"] for request in service.requests]
    assert sent == ["Bearer access-token-1"] * 40
    assert identity.count("sso-oidc:CreateToken") == 1

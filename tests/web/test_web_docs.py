"""The applications of the how-to page answer requests, on both event loops."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

from asession import Session
from home import Home
from servers.identity import IdentityServer
from servers.recorder import Recorder
from servers.seaweedfs import Seaweed
from web.driver import ask, started

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "web.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def app_of(marker: str) -> Any:
    """The application in the one block that contains the marker."""
    [block] = [block for block in BLOCKS if marker in block]
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(block, str(PAGE), "exec"), names)
    return names["app"]


@pytest.fixture(autouse=True)
def stage(home: Home, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The profiles of the page, and AWS at the recorder."""
    names = ("default", "dev", "prod")
    home.write_credentials(
        "".join(
            f"[{name}]\naws_access_key_id = AKID{name.upper()}\naws_secret_access_key = secret\n"
            "region = eu-west-1\n"
            for name in names
        )
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL", recorder.url)


async def test_one_session_for_the_application(recorder: Recorder) -> None:
    app = app_of('Starlette(routes=[Route("/buckets"')
    assert (await ask(app, "/buckets")).json() == []
    assert [request.access_key for request in recorder.requests] == ["AKIDDEV"]


async def test_a_session_for_each_tenant() -> None:
    app = app_of("session=tenant_session")
    for tenant, key in {"red": "AKIDDEV", "blue": "AKIDPROD"}.items():
        assert (await ask(app, "/whoami", x_tenant=tenant)).text.endswith(f"/{key}")
    assert (await ask(app, "/whoami")).text.endswith("/AKIDDEFAULT")
    with pytest.raises(KeyError):
        await ask(app, "/whoami", x_tenant="green")


async def test_as_a_dependency(recorder: Recorder) -> None:
    app = app_of("async def count_buckets")
    for tenant, key in {"red": "AKIDDEV", "blue": "AKIDPROD"}.items():
        headers = {"x_tenant": tenant}
        assert (await ask(app, "/whoami", **headers)).json().endswith(f"/{key}")
        assert (await ask(app, "/count", **headers)).json() == 0
        assert recorder.requests[-1].access_key == key
    assert (await ask(app, "/whoami", x_tenant="green")).status_code == 403


async def test_a_client_for_the_application_has_its_lifespan(recorder: Recorder) -> None:
    app = app_of("request.state.s3")
    async with started(app) as served:
        assert served.told == [{"type": "lifespan.startup.complete"}]
        assert set(served.state) == {"s3"}
        await served.state["s3"].list_buckets()
    assert [request.access_key for request in recorder.requests] == ["AKIDDEV"]


async def test_kept_sessions_of_tenants(
    identity: IdentityServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", identity.url)
    app = app_of("SessionCache(session_of")
    async with app.router.lifespan_context(app):
        for tenant in ("red", "blue", "red"):
            assert (await ask(app, "/account", x_tenant=tenant)).status_code == 200
        assert (await ask(app, "/account", x_tenant="green")).status_code == 403
    asked = [call.parameters["RoleArn"] for call in identity.calls if call.parameters]
    assert asked == [f"arn:aws:iam::{digit * 12}:role/app" for digit in "12"]
    assert identity.connections_opened == 2, "one for each tenant"


async def test_files_stream_in_and_out(
    seaweed: Seaweed, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.write_credentials(
        f"[dev]\naws_access_key_id = {seaweed.access_key}\n"
        f"aws_secret_access_key = {seaweed.secret_key}\nregion = us-east-1\n"
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL", seaweed.url)
    app = app_of("AsyncExitStack() as block")
    async with Session(profile_name="dev").client("s3") as s3:
        with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            await s3.create_bucket(Bucket="films")
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://app") as client:
            film = os.urandom(9_000_000)
            assert (await client.put("/films/night", content=film)).status_code == 204
            found = await client.get("/films/night")
            assert (found.status_code, found.content == film) == (200, True)
            assert found.headers["content-length"] == str(len(film))

"""The applications of the how-to page answer requests, on both event loops."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest

from home import Home
from servers.recorder import Recorder
from web.driver import started

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "web.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def app_of(marker: str) -> Any:
    """The application in the one block that contains the marker."""
    [block] = [block for block in BLOCKS if marker in block]
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(block, str(PAGE), "exec"), names)
    return names["app"]


async def get(app: Any, path: str, **headers: str) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://app") as client:
        return await client.get(path, headers=headers)


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
    assert (await get(app, "/buckets")).json() == []
    assert [request.access_key for request in recorder.requests] == ["AKIDDEV"]


async def test_a_session_for_each_tenant() -> None:
    app = app_of("session=tenant_session")
    for tenant, key in {"red": "AKIDDEV", "blue": "AKIDPROD"}.items():
        assert (await get(app, "/whoami", **{"x-tenant": tenant})).text.endswith(f"/{key}")
    assert (await get(app, "/whoami")).text.endswith("/AKIDDEFAULT")
    with pytest.raises(KeyError):
        await get(app, "/whoami", **{"x-tenant": "green"})


async def test_as_a_dependency(recorder: Recorder) -> None:
    app = app_of("async def count_buckets")
    for tenant, key in {"red": "AKIDDEV", "blue": "AKIDPROD"}.items():
        headers = {"x-tenant": tenant}
        assert (await get(app, "/whoami", **headers)).json().endswith(f"/{key}")
        assert (await get(app, "/count", **headers)).json() == 0
        assert recorder.requests[-1].access_key == key
    assert (await get(app, "/whoami", **{"x-tenant": "green"})).status_code == 403


async def test_a_client_for_the_application_has_its_lifespan(recorder: Recorder) -> None:
    app = app_of("request.state.s3")
    async with started(app) as served:
        assert served.told == [{"type": "lifespan.startup.complete"}]
        assert set(served.state) == {"s3"}
        await served.state["s3"].list_buckets()
    assert [request.access_key for request in recorder.requests] == ["AKIDDEV"]

"""A service of many tenants under load: each is answered as itself, and nothing is left behind."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import trio

from asession import Session
from web.accounts import Accounts, role_in
from web.serving import Serving, serving, serving_on_trio

SERVICE = Path(__file__).parents[2] / "examples" / "fastapi_service.py"
SOAK = os.environ.get("ASESSION_SOAK") == "1"
REQUESTS = 200 if SOAK else 60  # at once
ROUNDS = 5 if SOAK else 1
TENANTS = {f"t{n}": f"{n:012d}" for n in range(100, 120 if SOAK else 110)}
REFUSED, *WELCOME = TENANTS
KEPT = len(TENANTS) // 2  # sessions, so that tenants push each other out all the time
FILM = bytes(2_000_000)

Serve = Callable[..., AbstractContextManager[Serving]]

pytestmark = pytest.mark.slow


@pytest.fixture
def accounts() -> Iterator[Accounts]:
    with Accounts(refused=[TENANTS[REFUSED]]) as accounts:
        for account in TENANTS.values():
            accounts.objects[account, f"/files-{account}/film"] = FILM
            accounts.slow[f"/files-{account}/late"] = 0.2
        yield accounts


@pytest.fixture
def app(accounts: Accounts) -> Any:
    """The example's application, which also tells what it has open."""
    spec = importlib.util.spec_from_file_location("example_under_load", SERVICE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    service = Session("AKIDSERVICE", "secret", region_name="eu-west-1", endpoint_url=accounts.url)
    app = module.create_app(service, TENANTS, limit=KEPT)

    async def open_now() -> dict[str, int]:
        found: Counter[str] = Counter(tasks=living_tasks())
        kept = app.state.sessions._kept.values()
        states = [state for it in kept for state in it.session._live.here()]
        for state in states:
            found["clients"] += len(state._clients)
            found["blocks"] += state.holds
            if state.backend.value is not None:
                counters = state.backend.value._transport._pool.counters()
                found["busy"] += counters.open - counters.idle
                found["idle"] += counters.idle
        found["blocks"] -= len(kept)  # the cache's own
        return {"kept": len(kept), **found}

    app.add_api_route("/open", open_now)
    return app


# hypercorn 0.18 does not notice in the end that a client has reset its connection, and keeps these.
HYPERCORNS_OWN = ("._run_handler", "TCPServer._idle_timeout")


def living_tasks() -> int:
    """How many tasks the running loop has."""
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        root = trio.lowlevel.current_root_task()
        return sum(not task.name.endswith(HYPERCORNS_OWN) for task in tasks_below(root))


def tasks_below(task: trio.lowlevel.Task | None) -> Iterator[trio.lowlevel.Task]:
    if task is not None:
        yield task
        for nursery in task.child_nurseries:
            for child in nursery.child_tasks:
                yield from tasks_below(child)


class Load:
    """Requests of all kinds, of all tenants, and what became of them."""

    def __init__(self, server: Serving) -> None:
        self._server = server
        self.kinds = [self.account, self.file, self.leave, self.lose_patience, self.stranger]

    def run(self, count: int, seed: int) -> None:
        """So many requests at once; the first wrong answer is raised."""
        chance = random.Random(seed)
        tenants = [chance.choice(list(TENANTS)) for _ in range(count)]
        kinds = [chance.choice(self.kinds) for _ in range(count)]
        with ThreadPoolExecutor(count) as pool:
            calls = zip(kinds, tenants, range(count), strict=True)
            for done in [pool.submit(kind, tenant, number) for kind, tenant, number in calls]:
                done.result()

    def account(self, tenant: str, number: int) -> None:
        found = self._server.get("/account", x_tenant=tenant)
        if tenant == REFUSED:
            assert (found.status_code, found.json()) == (403, {"error": "AccessDenied"})
        else:
            assert (found.status_code, found.json()) == (200, TENANTS[tenant])

    def file(self, tenant: str, number: int) -> None:
        path, content = f"/files/{number}", f"{tenant} {number}".encode() * 10_000
        stored = self._server.put(path, content, x_tenant=tenant)
        found = self._server.get(path, x_tenant=tenant)
        if tenant == REFUSED:
            assert (stored.status_code, found.status_code) == (403, 403)
        else:
            assert (stored.status_code, found.status_code) == (204, 200)
            assert found.content == content

    def leave(self, tenant: str, number: int) -> None:
        taken = self._server.give_up(request_for("/files/film", tenant), after=100_000)
        assert taken.startswith(b"HTTP/1.1 403" if tenant == REFUSED else b"HTTP/1.1 200")

    def lose_patience(self, tenant: str, number: int) -> None:
        self._server.give_up(request_for("/files/late", tenant), after=0)

    def stranger(self, tenant: str, number: int) -> None:
        assert self._server.get("/account", x_tenant=f"not-{tenant}").status_code == 403


def request_for(path: str, tenant: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: service\r\nX-Tenant: {tenant}\r\n\r\n".encode()


def settled(server: Serving, tasks: int) -> dict[str, int]:
    """What is open once nothing changes any more, or after a while."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        found: dict[str, int] = server.get("/open").json()
        if found["tasks"] <= tasks and not found["busy"] + found["clients"] + found["blocks"]:
            break
        time.sleep(0.05)
    return found


def open_down_to(accounts: Accounts, count: int) -> bool:
    """Whether AWS sees that many connections, now or soon: what was closed takes a moment."""
    deadline = time.monotonic() + 10
    while accounts.connections_open != count and time.monotonic() < deadline:
        time.sleep(0.05)
    return accounts.connections_open == count


@pytest.mark.parametrize(
    "serve",
    [pytest.param(serving, id="uvicorn"), pytest.param(serving_on_trio, id="hypercorn-trio")],
)
def test_tenants_under_load_are_answered_as_themselves_and_leave_nothing_behind(
    serve: Serve, app: Any, accounts: Accounts
) -> None:
    with serve(app) as server:
        load = Load(server)
        load.account(WELCOME[0], 0)
        before = settled(server, tasks=1000)
        for seed in range(ROUNDS):
            load.run(REQUESTS, seed)
        after = settled(server, before["tasks"])
        assert after == {**before, "kept": after["kept"], "idle": after["idle"]}
        assert (after["busy"], after["clients"], after["blocks"]) == (0, 0, 0)
        assert after["kept"] <= KEPT
        assert open_down_to(accounts, after["idle"])
    assert accounts.all_closed(within=10)

    # Seen from AWS: whoever signed touched nothing but the bucket of the same account.
    assert accounts.signed
    assert all(path.startswith(f"/files-{account}/") for account, path in accounts.signed)
    # However often sessions were made anew, each role was assumed once.
    roles = Counter(
        call.parameters["RoleArn"] for call in accounts.calls if "RoleArn" in call.parameters
    )
    assert set(roles) <= {role_in(TENANTS[tenant]) for tenant in WELCOME}
    assert set(roles.values()) == {1}

"""Storms on the sources of credentials, in real time, with requests that services check."""

from __future__ import annotations

import os
import threading
import time

import anyio
import pytest

from asession import Config, Session
from asession.credentials.cache import PROCESS_CACHE
from asession.credentials.chain import Workshop
from asession.credentials.identity import Identity
from credentials.kinds import KINDS, ROLE, set_up
from servers.guarded import GuardedServices
from session.cancelling import cancelled_at

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

SOAK = os.environ.get("ASESSION_SOAK") == "1"


@pytest.fixture
def services(identity):
    with GuardedServices(identity.mint) as server:
        yield server


async def until(condition):
    with anyio.fail_after(30):
        while not condition():
            await anyio.sleep(0.005)


async def request_for(seconds, tasks, session, services, pause):
    """Requests to two services by many tasks; returns how many there were."""
    end = time.monotonic() + seconds
    done = 0

    async def work(clients, number):
        nonlocal done
        await anyio.sleep(pause * number / tasks)
        while time.monotonic() < end:
            if number % 2:
                await clients["s3"].list_buckets()
            else:
                await clients["dynamodb"].list_tables()
            done += 1
            await anyio.sleep(pause)

    # A request is signed before it waits for a connection: with fewer, keys would end meanwhile.
    arguments = {"endpoint_url": services.url, "config": Config(max_pool_connections=tasks)}
    async with (
        session,
        session.client("s3", **arguments) as s3,
        session.client("dynamodb", **arguments) as dynamodb,
        anyio.create_task_group() as group,
    ):
        for number in range(tasks):
            group.start_soon(work, {"s3": s3, "dynamodb": dynamodb}, number)
    return done


async def test_keys_that_live_for_two_seconds_fail_no_request(identity, services):
    seconds, tasks = (20, 200) if SOAK else (4, 20)
    identity.mint.expires_in, identity.mint.precise = 2.0, True
    user = Session(
        endpoint_url=identity.url,
        region_name="us-east-1",
        profiles={},
        aws_access_key_id="AKIAUSER",
        aws_secret_access_key="user-secret",
    )
    pause = 0.5 if SOAK else 0.1
    done = await request_for(seconds, tasks, user.assume_role(ROLE), services, pause)
    assert done > tasks
    # Keys may end on the way to the service; a request is then signed again.
    assert set(services.outcomes) <= {"OK", "ExpiredToken"}
    assert services.outcomes["OK"] == done
    # They are replaced when three quarters of their life are over: every 1.5 s.
    assert seconds / 2 <= identity.count("sts:AssumeRole") <= seconds / 1.5 + 1.7


@pytest.mark.parametrize("outage", ["refused", "failing"])
async def test_a_source_that_fails_while_keys_work_fails_no_request(
    identity, services, home, caplog, outage
):
    seconds, tasks = (30, 50) if SOAK else (2.5, 5)
    if outage == "failing" and not SOAK:
        pytest.skip("the client's own retries take longer than the reduced size lasts")
    late = 0.0
    kind = set_up("sso", identity, home)
    session = kind.session()
    workshop = Workshop(clock=lambda: time.time() + late)
    session._connector._identity[None] = Identity(session._options, workshop)
    async with session:
        await session.get_frozen_credentials()
        if outage == "refused":
            identity.fail("sso:*", "TooManyRequestsException", status=400)
        else:
            identity.fail("sso:*", "InternalError", status=500)
        late = 3600.0 - 300.0  # five minutes to go
        done = await request_for(seconds, tasks, session, services, 0.1)
        identity.heal()
    assert services.outcomes == {"OK": done}
    assert done > tasks
    failures = [record for record in caplog.records if "the source of credentials" in record.msg]
    # After 1, 2, 4, 8, ... seconds, or half of that.
    assert 2 <= len(failures) <= (8 if SOAK else 4)
    assert kind.most - 1 <= 5 * len(failures)


@pytest.mark.matrix
@pytest.mark.parametrize("leader", ["stays", "is cancelled"])
@pytest.mark.parametrize("name", KINDS)
async def test_a_session_for_each_of_many_tasks_asks_each_source_once(identity, home, name, leader):
    tasks = 1000 if SOAK else 40
    kind = set_up(name, identity, home)
    identity.delay("*", 0.02)
    taken = []

    async def task():
        taken.append(await kind.session().get_frozen_credentials())

    async with anyio.create_task_group() as group:
        if leader == "is cancelled":
            async with anyio.create_task_group() as first:
                first.start_soon(task)
                await until(lambda: sum(kind.counts()))
                for _ in range(tasks):
                    group.start_soon(task)
                await anyio.sleep(0.005)
                first.cancel_scope.cancel()
        else:
            for _ in range(tasks):
                group.start_soon(task)
    assert len(set(taken)) == 1
    assert len(taken) >= tasks
    assert min(kind.counts()) >= 1
    assert kind.most <= (1 if leader == "stays" else 2)


@pytest.mark.parametrize("name", ["roles", "imds"])
def test_threads_with_loops_of_both_kinds_on_one_session(identity, services, home, name):
    threads_, tasks = 16, 50 if SOAK else 4
    kind = set_up(name, identity, home)
    session = kind.session()
    identity.delay("*", 0.02)
    errors, done = [], []
    start = threading.Barrier(threads_)

    async def task(s3):
        for _ in range(3):
            await s3.list_buckets()
            done.append(None)

    async def main():
        with anyio.fail_after(120):
            async with (
                session,
                session.client("s3", endpoint_url=services.url) as s3,
                anyio.create_task_group() as group,
            ):
                for _ in range(tasks):
                    group.start_soon(task, s3)

    def thread(number):
        try:
            start.wait(30)
            anyio.run(main, backend=("asyncio", "trio")[number % 2])
        except BaseException as error:
            errors.append(error)

    running = [threading.Thread(target=thread, args=(number,)) for number in range(threads_)]
    for one in running:
        one.start()
    for one in running:
        one.join(150)
    assert errors == []
    assert len(done) == threads_ * tasks * 3
    assert services.outcomes == {"OK": len(done)}
    assert 1 <= kind.most <= threads_


@pytest.mark.matrix
@pytest.mark.parametrize("how", ["scope", "native"])
@pytest.mark.parametrize("name", KINDS)
async def test_a_caller_cancelled_at_any_await_leaves_the_others_served(
    identity, home, name, how, anyio_backend_name
):
    if how == "native" and anyio_backend_name == "trio":
        pytest.skip("trio knows cancel scopes only")
    kind = set_up(name, identity, home)
    await kind.session().get_frozen_credentials()  # what is imported is imported
    stride = 1 if SOAK else 9
    step, reached = 1, True
    while reached:
        PROCESS_CACHE.clear()
        before, taken = kind.counts(), []

        async def other(taken=taken):
            taken.append(await kind.session().get_frozen_credentials())

        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                reached = await cancelled_at(step, _first(kind, group, other), how)
                group.start_soon(other)
            await other()
        assert len(taken) == 3
        assert len(set(taken)) == 1, f"cancelled at suspension {step}"
        for was, now in zip(before, kind.counts(), strict=True):
            assert now - was <= 2, f"cancelled at suspension {step}"
        step += stride
    assert step > 3


def _first(kind, group, other):
    async def call():
        group.start_soon(other)
        await kind.session().get_frozen_credentials()

    return call

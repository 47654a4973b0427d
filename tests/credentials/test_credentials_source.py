"""One source asked by many: how often, by whom, and what happens when it fails."""

from __future__ import annotations

import logging
import os
import threading

import anyio
import anyio.lowlevel
import pytest

from asession.credentials.cache import Cache, Entry
from credentials.sources import Clock, Vault

pytestmark = pytest.mark.anyio

SOAK = os.environ.get("ASESSION_SOAK") == "1"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def vault(clock):
    return Vault(clock)


async def keys_of(credentials, taken):
    taken.append((await credentials.get_frozen_credentials()).access_key)


async def together(number, function, *args):
    async with anyio.create_task_group() as group:
        for _ in range(number):
            group.start_soon(function, *args)


async def test_many_tasks_on_a_cold_source_make_one_call(vault):
    vault.delay = 0.01
    taken = []
    tasks = 1000 if SOAK else 200
    await together(tasks, keys_of, vault.credentials(), taken)
    assert taken == ["AKIA1"] * tasks
    assert vault.calls == 1


async def test_sessions_with_the_same_key_share_the_call_and_the_value(vault):
    vault.delay = 0.01
    entry, taken = Entry(), []
    async with anyio.create_task_group() as group:
        for _ in range(200):
            group.start_soon(keys_of, vault.credentials(entry=entry), taken)
    await keys_of(vault.credentials(entry=entry), taken)
    assert taken == ["AKIA1"] * 201
    assert vault.calls == 1


async def test_fresh_keys_are_given_without_a_call(vault, clock):
    credentials = vault.credentials()
    for _ in range(3):
        assert (await credentials.get_frozen_credentials()).access_key == "AKIA1"
        clock.now += 800
    assert vault.calls == 1


async def test_in_the_advisory_window_one_refreshes_while_others_go_on(vault, clock):
    credentials, taken = vault.credentials(), []
    await credentials.get_frozen_credentials()
    clock.now += 3600 - 800
    gate = anyio.Event()
    vault.gate = gate.wait
    async with anyio.create_task_group() as group:
        group.start_soon(keys_of, credentials, taken)
        await anyio.wait_all_tasks_blocked()
        for _ in range(5):  # inside their own calls, without waiting
            with anyio.fail_after(1):
                await keys_of(credentials, taken)
        assert taken == ["AKIA1"] * 5
        gate.set()
    assert taken[5:] == ["AKIA2"]
    assert vault.calls == 2


async def test_in_the_mandatory_window_all_wait_for_one_refresh(vault, clock):
    credentials, taken = vault.credentials(), []
    await credentials.get_frozen_credentials()
    clock.now += 3600 - 100
    vault.delay = 0.01
    await together(100, keys_of, credentials, taken)
    assert taken == ["AKIA2"] * 100
    assert vault.calls == 2


async def test_a_cancelled_leader_hands_over(vault):
    credentials, taken = vault.credentials(), []
    gate = anyio.Event()
    vault.gate = gate.wait
    async with anyio.create_task_group() as group:
        with anyio.CancelScope() as leader:
            group.start_soon(keys_of, credentials, [])
            leader.cancel()
        group.start_soon(keys_of, credentials, taken)
        await anyio.wait_all_tasks_blocked()
        gate.set()
    assert taken == ["AKIA1"]


async def test_any_caller_may_be_cancelled_at_any_await(vault, clock):
    credentials = vault.credentials()
    vault.delay = 0.001
    rounds = 30 if not SOAK else 2000
    for number in range(rounds):
        clock.now += 3500  # into the mandatory window
        taken = []

        async def cancelled(steps):
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as inner:
                    inner.start_soon(keys_of, credentials, [])
                    for _ in range(steps):
                        await anyio.lowlevel.checkpoint()
                    scope.cancel()

        with anyio.fail_after(10):
            async with anyio.create_task_group() as group:
                group.start_soon(cancelled, number % 7)
                group.start_soon(cancelled, number % 5)
                for _ in range(3):
                    group.start_soon(keys_of, credentials, taken)
        assert len(taken) == 3
        assert len(set(taken)) == 1
    assert vault.calls <= 3 * rounds


async def test_a_failure_while_keys_work_is_a_warning_and_a_back_off(vault, clock, caplog):
    credentials = vault.credentials()
    await credentials.get_frozen_credentials()
    vault.error = OSError("secret-1 is not there")
    clock.now += 3600 - 300  # mandatory window
    asked = []
    with caplog.at_level(logging.DEBUG, "asession"):
        for _ in range(300):  # a request every tenth of a second, for 30 s
            assert (await credentials.get_frozen_credentials()).access_key == "AKIA1"
            if not asked or asked[-1] != vault.calls:
                asked.append(vault.calls)
            clock.now += 0.1
    assert 4 <= vault.calls - 1 <= 8
    assert len(caplog.records) == vault.calls - 1
    assert "secret" not in caplog.text
    vault.error = None
    clock.now += 60
    assert (await credentials.get_frozen_credentials()).access_key.startswith("AKIA")
    assert (await credentials.get_frozen_credentials()).access_key == f"AKIA{vault.calls}"


async def test_ended_keys_and_a_source_that_fails_are_an_error_each_time(vault, clock):
    credentials = vault.credentials()
    await credentials.get_frozen_credentials()
    vault.error = OSError("down")
    clock.now += 3600
    for _ in range(2):
        with pytest.raises(OSError, match="down"):
            await credentials.get_frozen_credentials()
    assert vault.calls == 3
    vault.error = None
    assert (await credentials.get_frozen_credentials()).access_key == "AKIA4"


async def test_keys_of_a_machine_are_used_beyond_their_end(vault, clock, caplog):
    credentials = vault.credentials(stable=True)
    await credentials.get_frozen_credentials()
    vault.error = OSError("down")
    clock.now += 4000
    for _ in range(10):
        assert (await credentials.get_frozen_credentials()).access_key == "AKIA1"
    assert vault.calls == 2
    assert "have ended and are used all the same" in caplog.text
    clock.now += 299
    await credentials.get_frozen_credentials()
    assert vault.calls == 2
    vault.error = None
    clock.now += 2
    assert (await credentials.get_frozen_credentials()).access_key == "AKIA3"


async def test_a_machine_that_hands_out_ended_keys_is_asked_again_later(clock, caplog):
    vault = Vault(clock, life=-10.0)
    credentials = vault.credentials(stable=True)
    for _ in range(5):
        assert (await credentials.get_frozen_credentials()).access_key == "AKIA1"
    assert vault.calls == 1
    clock.now += 400
    vault.life = 3600.0
    assert (await credentials.get_frozen_credentials()).access_key == "AKIA2"


async def test_any_other_source_that_hands_out_ended_keys_has_failed(clock):
    credentials = Vault(clock, life=-10.0).credentials()
    with pytest.raises(Exception, match="ended"):
        await credentials.get_frozen_credentials()


async def test_an_error_that_lasts_is_remembered_for_a_moment(vault, clock):
    credentials = vault.credentials(is_terminal=lambda _error: True)
    vault.error = OSError("no such role")
    for _ in range(5):
        with pytest.raises(OSError, match="no such role"):
            await credentials.get_frozen_credentials()
    assert vault.calls == 1
    vault.error = None
    clock.now += 3.1
    assert (await credentials.get_frozen_credentials()).access_key == "AKIA2"


async def test_refused_keys_are_replaced_by_one_call_at_most_now_and_then(vault, clock):
    credentials = vault.credentials()
    refused = await credentials.get_frozen_credentials()
    outcomes = []

    async def refuse():
        outcomes.append(await credentials.replace(refused))

    await together(50, refuse)
    assert outcomes == [True] * 50
    assert vault.calls == 2
    fresh = await credentials.get_frozen_credentials()
    assert fresh.access_key == "AKIA2"
    assert await credentials.replace(fresh) is False
    clock.now += 31
    assert await credentials.replace(fresh) is True
    assert vault.calls == 3


async def test_a_source_that_asks_for_itself_gets_an_error_not_a_hang(vault):
    credentials = vault.credentials()
    vault.gate = credentials.get_frozen_credentials
    with anyio.fail_after(5), pytest.raises(RuntimeError, match="by the computation itself"):
        await credentials.get_frozen_credentials()


@pytest.mark.slow
async def test_a_storm_of_short_lived_keys(vault, clock):
    vault.life, vault.delay = 2.0, 0.001
    credentials, ended = vault.credentials(), []

    async def worker():
        while clock.now < 1_000_000.0 + 20:
            keys = await credentials.get_frozen_credentials()
            ended.append(clock.now >= issued[keys.access_key] + 2.0)
            await anyio.sleep(0.002)

    issued = {f"AKIA{n}": 0.0 for n in range(100)}
    original = vault._fetch

    async def fetch(refused):
        loaded = await original(refused)
        issued[loaded.access_key] = clock.now
        return loaded

    vault._fetch = fetch

    async def tick():
        while clock.now < 1_000_000.0 + 20:
            clock.now += 0.05 if SOAK else 0.1
            await anyio.sleep(0.003)

    async with anyio.create_task_group() as group:
        group.start_soon(tick)
        for _ in range(200 if SOAK else 8):
            group.start_soon(worker)
    assert not any(ended)
    assert 10 <= vault.calls <= 15


def test_threads_with_their_own_loops_make_one_call_each_at_most(anyio_backend_name):
    clock = Clock()
    vaults = Vault(clock)
    vaults.delay = 0.02
    cache, taken, errors = Cache(), [], []
    start = threading.Barrier(16)

    def thread():
        async def main():
            entry = cache.entry(("vault", b"key"))
            with anyio.fail_after(20):
                await together(50, keys_of, vaults.credentials(entry=entry), taken)

        try:
            start.wait()
            anyio.run(main, backend=anyio_backend_name)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=thread) for _ in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert errors == []
    assert len(taken) == 16 * 50
    assert vaults.calls <= 16

"""One function called with many sessions: bounded, cancelled with its block, all cleaned up."""

from __future__ import annotations

import gc

import anyio
import pytest

import asession
from asession import Session, fan_out

pytestmark = pytest.mark.anyio

REGIONS = [f"eu-west-{number}" for number in range(20)]


def sessions():
    return [Session("AKIAX", "s", region_name=region) for region in REGIONS]


class Calls:
    """Counts who is inside, at the same time and at all."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0
        self.begun = 0
        self.ended = 0

    async def __call__(self, session):
        assert asession.current_session() is session
        self.begun += 1
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            await anyio.sleep(0.001 * (self.begun % 3))
            self.ended += 1
            return session.region_name
        finally:
            self.inside -= 1


async def test_every_session_has_its_result_and_no_more_than_the_limit_run():
    calls = Calls()
    async with fan_out(sessions(), calls, limit=4) as results:
        found = [(result.session.region_name, result.unwrap()) async for result in results]
    assert sorted(found) == sorted((region, region) for region in REGIONS)
    assert calls.most == 4


async def test_without_a_block_the_results_are_the_same():
    calls = Calls()
    found = [result.value async for result in fan_out(sessions(), calls, limit=4)]
    assert sorted(found) == sorted(REGIONS)
    assert calls.most == 4


@pytest.mark.parametrize("with_block", [True, False])
async def test_an_error_is_the_result_of_its_session_alone(with_block):
    async def sometimes(session):
        await anyio.sleep(0)
        if session.region_name.endswith(("3", "7")):
            raise ValueError(session.region_name)
        return 1

    every = fan_out(sessions(), sometimes, limit=3)
    if with_block:
        async with every as results:
            found = [result async for result in results]
    else:
        found = [result async for result in every]
    errors = {str(result.error) for result in found if result.error is not None}
    assert errors == {r for r in REGIONS if r.endswith(("3", "7"))}
    assert sum(result.value or 0 for result in found) == 20 - len(errors)
    with pytest.raises(ValueError, match="eu-west-3"):
        next(r for r in found if r.session.region_name == "eu-west-3").unwrap()


async def test_leaving_the_block_early_cancels_the_rest():
    calls = Calls()
    async with fan_out(sessions(), calls, limit=4) as results:
        async for _ in results:
            break
    assert calls.inside == 0
    assert calls.begun < 20


async def test_leaving_the_loop_early_leaves_nothing_running():
    calls = Calls()
    async for _ in fan_out(sessions(), calls, limit=4):
        break
    gc.collect()
    assert (calls.inside, calls.ended) == (0, 20)


async def test_an_exception_of_the_body_goes_on_as_it_is():
    calls = Calls()

    async def main():
        async with fan_out(sessions(), calls, limit=4):
            await anyio.sleep(0.002)
            raise KeyError("body")

    with pytest.raises(KeyError, match="body"):
        await main()
    assert calls.inside == 0


@pytest.mark.parametrize("with_block", [True, False])
async def test_a_cancellation_stops_all_calls(with_block):
    calls = Calls()

    async def for_ever(session):
        await calls(session)
        await anyio.sleep_forever()

    async def main():
        every = fan_out(sessions(), for_ever, limit=4)
        if with_block:
            async with every as results:
                async for _ in results:
                    pass
        else:
            async for _ in every:
                pass

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(main)
            while calls.ended < 4:
                await anyio.sleep(0.001)
            group.cancel_scope.cancel()
    assert calls.begun == 4


async def test_calls_wait_while_nobody_takes_results():
    calls = Calls()
    async with fan_out(sessions(), calls, limit=3) as results:
        await anyio.sleep(0.05)
        assert calls.begun == 3
        assert len([result async for result in results]) == 20


async def test_sessions_are_taken_as_calls_begin():
    taken = []

    def many():
        for session in sessions():
            taken.append(session)
            yield session

    async with fan_out(many(), Calls(), limit=2) as results:
        await anyio.sleep(0.02)
        assert len(taken) == 2
        async for _ in results:
            break


async def test_it_is_used_once_and_a_limit_is_needed():
    every = fan_out([], Calls())
    assert [result async for result in every] == []
    with pytest.raises(RuntimeError, match="used before"):
        async with every:
            pass
    with pytest.raises(ValueError, match="at least 1"):
        fan_out([], Calls(), limit=0)

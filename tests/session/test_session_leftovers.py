"""What a session made for others is closed, whoever gave up and whoever closes by hand."""

from __future__ import annotations

import gc
from typing import Any

import anyio
import pytest

from asession import Session
from asession._aws.backend import Backend
from asession.exceptions import ClientClosedError, SessionNotEnteredError
from session.cancelling import cancelled_at
from session.conftest import Make

pytestmark = pytest.mark.anyio


def open_backends(session: Session) -> list[Backend]:
    """The ways to AWS that were made for a session and are not closed."""
    gc.collect()
    events = session.events
    found = [item for item in gc.get_objects() if isinstance(item, Backend)]
    return [item for item in found if item._events is events and not item._closed]


async def ask_client(session: Session) -> None:
    await session.client("sqs")


async def ask_resolve(session: Session) -> None:
    await session.resolve()


@pytest.mark.parametrize("ask", [ask_client, ask_resolve])
async def test_a_connection_made_for_others_after_the_entry_gave_up_is_closed(
    make: Make, ask: Any
) -> None:
    outcomes: list[str] = []
    kept: list[Any] = []
    for step in range(1, 50):
        session = make()
        reached = False

        async def enter(session: Session = session, step: int = step) -> None:
            nonlocal reached

            async def entering() -> None:
                async with session:
                    pass

            reached = await cancelled_at(step, entering)

        async def order(session: Session = session) -> None:
            kept.append(session._live.here())
            kept.extend(state.backend for state in session._live.here())  # would keep what is left
            try:
                await ask(session)
                outcomes.append("opened")
            except SessionNotEnteredError:
                outcomes.append("too late")
            except ClientClosedError:
                outcomes.append("closed")

        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(enter)
                await anyio.sleep(0)
                tasks.start_soon(order)
        assert open_backends(session) == []
        assert session._live.here() == []
        kept.clear()
        if not reached:
            break
    assert step > 2
    assert len(outcomes) == step


@pytest.mark.parametrize("how", ["close", "aexit"])
@pytest.mark.parametrize("kind", ["client", "resource"])
async def test_what_was_opened_and_closed_by_hand_leaves_nothing(
    make: Make, how: str, kind: str
) -> None:
    session = make()
    for _ in range(3):
        opened = await getattr(session, kind)("sqs").__aenter__()
        assert len(open_backends(session)) == 1
        client = opened if kind == "client" else opened.meta.client
        if how == "close":
            await client.close()
        else:
            await client.__aexit__(None, None, None)
        assert open_backends(session) == []
        assert session._live.here() == []


async def test_one_closed_by_hand_leaves_the_connections_to_the_others(make: Make) -> None:
    session = make()
    async with session.client("s3") as s3:
        other = await session.client("s3").__aenter__()
        await other.close()
        await s3.list_buckets()
        assert len(open_backends(session)) == 1
    assert open_backends(session) == []


async def test_a_client_closed_by_hand_inside_its_block_ends_it(make: Make) -> None:
    session = make()
    async with session.client("s3") as s3:
        await s3.close()
        assert open_backends(session) == []
        with pytest.raises(ClientClosedError):
            await s3.list_buckets()
        async with session.client("s3") as another:
            await another.list_buckets()
    assert open_backends(session) == []


async def test_clients_of_a_long_session_that_are_closed_by_hand_are_forgotten(make: Make) -> None:
    async with make() as session:
        (state,) = session._live.here()
        for _ in range(3):
            client = await session.client("s3")
            assert "1 clients" in repr(state)
            await client.close()
            assert "0 clients" in repr(state)
        await (await session.client("s3")).list_buckets()


async def test_a_client_outlives_the_session_it_was_opened_by_hand_in(make: Make) -> None:
    client = await make().client("s3").__aenter__()
    gc.collect()
    await client.list_buckets()
    backends = [item for item in gc.get_objects() if isinstance(item, Backend)]
    assert [backend._closed for backend in backends] == [False]
    await client.close()
    assert [backend._closed for backend in backends] == [True]

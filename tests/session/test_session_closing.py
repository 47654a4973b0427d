"""Leaving a session or a client's block always cleans, and says what went wrong exactly once."""

from __future__ import annotations

import logging
from typing import Any

import anyio
import pytest

import asession._clients
from asession import Session
from asession.exceptions import ClientClosedError
from session.bad_http import HttpLog, fail
from session.conftest import Make

pytestmark = pytest.mark.anyio


@pytest.fixture
def log(anyio_backend_name: str) -> HttpLog:
    return HttpLog(anyio_backend_name)


@pytest.fixture
def failing(anyio_backend_name: str) -> HttpLog:
    return HttpLog(anyio_backend_name, fail)


async def open_clients(session: Session, log: HttpLog, *names: str) -> list[Any]:
    return [log.name(await session.client("sqs"), name) for name in names]


async def test_leaving_closes_clients_last_in_first_out(make: Make, log: HttpLog) -> None:
    async with make(config=log.config) as session:
        await open_clients(session, log, "a", "b")
        log.name(await session.resource("sqs"), "c")
        async with session.client("sqs") as client:
            log.name(client, "block")
        assert log.closed == ["block"]
    assert log.closed == ["block", "c", "b", "a"]


async def test_aclose_closes_everything_last_in_first_out(make: Make, log: HttpLog) -> None:
    session = make(config=log.config)
    async with session:
        await open_clients(session, log, "a")
        async with session.client("sqs") as client:
            log.name(client, "block")
            await open_clients(session, log, "b")
            await session.aclose()
            assert log.closed == ["b", "block", "a"]
            with pytest.raises(ClientClosedError):
                await client.list_queues()
    assert log.left_open == 0


async def test_a_client_closed_by_hand_is_not_closed_again(make: Make, log: HttpLog) -> None:
    async with make(config=log.config) as session:
        (client,) = await open_clients(session, log, "a")
        await client.close()
        await client.close()
        assert log.closed == ["a"]
        (other,) = await open_clients(session, log, "b")
        await other.generate_presigned_url("list_queues")
        async with session.client("sqs") as lent:
            log.name(lent, "c")
            await lent.close()
    assert log.closed == ["a", "c", "b"]


async def test_a_single_error_of_closing_is_raised_bare(make: Make, failing: HttpLog) -> None:
    with pytest.raises(OSError, match="cannot close a"):
        async with make(config=failing.config) as session:
            await open_clients(session, failing, "a")
    with pytest.raises(OSError, match="cannot close block"):
        async with make(config=failing.config).client("sqs") as client:
            failing.name(client, "block")
    assert failing.left_open == 0


async def test_several_errors_of_closing_are_a_group(make: Make, failing: HttpLog) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        async with make(config=failing.config) as session:
            await open_clients(session, failing, "a", "b", "c")
    assert [str(error) for error in caught.value.exceptions] == [
        f"cannot close {name}" for name in "cba"
    ]
    assert failing.closed == ["c", "b", "a"]


async def test_an_exception_of_the_body_wins(make: Make, failing: HttpLog) -> None:
    error = ValueError("mine")
    with pytest.raises(ValueError, match="mine") as caught:  # noqa: PT012
        async with make(config=failing.config) as session:
            await open_clients(session, failing, "a", "b")
            async with session.client("sqs") as client:
                failing.name(client, "block")
                raise error
    assert caught.value is error
    notes = error.__notes__
    assert len(notes) == 3
    assert all(name in note for name, note in zip(("block", "b", "a"), notes, strict=True))
    assert failing.closed == ["block", "b", "a"]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, BaseExceptionGroup])
async def test_an_exception_of_the_body_wins_whatever_it_is(
    make: Make, failing: HttpLog, kind: Any
) -> None:
    error = kind("mine", [KeyboardInterrupt()]) if kind is BaseExceptionGroup else kind("mine")
    caught = None
    try:
        async with make(config=failing.config) as session:
            await open_clients(session, failing, "a")
            raise error
    except BaseException as raised:
        caught = raised
    assert caught is error
    assert any("cannot close a" in note for note in error.__notes__)


async def test_a_cancellation_goes_on_as_it_is(
    make: Make, failing: HttpLog, caplog: pytest.LogCaptureFixture
) -> None:
    cancelled = anyio.get_cancelled_exc_class()
    with anyio.CancelScope() as scope, caplog.at_level(logging.WARNING, "asession"):
        with pytest.raises(cancelled) as caught:  # noqa: PT012
            async with make(config=failing.config) as session:
                await open_clients(session, failing, "a", "b")
                async with session.client("sqs") as client:
                    failing.name(client, "block")
                    scope.cancel()
                    await anyio.sleep(5)
        assert not getattr(caught.value, "__notes__", None)
        raise caught.value
    assert scope.cancelled_caught
    assert failing.closed == ["block", "b", "a"]
    assert sum("cannot close" in record.getMessage() for record in caplog.records) == 3


async def test_aclose_raises_what_closing_raised(make: Make, failing: HttpLog) -> None:
    session = make(config=failing.config)
    async with session:
        await open_clients(session, failing, "a", "b")
        with pytest.raises(ExceptionGroup):
            await session.aclose()
        await session.aclose()
    assert failing.closed == ["b", "a"]


async def test_leaving_runs_to_its_end_when_it_is_cancelled_meanwhile(
    make: Make, anyio_backend_name: str
) -> None:
    closing = anyio.Event()

    async def wait(_name: str) -> None:
        closing.set()
        await anyio.sleep(0.05)

    log = HttpLog(anyio_backend_name, wait)
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:

            async def visit() -> None:
                async with make(config=log.config) as session:
                    await open_clients(session, log, "a", "b", "c")

            tasks.start_soon(visit)
            await closing.wait()
            scope.cancel()
    assert log.closed == ["c", "b", "a"]


async def test_closing_that_hangs_is_given_up(
    make: Make, anyio_backend_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Ten seconds otherwise.
    monkeypatch.setattr(asession._clients, "CLOSE_TIMEOUT", 0.1)

    async def hang(name: str) -> None:
        if name == "b":
            await anyio.sleep_forever()

    log = HttpLog(anyio_backend_name, hang)
    with anyio.fail_after(5), pytest.raises(TimeoutError):
        async with make(config=log.config) as session:
            await open_clients(session, log, "a", "b", "c")
    assert log.closed == ["c", "a"]


async def test_closing_that_hangs_is_given_up_in_a_cancelled_scope_too(
    make: Make, anyio_backend_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asession._clients, "CLOSE_TIMEOUT", 0.1)
    hung: list[str] = []

    async def hang(name: str) -> None:
        hung.append(name)
        await anyio.sleep_forever()

    log = HttpLog(anyio_backend_name, hang)
    with anyio.fail_after(5), anyio.CancelScope() as scope:
        async with make(config=log.config) as session:
            await open_clients(session, log, "a", "b")
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert hung == ["b", "a"]


async def test_one_blocks_exit_leaves_the_other_clients_open(make: Make) -> None:
    async with make() as session:
        owned = await session.client("s3")
        async with session.client("s3") as outer:
            async with session.client("s3") as inner:
                pass
            await outer.list_buckets()
        await owned.list_buckets()
        for client in (inner, outer):
            with pytest.raises(ClientClosedError):
                await client.list_buckets()


@pytest.mark.parametrize("how", ["block", "session", "close", "aclose"])
async def test_a_closed_client_refuses_every_kind_of_use(make: Make, how: str) -> None:
    async with make() as session:
        if how == "block":
            async with session.client("s3") as client:
                pass
        else:
            client = await session.client("s3")
        if how == "close":
            await client.close()
        if how == "aclose":
            await session.aclose()
    paginator, waiter = client.get_paginator("list_objects_v2"), client.get_waiter("bucket_exists")
    with pytest.raises(ClientClosedError, match="s3 client is closed"):
        await client.list_buckets()
    with pytest.raises(ClientClosedError):
        async for _ in paginator.paginate(Bucket="bucket"):
            pass
    with pytest.raises(ClientClosedError):
        await waiter.wait(Bucket="bucket")


@pytest.mark.parametrize("service", ["s3", "sqs"])
async def test_a_closed_client_makes_no_presigned_urls(make: Make, service: str) -> None:
    async with make().client(service) as client:
        pass
    operation = {"s3": "list_buckets", "sqs": "list_queues"}[service]
    with pytest.raises(ClientClosedError):
        await client.generate_presigned_url(operation)


async def test_a_closed_client_makes_no_presigned_posts(make: Make) -> None:
    async with make().client("s3") as client:
        pass
    with pytest.raises(ClientClosedError):
        await client.generate_presigned_post("bucket", "key")


async def test_a_resource_is_closed_with_its_block_or_its_session(make: Make) -> None:
    async with make() as session:
        owned = await session.resource("s3")
        async with session.resource("s3") as lent:
            assert [bucket async for bucket in lent.buckets.all()] == []
        with pytest.raises(ClientClosedError):
            await lent.Bucket("bucket").create()
        assert [bucket async for bucket in owned.buckets.all()] == []
    with pytest.raises(ClientClosedError):
        await owned.Bucket("bucket").create()

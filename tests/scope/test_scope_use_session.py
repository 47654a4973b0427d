"""`use_session`: a scope without entering, in sync code, in threads and on event loops."""

from __future__ import annotations

import contextvars
import threading
from typing import Any

import anyio
import pytest

import asession
from asession import Session
from asession.exceptions import SessionNotEnteredError


def make(name: str = "eu-west-1") -> Session:
    return Session("AKIDEXAMPLE", "secret", region_name=name)


def run_in_thread(function: Any, context: contextvars.Context | None = None) -> Any:
    results: list[Any] = []
    run = function if context is None else lambda: context.run(function)
    thread = threading.Thread(target=lambda: results.append(run()))
    thread.start()
    thread.join(10)
    return results[0]


def test_it_nests_and_restores_without_an_event_loop() -> None:
    default = asession.current_session()
    first, second = make(), make()
    with asession.use_session(first) as given:
        assert given is first
        with asession.use_session(second):
            assert asession.current_session() is second
        assert asession.current_session() is first
        with pytest.raises(ZeroDivisionError), asession.use_session(second):
            _ = 1 / 0
        assert asession.current_session() is first
    assert asession.current_session() is default


def test_threads_do_not_see_each_others_sessions() -> None:
    sessions = [make() for _ in range(8)]
    barrier = threading.Barrier(len(sessions))
    wrong: list[object] = []

    def work(session: Session) -> None:
        default = asession.current_session()
        for _ in range(200):
            with asession.use_session(session):
                barrier.wait(10)
                if asession.current_session() is not session:
                    wrong.append(session)
            if asession.current_session() is not default:
                wrong.append(session)

    threads = [threading.Thread(target=work, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []


def test_an_event_loop_started_inside_inherits() -> None:
    session = make()

    async def main() -> Session:
        async with make() as inner:
            assert asession.current_session() is inner
        return asession.current_session()

    for backend in ("asyncio", "trio"):
        with asession.use_session(session):
            assert anyio.run(main, backend=backend) is session


def test_a_thread_with_the_context_keeps_the_session_after_the_scope() -> None:
    session = make()
    with asession.use_session(session):
        context = contextvars.copy_context()
        assert run_in_thread(asession.current_session, context.copy()) is session
    assert run_in_thread(asession.current_session, context.copy()) is session


def test_one_object_used_again_and_in_itself() -> None:
    default = asession.current_session()
    session = make()
    scope = asession.use_session(session)
    for _ in range(2):
        with scope, asession.use_session(make()) as other, scope:
            assert asession.current_session() is session
            assert other is not session
        assert asession.current_session() is default


def test_one_object_shared_by_threads() -> None:
    session = make()
    scope = asession.use_session(session)
    first_in, second_in, first_out = (threading.Event() for _ in range(3))
    seen: dict[str, Session] = {}

    def first() -> None:
        with scope:
            first_in.set()
            second_in.wait(10)
        seen["first, outside"] = asession.current_session()
        first_out.set()

    def second() -> None:
        first_in.wait(10)
        with scope:
            second_in.set()
            first_out.wait(10)
            seen["second, inside"] = asession.current_session()
        seen["second, outside"] = asession.current_session()

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    default = asession.current_session()
    assert seen == {
        "first, outside": default,
        "second, inside": session,
        "second, outside": default,
    }


@pytest.mark.anyio
async def test_it_enters_nothing() -> None:
    session = make("eu-north-1")
    with asession.use_session(session):
        assert asession.current_session() is session
        with pytest.raises(SessionNotEnteredError):
            await asession.client("s3")
        async with asession.client("s3") as s3:
            assert s3.meta.region_name == "eu-north-1"
        with pytest.raises(asession.exceptions.SessionNotResolvedError):
            _ = Session().available_profiles


@pytest.mark.anyio
async def test_it_nests_with_entered_sessions_in_any_order() -> None:
    async with make() as entered:
        with asession.use_session(make()) as used:
            assert asession.current_session() is used
            async with entered:
                assert asession.current_session() is entered
            assert asession.current_session() is used
        assert asession.current_session() is entered
    scope = asession.use_session(entered)
    scope.__enter__()
    async with make() as other:
        scope.__exit__(None, None, None)
        assert asession.current_session() is other
    assert asession.current_session() is not entered


@pytest.mark.anyio
async def test_one_object_shared_by_tasks() -> None:
    session = make()
    default = asession.current_session()
    scope = asession.use_session(session)
    first_in, second_in, first_out = anyio.Event(), anyio.Event(), anyio.Event()

    async def first() -> None:
        with scope:
            first_in.set()
            await second_in.wait()
        assert asession.current_session() is default
        first_out.set()

    async def second() -> None:
        await first_in.wait()
        with scope:
            second_in.set()
            await first_out.wait()
            assert asession.current_session() is session
        assert asession.current_session() is default

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first)
        tasks.start_soon(second)

"""`Once`: one computation for many tasks, whatever happens to the one that computes."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable

import anyio
import pytest

import asession
from asession import Credentials, Session
from asession._once import Flights, Once
from asession.exceptions import ClientError
from session.cancelling import cancelled_at

pytestmark = pytest.mark.anyio


class Computation:
    """Counts its runs; each waits for `go_on`, then does what `results` says next."""

    def __init__(self, *results: object) -> None:
        self.results = list(results)
        self.runs = 0
        self.go_on = anyio.Event()
        self.once: Once[object] = Once(self)

    async def __call__(self) -> object:
        self.runs += 1
        await self.go_on.wait()
        result = self.results.pop(0)
        if isinstance(result, BaseException):
            raise result
        return result


async def ask_all(ask: Callable[[], Awaitable[object]], times: int) -> list[object]:
    answers: list[object] = []

    async def one() -> None:
        try:
            answers.append(await ask())
        except Exception as error:
            answers.append(error)

    async with anyio.create_task_group() as tasks:
        for _ in range(times):
            tasks.start_soon(one)
    return answers


@pytest.mark.parametrize("value", ["value", None, 0])
async def test_a_hundred_tasks_share_one_run(value: object) -> None:
    computation = Computation(value)
    assert computation.once.value is None
    computation.go_on.set()
    assert await ask_all(computation.once.get, 100) == [value] * 100
    assert await computation.once.get() == value
    assert computation.once.value == value
    assert computation.runs == 1


async def test_an_error_is_shared_by_its_run_and_the_next_call_tries_again() -> None:
    error = OSError("first")
    computation = Computation(error, "value")
    answers: list[object] = []

    async def ask() -> None:
        answers.extend(await ask_all(computation.once.get, 100))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        computation.go_on.set()
    assert [repr(answer) for answer in answers] == [repr(error)] * 100
    assert computation.runs == 1
    assert await computation.once.get() == "value"
    assert computation.runs == 2


def innermost(error: BaseException) -> list[str]:
    """The functions that a traceback goes through, without what the tests are called from."""
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    return names[names.index("get") :]


class Told(Exception):  # noqa: N818 - neither good nor bad
    """Its constructor takes other arguments than those it keeps."""

    def __init__(self, *, what: str) -> None:
        super().__init__(f"told of {what}")
        self.what = what


class Slotted(Exception):  # noqa: N818 - see above
    """Keeps something where a copy would not have it."""

    __slots__ = ("what",)


@pytest.mark.parametrize(
    "make_error",
    [
        lambda: OSError("plain"),
        lambda: FileNotFoundError(2, "none", "there"),
        lambda: Told(what="one"),
        lambda: ClientError({"Error": {"Code": "Throttled"}}, "GetCaller"),
        lambda: ExceptionGroup("both", [ValueError("a"), KeyError("b")]),
    ],
    ids=["OSError", "FileNotFoundError", "Told", "ClientError", "ExceptionGroup"],
)
async def test_each_waiter_gets_an_error_of_its_own(make_error: Callable[[], Exception]) -> None:
    error = make_error()
    error.add_note("of the computation")
    computation = Computation(error)
    errors: list[Exception] = []

    async def ask(number: int) -> None:
        try:
            raise ValueError(number)
        except ValueError:
            try:
                await computation.once.get()
            except Exception as caught:
                caught.add_note(f"of {number}")
                errors.append(caught)

    async with anyio.create_task_group() as tasks:
        for number in range(10):
            tasks.start_soon(ask, number)
        await anyio.wait_all_tasks_blocked()
        computation.go_on.set()
    assert computation.runs == 1
    assert len({id(caught) for caught in errors}) == 10
    assert error in errors  # the leader's
    assert {type(caught) for caught in errors} == {type(error)}
    assert {str(caught) for caught in errors} == {str(error)}
    for caught in errors:
        number = caught.__notes__[-1].removeprefix("of ")
        assert caught.__notes__ == ["of the computation", f"of {number}"]
        assert str(caught.__context__) == number
        assert innermost(caught)[-1] == "__call__"
        assert len(innermost(caught)) <= 5
        if isinstance(caught, Told):
            assert caught.what == "one"


async def test_who_waits_for_a_flight_gets_an_error_of_its_own() -> None:
    flights: Flights[object] = Flights("tests_of_errors")
    computation = Computation(OSError("first"), "value")
    answers: list[object] = []

    async def ask() -> None:
        answers.extend(await ask_all(lambda: flights.join("key", computation), 10))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        computation.go_on.set()
    assert [repr(answer) for answer in answers] == ["OSError('first')"] * 10
    assert len({id(answer) for answer in answers}) == 10
    assert computation.runs == 1
    assert await flights.join("key", computation) == "value"


async def test_an_error_that_cannot_be_copied_is_shared_as_it_is() -> None:
    error = Slotted("kept")
    error.what = "this"
    computation = Computation(error)
    answers: list[object] = []

    async def ask() -> None:
        answers.extend(await ask_all(computation.once.get, 3))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        computation.go_on.set()
    assert answers == [error] * 3


async def test_a_cancelled_leader_hands_over() -> None:
    computation = Computation("value")
    answers: list[object] = []
    scope = anyio.CancelScope()

    async def leader() -> None:
        with scope:
            await computation.once.get()

    async def waiters() -> None:
        answers.extend(await ask_all(computation.once.get, 100))

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(leader)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(waiters)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
            await anyio.wait_all_tasks_blocked()
            assert computation.runs == 2
            computation.go_on.set()
    assert scope.cancelled_caught
    assert answers == ["value"] * 100
    assert computation.runs == 2


async def test_leaders_cancelled_one_after_the_other_serve_the_last() -> None:
    computation = Computation("value")
    scopes = [anyio.CancelScope() for _ in range(20)]
    answers: list[object] = []

    async def ask(scope: anyio.CancelScope) -> None:
        with scope:
            answers.append(await computation.once.get())

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            for scope in scopes:
                tasks.start_soon(ask, scope)
            # Whoever leads; the order is the loop's.
            for scope in scopes[:-1]:
                await anyio.wait_all_tasks_blocked()
                scope.cancel()
            await anyio.wait_all_tasks_blocked()
            computation.go_on.set()
    assert answers == ["value"]


async def test_a_cancelled_waiter_disturbs_nobody() -> None:
    computation = Computation("value")
    scope = anyio.CancelScope()
    answers: list[object] = []

    async def waiter() -> None:
        with scope:
            await computation.once.get()

    async def others() -> None:
        answers.extend(await ask_all(computation.once.get, 10))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(others)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(waiter)
        await anyio.wait_all_tasks_blocked()
        scope.cancel()
        await anyio.wait_all_tasks_blocked()
        computation.go_on.set()
    assert answers == ["value"] * 10
    assert computation.runs == 1


async def test_leader_and_waiters_cancelled_together_leave_it_as_new() -> None:
    computation = Computation("value")
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(computation.once.get)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
    computation.go_on.set()
    with anyio.fail_after(5):
        assert await computation.once.get() == "value"


async def test_a_leader_cancelled_at_each_step_never_strands_a_waiter() -> None:
    async def compute() -> str:
        for _ in range(4):
            await anyio.sleep(0)
        return "value"

    for step in range(1, 20):
        once = Once(compute)
        answers: list[str] = []
        reached = False

        async def leader(once: Once[str] = once, step: int = step) -> None:
            nonlocal reached
            reached = await cancelled_at(step, once.get)

        async def waiter(once: Once[str] = once, answers: list[str] = answers) -> None:
            answers.append(await once.get())

        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(leader)
                await anyio.sleep(0)
                for _ in range(3):
                    tasks.start_soon(waiter)
        assert answers == ["value"] * 3
        if not reached:
            break
    assert step > 3


async def test_a_computation_that_asks_for_its_own_value_fails_instead_of_hanging() -> None:
    async def compute() -> str:
        return await once.get()

    once = Once(compute)
    with anyio.fail_after(2), pytest.raises(RuntimeError):
        await once.get()


async def test_credentials_that_need_their_own_session_fail_instead_of_hanging() -> None:
    async def source() -> Credentials | None:
        # The session being opened is the current one here.
        async with asession.client("sts") as sts:
            return Credentials(sts.meta.region_name, "secret")

    with anyio.fail_after(10), pytest.raises(RuntimeError):
        async with Session(credentials=source, region_name="eu-west-1") as session:
            await session.client("s3")

"""What `session.client(...)` returns before it is opened."""

from __future__ import annotations

import gc
import warnings
from typing import Any

import anyio
import pytest

import asession
from asession.exceptions import SessionNotEnteredError
from session.conftest import Make

pytestmark = pytest.mark.anyio

KINDS = pytest.mark.parametrize("kind", ["client", "resource"])


@KINDS
async def test_an_opening_opens_once(make: Make, kind: str) -> None:
    async with make() as session:
        opening: Any = getattr(session, kind)("sqs")
        await opening
        with pytest.raises(RuntimeError, match="opened before"):
            await opening
        with pytest.raises(RuntimeError, match="opened before"):
            async with opening:
                raise AssertionError("unreachable")
        opening = getattr(session, kind)("sqs")
        async with opening:
            with pytest.raises(RuntimeError, match=f"session.{kind}"):
                async with opening:
                    raise AssertionError("unreachable")
        with pytest.raises(RuntimeError, match="opened before"):
            await opening


@KINDS
def test_using_it_unopened_says_what_to_write(make: Make, kind: str) -> None:
    opening: Any = getattr(make(), kind)("s3")
    with pytest.raises(AttributeError) as caught:
        opening.list_buckets()
    assert "list_buckets" in str(caught.value)
    assert f"async with session.{kind}(...)" in str(caught.value)
    assert f"await session.{kind}(...)" in str(caught.value)
    assert repr(opening) == f"<{kind} 's3', not open yet>"
    assert not hasattr(opening, "_lease")


@KINDS
async def test_one_that_is_never_opened_is_harmless(make: Make, kind: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        async with make() as session:
            getattr(session, kind)("s3")
            getattr(asession, kind)("s3")
            getattr(make(), kind)("s3")
            gc.collect()
    assert [str(item.message) for item in caught if "never awaited" in str(item.message)] == []


async def test_one_made_before_entering_opens_after_it(make: Make) -> None:
    session = make()
    opening = session.client("s3")
    async with session:
        client = await opening
        assert (await client.list_buckets())["Owner"]["ID"] == "AKIDEXAMPLE"


async def test_one_refused_for_want_of_an_entry_left_nothing(make: Make) -> None:
    session = make()
    opening = session.client("s3")
    with pytest.raises(SessionNotEnteredError):
        await opening
    async with session:
        await session.client("s3")


async def test_errors_of_opening_leave_nothing(make: Make) -> None:
    session = make()
    from botocore.exceptions import UnknownServiceError

    async with session:
        for _ in range(2):
            with pytest.raises(UnknownServiceError):
                await session.client("nonsense")
            with pytest.raises(UnknownServiceError):
                async with session.client("nonsense"):
                    raise AssertionError("unreachable")
        await session.client("s3")
    assert session._live.here() == []


async def test_many_are_opened_at_once(make: Make) -> None:
    session = make()
    keys: list[str] = []

    async def use() -> None:
        async with session.client("s3") as client:
            keys.append((await client.list_buckets())["Owner"]["ID"])

    async with anyio.create_task_group() as tasks:
        for _ in range(30):
            tasks.start_soon(use)
    assert keys == ["AKIDEXAMPLE"] * 30
    assert session._live.here() == []

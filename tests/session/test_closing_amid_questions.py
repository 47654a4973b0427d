"""A session that is closed while tasks still ask it: each gets its answer or is told why not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from botocore.exceptions import HTTPClientError

from asession import Session
from asession.exceptions import ClientClosedError, SessionNotEnteredError
from servers.answers import AwsAnswers
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("steps", range(8))
async def test_whoever_is_too_late_is_told_that_it_is_closed(steps: int) -> None:
    errors: list[Exception] = []
    answers: list[Any] = []

    async def ask(question: Callable[[], Awaitable[Any]]) -> None:
        try:
            answers.append(await question())
        except Exception as error:
            errors.append(error)

    with Recorder(AwsAnswers()) as aws:
        session = Session("AKIAX", "s", region_name="us-east-1", endpoint_url=aws.url)

        async def in_a_block() -> Any:
            async with session.client("s3") as s3:
                return await s3.list_buckets()

        async def of_the_session() -> Any:
            dynamodb = await session.client("dynamodb")
            return await dynamodb.list_tables()

        questions = [
            in_a_block,
            of_the_session,
            lambda: session.get_available_regions("s3"),
            lambda: session.warm_up("s3"),
            session.get_frozen_credentials,
        ]
        async with anyio.create_task_group() as group, session:
            for question in questions * 2:
                group.start_soon(ask, question)
            for _ in range(steps):
                await anyio.lowlevel.checkpoint()
            await session.aclose()
    assert len(answers) + len(errors) == len(questions) * 2
    told = (ClientClosedError, SessionNotEnteredError, HTTPClientError)
    assert [error for error in errors if not isinstance(error, told)] == []

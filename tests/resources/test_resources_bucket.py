"""`Bucket.load` where the buckets may not be listed, as boto3 has it."""

from __future__ import annotations

from typing import Any

import boto3.session
import pytest

from asession import Config, Session
from asession.exceptions import ClientError
from servers.messages import RecordedRequest, Reply
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio

LISTED = (
    "<ListAllMyBucketsResult><Buckets><Bucket><Name>reports</Name>"
    "<CreationDate>2026-01-02T03:04:05.000Z</CreationDate></Bucket></Buckets>"
    "</ListAllMyBucketsResult>"
)
ONCE = Config(retries={"total_max_attempts": 1})


def refusal(code: str) -> Reply:
    return Reply.xml(f"<Error><Code>{code}</Code><Message>no</Message></Error>", 403)


async def date_of(name: str, reply: Reply) -> Any:
    """The creation date after loading; and what boto3 has, checked to be the same."""

    def answer(_request: RecordedRequest) -> Reply:
        return reply

    arguments = {"region_name": "us-east-1", "endpoint_url": None, "config": ONCE}
    with Recorder(answer) as recorder:
        arguments["endpoint_url"] = recorder.url
        async with Session("AKID", "secret") as session:
            async with session.resource("s3", **arguments) as s3:
                bucket = await s3.Bucket(name).load()
                data = bucket.meta.data
        theirs = boto3.session.Session("AKID", "secret").resource("s3", **arguments).Bucket(name)
        theirs.load()
        assert data == theirs.meta.data
        theirs.meta.client.close()
    return bucket.creation_date


async def test_the_creation_date_comes_from_the_list_of_buckets() -> None:
    found = await date_of("reports", Reply.xml(LISTED))
    assert found.isoformat() == "2026-01-02T03:04:05+00:00"


async def test_a_bucket_of_somebody_else_has_no_date() -> None:
    assert await date_of("others", Reply.xml(LISTED)) is None


async def test_without_the_right_to_list_there_is_no_date() -> None:
    assert await date_of("reports", refusal("AccessDenied")) is None


async def test_any_other_error_is_raised() -> None:
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        await date_of("reports", refusal("SignatureDoesNotMatch"))

"""A handler of legacy mode that is not asked would have wanted no other try."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from zlib import crc32

import botocore
import pytest
from aiobotocore.retryhandler import AioRetryHandler, create_retry_handler
from botocore.retryhandler import delay_exponential
from botocore.translate import build_retry_config

from asession import Session
from asession._aws.headers import Headers
from asession._aws.http_session import Answer
from asession._aws.retries import needs_no_retry
from servers.answers import AwsAnswers
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio

RETRY = json.loads((Path(botocore.__file__).parent / "data" / "_retry.json").read_text("utf-8"))
BODY = b'{"a": 1}'
RIGHT, WRONG = str(crc32(BODY)), str(crc32(BODY) ^ 1)


def handler_of(service):
    config = build_retry_config(service, RETRY["retry"], RETRY["definitions"], None)
    return create_retry_handler(config, service)


def response_of(status, checksum=None, content=BODY):
    headers = [] if checksum is None else [("x-amz-crc32", checksum)]
    answer = Answer("http://127.0.0.1/", status, Headers.of_response(headers), None)
    answer._content = content
    return answer


@pytest.mark.parametrize("service", ["dynamodb", "s3", "ec2", "sts"])
async def test_where_a_handler_is_not_asked_it_wants_no_other_try(service):
    handler = handler_of(service)
    skipped = 0
    for status in (200, 204, 301, 400, 403, 404, 429, 500, 502, 503, 504, 509):
        for code in (None, "Throttling", "ProvisionedThroughputExceededException", "SlowDown"):
            for checksum in (None, RIGHT, WRONG, "no number"):
                response = response_of(status, checksum)
                ours, theirs = {"retries": {"max": 1}}, {"retries": {"max": 1}}
                if not needs_no_retry(handler, response, ours):
                    assert ours == {"retries": {"max": 1}}
                    continue
                skipped += 1
                parsed = {"Error": {"Code": code}} if code else {}
                wanted = await handler(
                    attempts=1,
                    response=(response, parsed),
                    caught_exception=None,
                    request_dict={"context": theirs},
                )
                assert wanted is None
                assert ours == theirs
    assert skipped > 10
    assert not needs_no_retry(handler, response_of(503), {})
    assert needs_no_retry(handler, response_of(200, RIGHT), {}) is True
    assert needs_no_retry(handler, response_of(200, WRONG), {}) is (service != "dynamodb")


def test_a_body_that_is_still_to_be_read_is_left_to_the_handler():
    assert not needs_no_retry(handler_of("dynamodb"), response_of(200, RIGHT, None), {})


def test_other_handlers_are_always_asked():
    class Mine(AioRetryHandler):
        pass

    handler = handler_of("s3")
    mine = Mine(checker=handler._checker, action=delay_exponential)
    odd = AioRetryHandler(checker=lambda **kwargs: True, action=delay_exponential)
    for other in (mine, odd, print, lambda **kwargs: None):
        assert not needs_no_retry(other, response_of(200), {})


def test_whoever_reads_the_log_of_retries_sees_all_of_it(caplog):
    with caplog.at_level(logging.DEBUG, "botocore.retryhandler"):
        assert not needs_no_retry(handler_of("s3"), response_of(200), {})


async def test_a_handler_of_ones_own_still_decides():
    asked = []

    def once(attempts, response, **kwargs):
        asked.append((attempts, response[0].status_code))
        return 0 if attempts == 1 else None

    with Recorder(AwsAnswers()) as aws:
        session = Session("AKIAX", "s", region_name="us-east-1", endpoint_url=aws.url)
        session.events.register("needs-retry.s3", once)
        async with session.client("s3") as s3:
            answer = await s3.list_buckets()
    assert asked == [(1, 200), (2, 200)]
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1

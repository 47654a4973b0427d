"""Whatever a server does to a request: the right error, the right number of tries, no hang."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import anyio
import pytest
from botocore.exceptions import (
    ChecksumError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    FlexibleChecksumError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from asession import Config, Session
from servers import faults
from servers.faults import PAYLOAD, Fault, FaultServer

pytestmark = [pytest.mark.anyio, pytest.mark.matrix]

Mode = Literal["legacy", "standard", "adaptive"]
MODES: tuple[Mode, ...] = ("legacy", "standard", "adaptive")
BIG = b"b" * (8 << 20)


@dataclass(frozen=True)
class Case:
    """A fault, what is called, what that raises, and how often it is tried (of two times)."""

    fault: Fault
    call: str
    error: type[Exception] | tuple[type[Exception], ...] | None
    tries: int

    def __str__(self) -> str:
        return f"{self.fault.__name__}-{self.call}"


CASES = [
    Case(faults.reset_before_headers, "get_item", ConnectionClosedError, 2),
    Case(faults.reset_before_headers, "get_object", ConnectionClosedError, 2),
    Case(faults.reset_before_headers, "put_object", ConnectionClosedError, 2),
    Case(faults.reset_after_headers, "get_item", ConnectionClosedError, 2),
    Case(faults.reset_after_headers, "get_object", ResponseStreamingError, 1),
    Case(faults.half_close, "get_item", ConnectionClosedError, 2),
    Case(faults.half_close, "put_object", ConnectionClosedError, 2),
    Case(faults.truncate, "get_item", ConnectionClosedError, 2),
    Case(faults.truncate, "get_object", (ResponseStreamingError, IncompleteReadError), 1),
    Case(faults.stall_before_headers, "get_item", ReadTimeoutError, 2),
    Case(faults.stall_before_headers, "get_object", ReadTimeoutError, 2),
    Case(faults.stall_before_headers, "put_object", ReadTimeoutError, 2),
    Case(faults.stall_mid_body, "get_item", ReadTimeoutError, 2),
    Case(faults.stall_mid_body, "get_object", (ReadTimeoutError, TimeoutError), 1),
    Case(faults.trickle, "get_item", None, 1),
    Case(faults.trickle, "get_object", None, 1),
    Case(faults.slow_headers, "get_object", None, 1),
    Case(faults.slow_headers, "put_object", None, 1),
    Case(faults.corrupt_byte, "get_object", FlexibleChecksumError, 1),
    Case(faults.unavailable, "get_item", ClientError, 2),
    Case(faults.unavailable, "get_object", ClientError, 2),
    Case(faults.garbage, "get_item", ConnectionClosedError, 2),
    Case(faults.garbage, "get_object", ConnectionClosedError, 2),
    Case(faults.oversized_headers, "get_item", ConnectionClosedError, 2),
    Case(faults.surplus, "get_item", None, 1),
    Case(faults.surplus, "get_object", None, 1),
    Case(faults.refuse_early, "put_big_object", ClientError, 1),
    Case(faults.refuse_early_and_stay, "put_big_object", ClientError, 1),
    Case(faults.close_after, "get_item", None, 1),
    Case(faults.close_after, "put_object", None, 1),
]


async def _get_item(dynamodb: Any) -> None:
    found = await dynamodb.get_item(TableName="table", Key={"id": {"S": "1"}})
    assert found["Item"]["id"]["S"] == PAYLOAD.decode()


async def _get_object(s3: Any) -> None:
    answer = await s3.get_object(Bucket="bucket", Key="key")
    async with answer["Body"] as body:
        assert await body.read() == PAYLOAD


async def _put_object(s3: Any) -> None:
    await s3.put_object(Bucket="bucket", Key="key", Body=b"abc")


async def _put_big_object(s3: Any) -> None:
    # Without the question before the body, so that the answer comes in the middle of it.
    s3.meta.events.register("before-send.s3", _no_question)
    await s3.put_object(Bucket="bucket", Key="key", Body=BIG)


def _no_question(request: Any, **_: Any) -> None:
    if "Expect" in request.headers:
        del request.headers["Expect"]


CALLS = {
    "get_item": _get_item,
    "get_object": _get_object,
    "put_object": _put_object,
    "put_big_object": _put_big_object,
}


def _session(url: str) -> Session:
    return Session("AKID", "secret", region_name="us-east-1", endpoint_url=url, profiles={})


def _config(mode: Mode, **kwargs: Any) -> Config:
    retries = {"mode": mode, "total_max_attempts": 2}
    return Config(retries=retries, read_timeout=0.3, connect_timeout=5, **kwargs)


async def _suffer(case: Case, mode: Mode, session: Session) -> None:
    service = "dynamodb" if case.call == "get_item" else "s3"
    call = CALLS[case.call]
    with FaultServer([case.fault] * case.tries) as server, anyio.fail_after(30):
        config = _config(mode)
        async with session.client(service, config=config, endpoint_url=server.url) as client:
            if case.error is None:
                await call(client)
            else:
                wanted = case.error if isinstance(case.error, tuple) else (case.error,)
                with pytest.raises(wanted[0]) as caught:
                    await call(client)
                assert all(isinstance(caught.value, kind) for kind in wanted)
                assert "secret" not in str(caught.value)
            assert server.requests == case.tries, mode
            # The pool is as healthy as if nothing had happened.
            again = _put_object if case.call == "put_big_object" else call
            accepted = 0
            for _ in range(3):
                await again(client)
                accepted = accepted or server.accepted
            assert server.requests == case.tries + 3, mode
            assert server.accepted == accepted, mode


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_fault_ends_as_it_should_in_every_retry_mode(case: Case) -> None:
    async with _session("http://127.0.0.1:1") as session:
        async with anyio.create_task_group() as group:
            for mode in MODES:
                group.start_soon(_suffer, case, mode, session)
        counters = await _counters(session)
        assert (counters.open, counters.idle, counters.waiting) == (3, 3, 0), counters


async def _counters(session: Session) -> Any:
    async with session.client("s3") as s3:
        return s3._endpoint.http_session._transport.counters()


@pytest.mark.parametrize("mode", MODES)
async def test_a_corrupted_dynamodb_answer_is_tried_again(mode: Mode) -> None:
    with FaultServer([faults.corrupt_byte]) as server:
        async with _session(server.url) as session:
            async with session.client("dynamodb", config=_config(mode)) as dynamodb:
                await _get_item(dynamodb)
            assert server.requests == 2


async def test_a_dynamodb_answer_that_stays_corrupted_is_a_checksum_error() -> None:
    with FaultServer([faults.corrupt_byte] * 2) as server:
        async with _session(server.url) as session:
            async with session.client("dynamodb", config=_config("legacy")) as dynamodb:
                with pytest.raises(ChecksumError):
                    await _get_item(dynamodb)


@pytest.mark.parametrize("mode", MODES)
async def test_nobody_listening_is_tried_again_and_then_an_endpoint_connection_error(
    mode: Mode,
) -> None:
    with FaultServer() as server:
        url = server.url
    sent: list[str] = []
    async with _session(url) as session, session.client("s3", config=_config(mode)) as s3:
        s3.meta.events.register("before-send.s3", lambda **_: sent.append("try"))
        with anyio.fail_after(15), pytest.raises(EndpointConnectionError):
            await s3.list_buckets()
    assert len(sent) == 2


async def test_a_connection_closed_while_idle_is_replaced_without_a_try() -> None:
    with FaultServer([faults.close_after] * 5) as server:
        config = _config("standard")
        async with _session(server.url) as session, session.client("dynamodb", config=config) as db:
            for _ in range(5):
                answer = await db.get_item(TableName="table", Key={"id": {"S": "1"}})
                assert answer["ResponseMetadata"]["RetryAttempts"] == 0
            assert server.requests == 5
            assert server.accepted == 5


async def test_the_read_timeout_of_one_call_is_its_own() -> None:
    with FaultServer([faults.stall_before_headers]) as server:
        config = Config(retries={"total_max_attempts": 1}, read_timeout=30)
        async with _session(server.url) as session, session.client("s3", config=config) as s3:
            s3.meta.events.register("before-send.s3", _hurry)
            with anyio.fail_after(5), pytest.raises(ReadTimeoutError):
                await s3.list_buckets()


def _hurry(request: Any, **_: Any) -> None:
    request.context["read_timeout"] = 0.1


async def test_a_wait_for_a_connection_ends_as_a_connect_timeout() -> None:
    from aiobotocore.config import AioConfig

    config = AioConfig(
        max_pool_connections=1,
        retries={"total_max_attempts": 1},
        connector_args={"pool_timeout": 0.1},
    )
    with FaultServer([faults.stall_before_headers]) as server:
        async with _session(server.url) as session, session.client("s3", config=config) as s3:
            async with anyio.create_task_group() as group:
                group.start_soon(s3.list_buckets)
                while not server.requests:
                    await anyio.sleep(0.01)
                with anyio.fail_after(5), pytest.raises(ConnectTimeoutError) as caught:
                    await s3.get_object(Bucket="bucket", Key="key")
                assert "became free" in str(caught.value.kwargs["error"])
                group.cancel_scope.cancel()

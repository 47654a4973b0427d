"""Observers are told what clients and their connections do."""

from __future__ import annotations

import ssl
from typing import Any

import anyio
import pytest
import trustme
from aiobotocore.config import AioConfig
from botocore.exceptions import EndpointConnectionError

from asession import Config, Session
from asession._http.bodies import body_of
from asession._http.limits import Timeouts
from asession._http.requests import Request, Route
from asession._http.transport import Transport
from asession.observe import (
    ClientClosed,
    ClientOpened,
    ConnectionAcquired,
    ConnectionAwaited,
    ConnectionClosed,
    ConnectionFailed,
    ConnectionOpened,
    Event,
)
from asession.observe.reporting import Reporter
from observe.seen import BUCKETS, KEYS, Seen, session_to
from servers.recorder import Recorder, Reply

pytestmark = pytest.mark.anyio


async def test_clients_and_connections_are_told_from_opening_to_closing(seen: Seen) -> None:
    with Recorder(lambda _: Reply(200, {}, BUCKETS)) as server:
        async with session_to(server.url, seen) as session:
            async with session.client("s3") as s3:
                await s3.list_buckets()
                await s3.list_buckets()
            assert seen.open_connections() == {"active": 0, "idle": 1}
            await session.client("sts")
        where = {"scheme": "http", "host": "127.0.0.1", "port": server.port}
    assert [event.name for event in seen.events] == [
        "client.opened",
        "connection.opened",
        "connection.released",
        "connection.acquired",
        "connection.released",
        "client.closed",
        "client.opened",
        "client.closed",
        "connection.closed",
    ]
    first, second = seen.of(ClientOpened)
    assert (first.service, first.region, first.first) == ("s3", "eu-west-1", True)
    assert (second.service, second.region, second.first) == ("sts", "eu-west-1", False)
    [closed, _] = seen.of(ClientClosed)
    assert (closed.service, closed.region) == ("s3", "eu-west-1")
    assert 0 < first.duration < 60 > closed.lifetime > 0
    [opened] = seen.of(ConnectionOpened)
    assert opened.fields() | {"duration": 0} == {
        **where,
        "connection": 1,
        "duration": 0,
        "tls_duration": None,
        "proxy": None,
    }
    [acquired] = seen.of(ConnectionAcquired)
    assert (acquired.connection, acquired.requests) == (1, 1)
    assert acquired.idle >= 0
    [ended] = seen.of(ConnectionClosed)
    assert (ended.connection, ended.requests, ended.reason, ended.was_idle) == (
        1,
        2,
        "shutdown",
        True,
    )
    assert ended.lifetime > 0
    assert seen.open_connections() == {"active": 0, "idle": 0}


async def test_a_resource_is_a_client_that_opens_and_closes(seen: Seen) -> None:
    with Recorder(lambda _: Reply(200, {}, BUCKETS)) as server:
        async with session_to(server.url, seen) as session:
            async with session.resource("s3") as s3:
                assert [bucket async for bucket in s3.buckets.all()] == []
    assert [event.service for event in seen.of(ClientOpened)] == ["s3"]
    assert [event.service for event in seen.of(ClientClosed)] == ["s3"]


async def test_a_client_of_a_given_botocore_session_is_told_too(seen: Seen) -> None:
    from aiobotocore.httpxsession import HttpxSession
    from aiobotocore.session import AioSession

    given = AioSession()
    given.set_default_client_config(AioConfig(http_session_cls=HttpxSession))
    session = Session(**KEYS, region_name="eu-west-1", botocore_session=given, observers=[seen])
    async with session, session.client("sts"):
        pass
    assert [event.name for event in seen.events] == ["client.opened", "client.closed"]


async def test_the_handshake_is_told_and_a_peer_that_is_not_trusted(
    seen: Seen, tmp_path: Any
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    config = Config(retries={"max_attempts": 0})
    with Recorder(lambda _: Reply(200, {}, BUCKETS), tls=context) as server:
        async with session_to(server.url, seen, config=config) as session:
            async with session.client("s3", verify=str(tmp_path / "ca.pem")) as s3:
                await s3.list_buckets()
            async with session.client("s3") as s3:
                with pytest.raises(Exception, match="SSL"):
                    await s3.list_buckets()
    [opened] = seen.of(ConnectionOpened)
    assert opened.scheme == "https"
    assert opened.tls_duration is not None
    assert 0 < opened.tls_duration <= opened.duration
    [failed] = seen.of(ConnectionFailed)
    assert (failed.host, failed.error) == ("127.0.0.1", "TlsFailed")


async def test_a_peer_that_is_not_there_is_told(seen: Seen) -> None:
    with Recorder() as server:
        gone = server.url
    config = Config(retries={"max_attempts": 0})
    async with session_to(gone, seen, config=config) as session, session.client("s3") as s3:
        with pytest.raises(EndpointConnectionError):
            await s3.list_buckets()
    [failed] = seen.of(ConnectionFailed)
    assert failed.error == "ConnectFailed"
    assert seen.of(ConnectionOpened) == []
    assert seen.open_connections() == {"active": 0, "idle": 0}


async def test_who_waits_for_a_connection_is_told(seen: Seen) -> None:
    config = Config(max_pool_connections=1)
    with Recorder(lambda _: Reply(200, {}, BUCKETS, delay=0.05)) as server:
        async with session_to(server.url, seen, config=config) as session:
            async with session.client("s3") as s3, anyio.create_task_group() as group:
                for _ in range(3):
                    group.start_soon(s3.list_buckets)
    waits = seen.of(ConnectionAwaited)
    assert len(waits) == 2
    assert all(wait.limit == 1 and wait.error is None and wait.duration > 0 for wait in waits)
    assert len(seen.of(ConnectionOpened)) == 1
    assert seen.open_connections() == {"active": 0, "idle": 0}


async def test_who_waits_in_vain_for_a_connection_is_told(seen: Seen) -> None:
    with Recorder(lambda _: Reply(200, {}, b"x" * 4_000_000)) as server:
        async with session_to(server.url, seen) as session:
            given = Config(max_pool_connections=1)
            async with session.client("s3", config=given) as s3:
                held = await s3.get_object(Bucket="b", Key="k")
                with anyio.move_on_after(0.05) as scope:
                    await s3.get_object(Bucket="b", Key="k")
                assert scope.cancelled_caught
                held["Body"].close()
    [wait] = seen.of(ConnectionAwaited)
    assert wait.error == "cancelled"
    assert seen.open_connections() == {"active": 0, "idle": 0}


class Interrupted(BaseException):
    """What an observer may raise when a signal comes."""


@pytest.mark.parametrize(
    "when",
    [
        "connection.opened",
        "connection.acquired",
        "connection.released",
        "connection.awaited",
        "connection.closed",
    ],
)
async def test_an_observer_that_interrupts_keeps_no_connection(when: str, seen: Seen) -> None:
    armed = False

    def interrupting(event: Event) -> None:
        nonlocal armed
        if armed and event.name == when:
            armed = False
            raise Interrupted

    replies = [Reply(200, {}, BUCKETS, close=when == "connection.closed", delay=0.05)]
    config = Config(max_pool_connections=1)

    async def call(s3: Any) -> None:
        try:
            await s3.list_buckets()
        except Interrupted:
            interrupted.append(when)

    interrupted: list[str] = []
    with Recorder(lambda _: replies[0]) as server:
        async with session_to(server.url, interrupting, seen, config=config) as session:
            async with session.client("s3") as s3:
                if when not in {"connection.opened", "connection.awaited"}:
                    await s3.list_buckets()
                armed = True
                async with anyio.create_task_group() as group:
                    group.start_soon(call, s3)
                    group.start_soon(call, s3)
                with anyio.fail_after(10):
                    await s3.list_buckets()
    assert interrupted == [when]


async def test_a_connection_that_nobody_waits_for_any_more_is_told_as_cancelled(seen: Seen) -> None:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with session_to(f"https://127.0.0.1:{port}", seen) as session:
            async with session.client("s3") as s3:
                with anyio.move_on_after(0.3):
                    await s3.list_buckets()
    [failed] = seen.of(ConnectionFailed)
    assert failed.error == "cancelled"


async def test_why_connections_are_closed_is_told(seen: Seen) -> None:
    replies = iter(
        [
            Reply(200, {}, BUCKETS),
            Reply(200, {}, BUCKETS, close=True),
            Reply(200, {}, b"x" * 4_000_000),
        ]
    )
    with Recorder(lambda _: next(replies)) as server:
        async with session_to(server.url, seen) as session, session.client("s3") as s3:
            await s3.list_buckets()
            await s3.list_buckets()
            unread = await s3.get_object(Bucket="b", Key="k")
            unread["Body"].close()
            await anyio.wait_all_tasks_blocked()
            counts = seen.open_connections()
    assert counts == {"active": 0, "idle": 0}
    reasons = [event.reason for event in seen.of(ConnectionClosed)]
    assert len(reasons) == 2
    assert set(reasons) <= {"not_reusable", "peer_closed"}
    assert reasons[-1] == "not_reusable"


async def test_a_connection_that_the_peer_ended_meanwhile_is_told(seen: Seen) -> None:
    with Recorder(lambda _: Reply(200, {}, BUCKETS)) as first:
        port = first.port
        session = session_to(first.url, seen)
        await session.__aenter__()
        s3 = await session.client("s3", config=Config(retries={"max_attempts": 0}))
        await s3.list_buckets()
    with pytest.raises(EndpointConnectionError):
        await s3.list_buckets()
    await session.__aexit__(None, None, None)
    [closed] = seen.of(ConnectionClosed)
    assert (closed.reason, closed.was_idle, closed.port) == ("peer_closed", True, port)
    assert seen.open_connections() == {"active": 0, "idle": 0}


async def test_a_session_closed_amid_a_request_leaves_no_connection_in_the_count(
    seen: Seen,
) -> None:
    with Recorder(lambda _: Reply(200, {}, BUCKETS, delay=5)) as server:
        async with session_to(server.url, seen) as session:
            s3 = await session.client("s3", config=Config(retries={"max_attempts": 0}))

            async def ask() -> None:
                with pytest.raises(Exception, match="closed"):
                    await s3.list_buckets()

            async with anyio.create_task_group() as group:
                group.start_soon(ask)
                while not server.requests:
                    await anyio.sleep(0.01)
                await session.aclose()
                group.cancel_scope.cancel()
    [closed] = seen.of(ConnectionClosed)
    assert (closed.reason, closed.was_idle) == ("shutdown", False)
    assert seen.open_connections() == {"active": 0, "idle": 0}


async def test_a_connection_that_was_idle_for_too_long_is_told(seen: Seen) -> None:
    transport = Transport(keepalive=0.02, reporter=Reporter([seen]))
    with Recorder(lambda _: Reply(200, {}, b"ok")) as server:
        route = Route("http", "127.0.0.1", server.port)
        for _ in range(2):
            request = Request("GET", "/", [], body_of(None))
            await (await transport.send(request, route, Timeouts())).read()
            await anyio.sleep(0.05)
        await transport.aclose()
    closed = seen.of(ConnectionClosed)
    assert [event.reason for event in closed] == ["idle_timeout", "shutdown"]
    assert seen.open_connections() == {"active": 0, "idle": 0}


async def test_nothing_is_made_for_a_request_that_nobody_observes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def made(*_: object) -> None:
        raise AssertionError("an event was made")

    with Recorder(lambda _: Reply(200, {}, BUCKETS)) as server:
        async with session_to(server.url) as session, session.client("s3") as s3:
            await s3.list_buckets()
            with monkeypatch.context() as patched:
                patched.setattr(Reporter, "report", made)
                await s3.list_buckets()

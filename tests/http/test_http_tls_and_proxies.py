"""TLS as botocore has it, and proxies of every kind in front of every kind of endpoint."""

from __future__ import annotations

import contextlib
import gc
import logging
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
import trustme
from botocore.exceptions import ProxyConnectionError, SSLError

from asession import Config, Session
from asession._http.bodies import body_of
from asession._http.errors import ConnectionClosed
from asession._http.limits import Timeouts
from asession._http.requests import Proxy as HttpProxy
from asession._http.requests import Request, Route
from asession._http.tls import TlsSettings
from asession._http.transport import Transport
from servers.answers import AwsAnswers
from servers.proxy import Proxy
from servers.recorder import Recorder
from session.cancelling import cancelled_at

pytestmark = pytest.mark.anyio

SECRET = "wJalrXUtnFEMI-secret"
ONCE = {"total_max_attempts": 1}


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bundle(ca: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return str(path)


def server_context(ca: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*(names or ("127.0.0.1", "localhost"))).configure_cert(context)
    return context


@pytest.fixture
def secure(ca: trustme.CA) -> Iterator[Recorder]:
    with Recorder(AwsAnswers(), tls=server_context(ca)) as server:
        yield server


@pytest.fixture
def plain() -> Iterator[Recorder]:
    with Recorder(AwsAnswers()) as server:
        yield server


def session_for(url: str, **kwargs: Any) -> Session:
    return Session("AKID", SECRET, region_name="us-east-1", endpoint_url=url, profiles={}, **kwargs)


async def ask(url: str, config: Config | None = None, times: int = 1, **kwargs: Any) -> None:
    with anyio.fail_after(20):
        async with session_for(url, **kwargs) as session:
            async with session.client("s3", config=config or Config(retries=ONCE)) as s3:
                for _ in range(times):
                    await s3.list_buckets()


async def test_a_trusted_server_is_spoken_to(secure: Recorder, bundle: str) -> None:
    await ask(secure.url, times=3, verify=bundle)
    assert len(secure.requests) == 3
    assert secure.connections_opened == 1


async def test_an_unknown_authority_is_an_ssl_error(secure: Recorder) -> None:
    with pytest.raises(SSLError):
        await ask(secure.url)
    assert not secure.requests


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_a_bundle_that_cannot_be_loaded_is_named(
    secure: Recorder, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "company.pem"
    if content is not None:
        path.write_text(content, "utf-8")
    with pytest.raises(SSLError, match=r"cannot load certificates from \S+/company\.pem: "):
        await ask(secure.url, verify=str(path), config=Config(retries=ONCE))


async def test_without_verification_anybody_is_trusted(secure: Recorder) -> None:
    await ask(secure.url, verify=False)
    assert len(secure.requests) == 1


async def test_a_certificate_of_another_host_is_an_ssl_error(ca: trustme.CA, bundle: str) -> None:
    with Recorder(AwsAnswers(), tls=server_context(ca, "elsewhere.example")) as server:
        with pytest.raises(SSLError):
            await ask(server.url, verify=bundle)
        assert not server.requests


async def test_the_client_shows_its_certificate(
    ca: trustme.CA, bundle: str, tmp_path: Path
) -> None:
    context = server_context(ca)
    ca.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    mine = tmp_path / "client.pem"
    ca.issue_cert("client@example.org").private_key_and_cert_chain_pem.write_to_path(str(mine))
    with Recorder(AwsAnswers(), tls=context) as server:
        await ask(server.url, Config(client_cert=str(mine), retries=ONCE), verify=bundle)
        assert len(server.requests) == 1
        with pytest.raises(Exception, match=r"endpoint URL|closed|SSL"):
            await ask(server.url, verify=bundle)


async def test_certificates_are_loaded_once_and_never_on_the_loops_thread(
    secure: Recorder, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[threading.Thread] = []
    load = ssl.SSLContext.load_verify_locations

    def noted(self: ssl.SSLContext, *args: Any, **kwargs: Any) -> None:
        loads.append(threading.current_thread())
        load(self, *args, **kwargs)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", noted)
    async with session_for(secure.url, verify=bundle) as session:

        async def one() -> None:
            async with session.client("s3") as s3:
                await s3.list_buckets()

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(one)
    assert len(loads) == 1
    assert loads[0] is not threading.current_thread()


FRAMINGS = {
    "length": b"Content-Length: 10\r\n\r\nhello",
    "chunked": b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "until close": b"Connection: close\r\n\r\nhello",
}


@contextlib.contextmanager
def closing(context: ssl.SSLContext, answer: bytes, *, goodbye: bool) -> Iterator[int]:
    """A TLS server for one connection, which it closes with or without TLS's own goodbye."""

    def serve() -> None:
        plain, _ = listener.accept()
        secure = context.wrap_socket(plain, server_side=True)
        secure.recv(65536)
        secure.sendall(b"HTTP/1.1 200 OK\r\n" + answer)
        if goodbye:
            secure.setblocking(False)
            with contextlib.suppress(ssl.SSLWantReadError, OSError):
                secure.unwrap()
        secure.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


@pytest.mark.parametrize("goodbye", [False, True])
@pytest.mark.parametrize("framing", FRAMINGS)
async def test_a_body_that_tls_does_not_end_properly_is_cut_short(
    framing: str, goodbye: bool, ca: trustme.CA, bundle: str
) -> None:
    transport = Transport()
    with closing(server_context(ca), FRAMINGS[framing], goodbye=goodbye) as port:
        route = Route("https", "127.0.0.1", port, tls=TlsSettings(ca_bundle=bundle))
        request = Request("GET", "/", [], body_of(None))
        with anyio.fail_after(10):
            response = await transport.send(request, route, Timeouts())
            if goodbye and framing == "until close":
                assert await response.read() == b"hello"
            else:
                # Anybody on the way can end a connection, but only the peer can say goodbye.
                with pytest.raises(ConnectionClosed):
                    await response.read()
    assert transport.counters().open == 0
    await transport.aclose()


@pytest.mark.parametrize("proxy_tls", [False, True])
@pytest.mark.parametrize("endpoint_tls", [False, True])
async def test_every_endpoint_is_reached_through_every_proxy(
    proxy_tls: bool, endpoint_tls: bool, ca: trustme.CA, bundle: str, request: Any
) -> None:
    server: Recorder = request.getfixturevalue("secure" if endpoint_tls else "plain")
    tls = server_context(ca) if proxy_tls else None
    with Proxy(tls=tls, credentials="user:pass word") as proxy:
        url = f"{'https' if proxy_tls else 'http'}://user:pass%20word@127.0.0.1:{proxy.port}"
        config = Config(
            retries=ONCE,
            proxies={"http": url, "https": url},
            proxies_config={"proxy_ca_bundle": bundle},
        )
        await ask(server.url, config, times=2, verify=bundle)
        assert len(server.requests) == 2
        assert bool(proxy.tunnelled) == endpoint_tls
        assert bool(proxy.forwarded) == (not endpoint_tls)
    # What is for the proxy is not the endpoint's to see through a tunnel.
    if endpoint_tls:
        assert all("proxy-authorization" not in seen.headers for seen in server.requests)


@pytest.mark.parametrize("how", ["scope", "native"])
async def test_cancelled_at_any_await_on_the_way_through_a_proxy_nothing_is_left(
    how: Any, secure: Recorder, bundle: str, anyio_backend_name: str
) -> None:
    if how == "native" and anyio_backend_name != "asyncio":
        pytest.skip("only asyncio has Task.cancel")
    tls = TlsSettings(ca_bundle=bundle)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            await anyio.sleep(0)
            yield b"x" * 10_000

    with Proxy() as proxy:
        route = Route(
            "https",
            "127.0.0.1",
            secure.port,
            tls=tls,
            proxy=HttpProxy("http", "127.0.0.1", proxy.port),
            limit=1,
        )
        for step in range(1, 200):
            transport = Transport()

            async def call(transport: Transport = transport) -> None:
                request = Request("PUT", "/b/k", [], body_of(pieces(), 30_000))
                async with await transport.send(request, route, Timeouts()) as response:
                    await response.read()

            with anyio.fail_after(10):
                reached = await cancelled_at(step, call, how)
                counters = transport.counters()
                assert (counters.open, counters.waiting) == (counters.idle, 0), step
                if step % 5 == 1:  # the place is free: one is all that there is
                    await call()
            await transport.aclose()
            gc.collect()  # a socket left open would warn, which is an error
            if not reached:
                assert step > 8
                return
    raise AssertionError("the request never ended")


async def test_a_proxy_that_refuses_is_a_proxy_error_without_its_password(
    secure: Recorder, bundle: str
) -> None:
    with Proxy(credentials="user:right") as proxy:
        url = f"http://user:wrongpassword@127.0.0.1:{proxy.port}"
        config = Config(retries=ONCE, proxies={"https": url})
        with pytest.raises(ProxyConnectionError) as caught:
            await ask(secure.url, config, verify=bundle)
        assert "wrongpassword" not in f"{caught.value} {caught.value.__cause__!r}"
    assert not secure.requests


async def test_a_proxy_of_an_unknown_authority_is_a_proxy_error(
    ca: trustme.CA, plain: Recorder
) -> None:
    with Proxy(tls=server_context(ca)) as proxy:
        config = Config(retries=ONCE, proxies={"http": f"https://127.0.0.1:{proxy.port}"})
        with pytest.raises(ProxyConnectionError):
            await ask(plain.url, config)


async def test_the_environments_proxy_is_used_unless_no_proxy_says_otherwise(
    plain: Recorder,
) -> None:
    with Proxy() as proxy:
        environ = {"HTTP_PROXY": f"http://127.0.0.1:{proxy.port}", "HOME": "/nowhere"}
        await ask(plain.url, environ=environ)
        assert len(proxy.forwarded) == 1
        await ask(plain.url, environ={**environ, "NO_PROXY": "127.0.0.1"})
        assert len(proxy.forwarded) == 1
    assert len(plain.requests) == 2


async def test_the_log_has_no_secret(
    secure: Recorder, bundle: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Proxy(credentials="user:hidden-word") as proxy:
        config = Config(
            retries=ONCE, proxies={"https": f"http://user:hidden-word@127.0.0.1:{proxy.port}"}
        )
        with caplog.at_level(logging.DEBUG, logger="asession"):
            await ask(secure.url, config, verify=bundle)
    ours = [entry.getMessage() for entry in caplog.records if entry.name.startswith("asession")]
    assert any("-> 200" in message for message in ours)
    assert not any(SECRET in message or "hidden-word" in message for message in ours)
    assert not any("Signature" in message for message in ours)

"""A local AWS server for the length of a block, sync or async."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import anyio

from asession._runtime.threads import in_thread
from asession.testing.kinds import spec_of
from asession.testing.process import Server, ServerSpec, start

if TYPE_CHECKING:
    from asession.session import Session

ACCESS_KEY = "testing"
REGION = "us-east-1"
# Longer than the server's own time to end: what is over then was killed before.
_STOP_TIMEOUT = 10.0


class LocalServer:
    """A running AWS server on loopback; lives as long as the block of `aws_server`, which ends it.

    Attributes:
        url: Its endpoint, for example ``http://127.0.0.1:12345``.
    """

    def __init__(self, process: Server) -> None:
        self._process = process
        self.url: str = process.url

    @property
    def port(self) -> int:
        """The port it listens on, on 127.0.0.1."""
        return self._process.ports[0]

    @property
    def pid(self) -> int:
        """Its process id, also after its end."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether its process has not ended."""
        return self._process.running

    def log_tail(self) -> str:
        """The last lines that it wrote."""
        return self._process.log_tail()

    def session(self, **options: Any) -> Session:
        """A new session for this server, with keys that are none; not entered.

        It takes nothing from the environment or from profile files.

        Args:
            options: Those of `asession.Session`, which go before the ones made here.
        """
        from asession.session import Session

        given: dict[str, Any] = {
            "aws_access_key_id": ACCESS_KEY,
            "aws_secret_access_key": ACCESS_KEY,
            "region_name": REGION,
            "endpoint_url": self.url,
            "environ": {"AWS_EC2_METADATA_DISABLED": "true"},
            "profiles": {},
        }
        return Session(**{**given, **options})

    def __repr__(self) -> str:
        return f"<LocalServer {self.url} pid={self.pid}{'' if self.running else ' ended'}>"


class ServerBlock:
    """What `aws_server` returns: starts a server when entered, ends it when left.

    Enter it with `with` or `async with`; again once it was left.
    """

    def __init__(self, spec: ServerSpec, timeout: float) -> None:
        self._spec = spec
        self._timeout = timeout
        self._server: Server | None = None

    def __enter__(self) -> LocalServer:
        if self._server is not None:
            raise RuntimeError("this aws_server() is entered already; make another one")
        self._server = start(self._spec, timeout=self._timeout)
        return LocalServer(self._server)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    async def __aenter__(self) -> LocalServer:
        try:
            return await in_thread(self.__enter__)
        except BaseException:
            # Cancelled while it started: nobody leaves a block that was never reached.
            await self.__aexit__(None, None, None)
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with anyio.move_on_after(_STOP_TIMEOUT, shield=True):
            await in_thread(functools.partial(self.__exit__, kind, error, traceback))


def aws_server(
    server: str | Sequence[str] = "moto",
    *,
    ready: str = "/",
    environ: Mapping[str, str] | None = None,
    timeout: float = 60.0,
) -> ServerBlock:
    """Run an AWS server on a free port of 127.0.0.1 for a block.

    It is a child process with an environment made from nothing: a HOME of its own, no AWS or proxy
    settings. It is ended by its process id at every exit from the block, and at the latest when
    this process ends.

    Args:
        server: ``"moto"``, ``"ministack"``, or the command of any other, as a list in which
            ``{port}`` and ``{host}`` stand for where it has to listen.
        ready: For a command: the path that answers 200 once it is ready.
        environ: For a command: what to add to its environment; ``{port}`` is replaced there too.
        timeout: Seconds until it has to answer.

    Returns:
        A context manager, sync and async, that gives a `LocalServer`.

    Raises:
        ServerFailedError: It is not known or not installed; on entering: it did not start.

    Example:
        ::

            async with aws_server() as server:
                async with server.session() as session, session.client("s3") as s3:
                    await s3.create_bucket(Bucket="a-bucket")
    """
    return ServerBlock(spec_of(server, ready, environ), timeout)

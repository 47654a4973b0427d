"""HTTP sessions that note when they are closed, and fail, hang or wait while being closed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession

from asession._aws.http_session import HttpSession

Close = Callable[[str], Awaitable[None]]


class HttpLog:
    """What became of the HTTP sessions of one test's clients, in order; lives as long as the test.

    Args:
        backend: The name of the event loop.
        before_close: Awaited with the name of a client before its HTTP session is closed; what it
            raises comes out of `close` once that is done; if it is cancelled, nothing is closed.
    """

    def __init__(self, backend: str, before_close: Close | None = None) -> None:
        self.opened: list[Any] = []
        self.closed: list[str] = []
        self._names: dict[int, str] = {}
        base: Any = HttpSession if backend == "trio" else AIOHTTPSession
        log = self

        class Http(base):  # type: ignore[misc]
            async def __aenter__(self) -> Any:
                opened = await super().__aenter__()
                log.opened.append(self)
                return opened

            async def close(self) -> None:
                name = log._names.get(id(self), "?")
                try:
                    if before_close is not None:
                        await before_close(name)
                except Exception:
                    await self._really_close(name)
                    raise
                await self._really_close(name)

            async def _really_close(self, name: str) -> None:
                await super().close()
                log.closed.append(name)  # an interrupted close is repeated

        self.config = AioConfig(http_session_cls=Http)

    def name(self, client: Any, name: str) -> Any:
        """Give a client, or the client of a resource, a name in the log; returns it."""
        inner = client.meta.client if hasattr(client.meta, "client") else client
        self._names[id(inner._endpoint.http_session)] = name
        return client

    @property
    def left_open(self) -> int:
        """How many HTTP sessions were opened and not closed."""
        return len(self.opened) - len(self.closed)


async def fail(name: str) -> None:
    """Fails, naming the client."""
    raise OSError(f"cannot close {name}")

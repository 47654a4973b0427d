"""Sessions of several tenants, each with keys of its own, and who signs a request."""

from __future__ import annotations

import anyio

import asession
from asession import Session
from asession.web.asgi import Receive, Scope, Send
from web.driver import answer


def session_of(tenant: str, url: str) -> Session:
    """A new session of a tenant, with AWS at a URL."""
    return Session(access_key_of(tenant), "secret", region_name="eu-west-1", endpoint_url=url)


def access_key_of(tenant: str) -> str:
    """The access key id that the tenant's requests are signed with."""
    return f"AKID{tenant.upper()}"


def tenant_in(scope: Scope) -> str:
    """The tenant that a request names in its header ``x-tenant``."""
    headers: dict[bytes, bytes] = dict(scope["headers"])
    return headers[b"x-tenant"].decode()


async def who_signs() -> str:
    """The access key that signs what the current session sends."""
    async with asession.client("s3") as s3:
        return str((await s3.list_buckets())["Owner"]["ID"])


async def tell_who_signs(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers with `who_signs`."""
    await answer(send, await who_signs())


class Meeting:
    """Where requests wait until all of them are there, so that they are served at once."""

    def __init__(self, expected: int) -> None:
        self._missing = expected
        self._complete: anyio.Event | None = None

    async def come(self) -> None:
        """Return when everybody has come."""
        if self._complete is None:  # made on the loop of those who meet
            self._complete = anyio.Event()
        self._missing -= 1
        if not self._missing:
            self._complete.set()
        with anyio.fail_after(30):
            await self._complete.wait()

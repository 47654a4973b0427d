"""The types of sessions in web applications, as users see them."""

from __future__ import annotations

from typing import assert_type

from asession import Session
from asession.web import SessionCache, session_dependency


def session_of(tenant: str) -> Session:
    return Session(profile_name=tenant)


def name_of(tenant: str) -> str:
    return tenant


async def slow_session_of(tenant: int) -> Session:
    return Session(profile_name=str(tenant))


async def keys_and_sessions() -> None:
    async with SessionCache(session_of, limit=10) as by_name:
        assert_type(by_name, SessionCache[str])
        assert_type(await by_name.get("red"), Session)
        await by_name.get(1)  # wrong
        await by_name.discard("red")
    assert_type(SessionCache(slow_session_of), SessionCache[int])
    SessionCache(name_of)  # wrong


async def in_a_dependency(cache: SessionCache[str]) -> None:
    @session_dependency
    async def tenant_session(x_tenant: str) -> Session:
        return await cache.get(x_tenant)

    async for session in tenant_session("red"):
        assert_type(session, Session)

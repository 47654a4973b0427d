"""Source keys: what tells two sessions' sources apart, and how the process remembers by them."""

from __future__ import annotations

import os

import anyio
import pytest

from asession import Config, Session
from asession.credentials.cache import PROCESS_CACHE, Cache, Entry, Value
from asession.credentials.keys import may_concern_sources
from asession.credentials.refresh import LONGEST_REST, Schedule
from asession.credentials.values import FrozenCredentials
from credentials.sources import Clock, Vault
from servers.identity import IdentityServer

pytestmark = pytest.mark.anyio

ROLE = "arn:aws:iam::123456789012:role/app"
USER = {"aws_access_key_id": "AKIAUSER", "aws_secret_access_key": "user-secret"}
PROFILES = {
    "default": {"role_arn": ROLE, "source_profile": "user"},
    "user": USER,
    "same": USER,
    "process": {"credential_process": "keys"},
}


def changed(profile, **values):
    return {**PROFILES, profile: {**PROFILES[profile], **values}}


async def ask(_serial):
    return "123456"


# One tenant each: arguments of a session whose role is the same.
TENANTS = {
    "plain": {},
    "another source profile": {"profiles": changed("default", source_profile="same")},
    "other keys of the source": {"profiles": changed("user", aws_access_key_id="AKIAOTHER")},
    "another secret": {"profiles": changed("user", aws_secret_access_key="other-secret")},
    "a session token": {"profiles": changed("user", aws_session_token="token")},
    "an external id": {"profiles": changed("default", external_id="x")},
    "a shorter life": {"profiles": changed("default", duration_seconds="900")},
    "a session name": {"profiles": changed("default", role_session_name="me")},
    "an endpoint": {"endpoint_url": "http://127.0.0.1:1"},
    "an endpoint in the profile": {"profiles": changed("default", endpoint_url="http://a")},
    "no check of certificates": {"verify": False},
    "a CA bundle in the profile": {"profiles": changed("default", ca_bundle="/a.pem")},
    "proxies": {"config": Config(proxies={"https": "http://127.0.0.1:1"})},
    "a proxy of the environment": {"environ": {"HTTPS_PROXY": "http://127.0.0.1:1"}},
    "a variable": {"environ": {"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"}},
    "a home": {"environ": {"HOME": "/elsewhere"}},
    "a region": {"region_name": "eu-west-1"},
    "a prompt": {"mfa": ask},
    "a cache on disk": {"credential_cache": "cli"},
}


def session_of(**changes):
    environ = {"HOME": "/nowhere", "AWS_EC2_METADATA_DISABLED": "true"}
    given = {"profiles": PROFILES, "region_name": "us-east-1", **changes}
    return Session(**{**given, "environ": {**environ, **changes.get("environ", {})}})


async def keys_of(session):
    """The source keys that a session makes; it asks no source."""
    before = set(PROCESS_CACHE._entries._values)
    await session.explain()
    return set(PROCESS_CACHE._entries._values) - before


async def test_everything_that_reaches_the_request_of_a_role_tells_tenants_apart():
    for tenant, changes in TENANTS.items():
        assert len(await keys_of(session_of(**changes))) == 1, tenant
        assert not await keys_of(session_of(**changes)), f"{tenant}: a key for each session"


async def test_explicit_keys_tell_the_roles_of_a_parent_apart():
    def role(access="AKIAX", secret="s", token=None, **changes):
        keys = {"aws_access_key_id": access, "aws_secret_access_key": secret}
        return session_of(**keys, aws_session_token=token, **changes).assume_role(ROLE)

    made = [role(), role(access="AKIAY"), role(secret="t"), role(token="u"), role(region_name="x")]
    made.append(role().assume_role(ROLE + "2"))
    for number, session in enumerate(made):
        assert len(await keys_of(session)) == 1, number
    assert not await keys_of(role())


async def test_a_handler_that_may_change_the_request_tells_sessions_apart():
    def tag(**_kwargs):
        pass

    def of_tenant():
        def tag(**_kwargs):
            pass

        return tag

    def session_with(handler, event="before-parameter-build.sts.AssumeRole"):
        session = session_of()
        session.events.register(event, handler)
        return session

    assert len(await keys_of(session_of())) == 1
    assert len(await keys_of(session_with(tag))) == 1
    assert not await keys_of(session_with(tag))
    one = of_tenant()
    assert len(await keys_of(session_with(one))) == 1
    assert len(await keys_of(session_with(of_tenant()))) == 1
    assert not await keys_of(session_with(one))
    assert not await keys_of(session_with(one, "before-sign.s3"))


@pytest.mark.parametrize(
    ("event", "may"),
    [
        ("before-sign", True),
        ("before-sign.sts", True),
        ("before-call.sso-oidc.CreateToken", True),
        ("before-send.*", True),
        ("*", True),
        ("before-sign.s3.PutObject", False),
        ("creating-client-class.dynamodb", False),
    ],
)
def test_handlers_of_other_services_concern_no_source(event, may):
    assert may_concern_sources(event) is may


async def test_profiles_with_one_program_and_two_accounts_do_not_share():
    def session(account):
        values = {"aws_account_id": account, "credential_process": "true"}
        return session_of(profiles={"default": values})

    seen = set()
    for account in ("1", "2", "1"):
        before = set(PROCESS_CACHE._entries._values)
        await session(account).explain()
        seen |= set(PROCESS_CACHE._entries._values) - before
    assert len(seen) == 2


async def test_a_changed_mapping_of_profiles_changes_no_session():
    mapping = {"default": dict(USER)}
    session = session_of(profiles=mapping)
    mapping["default"]["aws_access_key_id"] = "AKIALATER"
    assert (await session.get_frozen_credentials()).access_key == "AKIAUSER"
    assert (await session_of(profiles=mapping).get_frozen_credentials()).access_key == "AKIALATER"


def test_what_the_process_remembers_is_bounded():
    cache = Cache(size=10)
    kept = cache.entry(("source", b"0"))
    for number in range(1000):
        cache.entry(("source", b"%d" % number))
    assert len(cache._entries) == 10
    assert cache.entry(("source", b"0")) is not kept
    assert cache.entry(("source", b"999")) is cache.entry(("source", b"999"))


async def test_a_clock_that_is_set_back_stops_no_refresh_for_long():
    clock = Clock()
    vault = Vault(clock)
    source = vault.source(is_terminal=lambda _error: True)
    await source.value()
    clock.now += 3600 - 60
    vault.error = OSError("down")
    await source.value()
    vault.error = None
    clock.now -= 2 * LONGEST_REST  # before the mandatory window, in the advisory one
    source.entry.value = Value(
        FrozenCredentials("AKIAOLD", "s"),
        Schedule(clock.now - 1, clock.now, clock.now + 9),
        "vault",
    )
    assert (await source.value()).keys.access_key == "AKIA3"


def test_a_remembered_error_is_forgotten_when_the_clock_is_set_back():
    entry = Entry()
    entry.remember(OSError("down"), 1000.0)
    with pytest.raises(OSError, match="down"):
        entry.check(1001.0)
    entry.check(900.0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_goes_on_with_the_keys_and_asks_for_its_own(anyio_backend_name):
    with IdentityServer() as server:
        session = session_of(endpoint_url=server.url, profiles=PROFILES)

        async def key():
            with anyio.fail_after(20):
                return (await session.get_frozen_credentials()).token

        token = anyio.run(key, backend=anyio_backend_name)
        child = os.fork()
        if child == 0:
            try:
                same = anyio.run(key, backend=anyio_backend_name) == token
                PROCESS_CACHE.clear()
                session = session.replace()
                other = anyio.run(key, backend=anyio_backend_name) != token
                os._exit(0 if same and other else 1)
            finally:
                os._exit(2)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert server.count("sts:AssumeRole") == 2

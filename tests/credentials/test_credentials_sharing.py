"""Sessions that would get the same credentials share them; all others never do."""

from __future__ import annotations

import os
import threading

import anyio
import pytest

from asession import Credentials, Session
from servers.identity import EKS_PATH, IdentityServer, access_key_for
from session.cancelling import cancelled_at

pytestmark = pytest.mark.anyio

SOAK = os.environ.get("ASESSION_SOAK") == "1"
ROLE = "arn:aws:iam::123456789012:role/app"
OTHER = "arn:aws:iam::123456789012:role/other"
PROFILES = {
    "dev": {"aws_access_key_id": "AKIADEV", "aws_secret_access_key": "dev-secret"},
    "app": {"role_arn": ROLE, "source_profile": "dev"},
    "one": {"role_arn": ROLE + "1", "source_profile": "app"},
    "two": {"role_arn": ROLE + "2", "source_profile": "app"},
}


@pytest.fixture
def aws():
    with IdentityServer() as server:
        yield server


def session_at(aws, **kwargs):
    given = {"region_name": "us-east-1", "endpoint_url": aws.url, "profiles": PROFILES, **kwargs}
    return Session(**given)


def instance(aws, home, **more):
    environ = {"HOME": str(home.path), "AWS_EC2_METADATA_SERVICE_ENDPOINT": aws.url, **more}
    return {"environ": environ, "profiles": {}}


async def key_of(session):
    return (await session.get_frozen_credentials()).access_key


async def test_a_session_for_each_task_makes_one_call_to_each_source(aws):
    taken = []

    async def task():
        taken.append(await key_of(session_at(aws, profile_name="app")))

    tasks = 1000 if SOAK else 150
    async with anyio.create_task_group() as group:
        for _ in range(tasks):
            group.start_soon(task)
    assert taken == [access_key_for(ROLE)] * tasks
    assert aws.count("sts:AssumeRole") == 1
    for _ in range(3):
        await task()
    assert aws.count() == 1


async def test_one_session_for_all_tasks_makes_one_call_to_each_source(aws):
    taken = []

    async def task(session):
        taken.append(await key_of(session))

    tasks = 1000 if SOAK else 100
    async with session_at(aws, profile_name="app") as session, anyio.create_task_group() as group:
        for _ in range(tasks):
            group.start_soon(task, session)
    assert taken == [access_key_for(ROLE)] * tasks
    assert aws.count() == 1


@pytest.mark.parametrize("source", ["imds", "container", "custom-process"])
async def test_new_sessions_ask_no_source_again(aws, home, source):
    log = home.path / "runs"
    if source == "imds":
        arguments, asked = instance(aws, home), "imds:GetCredentials"
    elif source == "container":
        more = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": aws.url + EKS_PATH}
        arguments, asked = instance(aws, home, **more), "container:*"
    else:
        script = home.path / "keys.sh"
        script.write_text(
            f"#!/bin/sh\necho run >> {log}\n"
            'echo \'{"Version": 1, "AccessKeyId": "AKIAPROC", "SecretAccessKey": "s"}\'\n'
        )
        script.chmod(0o755)
        arguments, asked = {"profiles": {"default": {"credential_process": str(script)}}}, None
    keys = {await key_of(session_at(aws, **arguments)) for _ in range(4)}
    assert len(keys) == 1
    assert (log.read_text().count("run") if asked is None else aws.count(asked)) == 1


async def test_a_region_is_no_other_identity_for_the_instance(aws, home):
    for region in ("us-east-1", "eu-west-1", "ap-south-1"):
        await key_of(session_at(aws, region_name=region, **instance(aws, home)))
    assert aws.count("imds:GetCredentials") == 1


async def test_roles_over_one_source_share_the_source(aws):
    for name in ("one", "two", "one"):
        await key_of(session_at(aws, profile_name=name))
    roles = [call.parameters["RoleArn"] for call in aws.calls]
    assert sorted(roles) == sorted([ROLE, ROLE + "1", ROLE + "2"])


async def test_two_tenants_with_one_role_never_share(aws):
    def tenant(name, **changes):
        profiles = {
            "dev": {"aws_access_key_id": f"AKIA{name}", "aws_secret_access_key": "s"},
            "app": {"role_arn": ROLE, "source_profile": "dev", **changes},
        }
        return session_at(aws, profile_name="app", profiles=profiles)

    for session in (
        tenant("ONE"),
        tenant("TWO"),
        tenant("ONE", external_id="xyz"),
        tenant("ONE", role_session_name="me"),
        tenant("ONE", duration_seconds="900"),
        Session.replace(tenant("ONE"), region_name="eu-west-1"),
        tenant("ONE"),
    ):
        await key_of(session)
    assert [call.signer for call in aws.calls] == ["AKIAONE", "AKIATWO"] + ["AKIAONE"] * 4


async def test_two_tenants_with_explicit_keys_never_share_a_role(aws):
    for secret in ("one", "two", "one"):
        parent = session_at(
            aws, profiles={}, aws_access_key_id="AKIASAME", aws_secret_access_key=secret
        )
        await key_of(parent.assume_role(ROLE))
    assert aws.count("sts:AssumeRole") == 2


async def test_what_a_function_gives_belongs_to_its_session_alone(aws):
    tenant = "one"

    async def keys_of_the_tenant():
        return Credentials(f"AKIA{tenant}", "s")

    first = session_at(aws, profiles={}, credentials=keys_of_the_tenant)
    assert await key_of(first) == "AKIAone"
    role = first.assume_role(ROLE)
    await key_of(role)
    await key_of(first.assume_role(ROLE))
    assert aws.count("sts:AssumeRole") == 1
    tenant = "two"
    second = session_at(aws, profiles={}, credentials=keys_of_the_tenant)
    assert await key_of(second) == "AKIAtwo"
    await key_of(second.assume_role(ROLE))
    assert [call.signer for call in aws.calls] == ["AKIAone", "AKIAtwo"]


async def test_with_the_codes_of_ones_own_device_one_shares_with_nobody(aws):
    profiles = {**PROFILES, "mfa": {**PROFILES["app"], "mfa_serial": "arn:mfa/me"}}

    def asker():
        async def ask(_serial):
            return "123456"

        return ask

    one, two = asker(), asker()
    for ask in (one, two, one):
        await key_of(session_at(aws, profile_name="mfa", profiles=profiles, mfa=ask))
    assert aws.count("sts:AssumeRole") == 2


async def test_a_changed_source_profile_is_another_source(aws, home):
    home.write_config(f"[profile app]\nrole_arn = {ROLE}\nsource_profile = dev\n")
    for key in ("AKIAOLD", "AKIANEW"):
        home.write_credentials(f"[dev]\naws_access_key_id = {key}\naws_secret_access_key = s\n")
        session = session_at(aws, profiles=None, profile_name="app")
        await key_of(session)
    assert [call.signer for call in aws.calls] == ["AKIAOLD", "AKIANEW"]


async def test_an_absent_source_is_asked_once_for_all_who_wait(home):
    with IdentityServer() as aws:
        aws.fail("imds:*", status=404)
        arguments = instance(aws, home)

        async def task():
            assert await session_at(aws, **arguments).get_credentials() is None

        async with anyio.create_task_group() as group:
            for _ in range(12):
                group.start_soon(task)
        # Each look is a token, a role name, and a second attempt at most.
        assert aws.count() <= 12


def test_sixteen_threads_with_loops_of_their_own_on_one_session(aws, anyio_backend_name):
    session = session_at(aws, profile_name="app")
    aws.delay("sts:AssumeRole", 0.05)
    taken, errors = [], []
    start = threading.Barrier(16)

    async def main():
        async def task():
            taken.append(await key_of(session))

        with anyio.fail_after(60):
            async with anyio.create_task_group() as group:
                for _ in range(5):
                    group.start_soon(task)

    def thread():
        try:
            start.wait()
            anyio.run(main, backend=anyio_backend_name)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=thread) for _ in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(90)
    assert errors == []
    assert taken == [access_key_for(ROLE)] * 80
    assert aws.count() <= 16


@pytest.mark.parametrize("how", ["scope", "native"])
async def test_a_caller_cancelled_anywhere_leaves_the_others_served(
    aws, random_name, anyio_backend_name, how
):
    if how == "native" and anyio_backend_name == "trio":
        pytest.skip("trio knows cancel scopes only")
    await key_of(session_at(aws, profile_name="app"))  # what is imported is imported
    stride, step, reached = (1, 1, True) if SOAK else (3, 1, True)
    while reached:
        parent = session_at(
            aws, profiles={}, aws_access_key_id="AKIAX", aws_secret_access_key=random_name()
        )
        session, taken = parent.assume_role(ROLE), []
        before = aws.count("sts:AssumeRole")

        async def other(session=session, taken=taken):
            taken.append(await key_of(session))

        with anyio.fail_after(30):
            async with session, anyio.create_task_group() as group:
                group.start_soon(other)
                reached = await cancelled_at(step, session.get_frozen_credentials, how)
                group.start_soon(other)
        assert taken == [access_key_for(ROLE)] * 2
        assert aws.count("sts:AssumeRole") - before <= 2, f"cancelled at suspension {step}"
        step += stride
    assert step > 3

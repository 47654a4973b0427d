"""What the demo does with sessions, one function for each step, and what it expects of them."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.lowlevel

from asession._cli.demo_home import Keys
from asession._default import current_session
from asession._shortcuts import client, resource
from asession.session import Session

ACCOUNT = "123456789012"  # the one that moto's server begins with
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/ops"
ROLE_SESSION_NAME = "demo"
REGION = "us-east-1"

_TASKS_PER_PROFILE = 3
_ROUNDS = 5
_OBJECT_SIZE = 256 * 1024


class MismatchError(Exception):
    """A step found something else than what it expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Who the demo expects to be; immutable.

    Attributes:
        profiles: For each profile that a task uses, the ARN that STS knows its keys by.
        default: The ARN for the default session, whose keys are in the environment.
    """

    profiles: dict[str, str]
    default: str


EXPECTED = Expected(
    profiles={
        "dev": f"arn:aws:iam::{ACCOUNT}:user/dev",
        "ops": f"arn:aws:sts::{ACCOUNT}:assumed-role/ops/{ROLE_SESSION_NAME}",
    },
    default=f"arn:aws:iam::{ACCOUNT}:user/environment",
)


def check(what: str, found: object, expected: object) -> None:
    """Compare a result with what was expected.

    Raises:
        MismatchError: They differ.
    """
    if found != expected:
        raise MismatchError(f"{what}: expected {expected!r}, found {found!r}")


async def make_users(endpoint_url: str, *names: str) -> list[Keys]:
    """Make users on a server that has none yet, each with keys, so that STS can tell them apart."""
    found = []
    root = Session("demo", "demo", region_name=REGION, endpoint_url=endpoint_url, profiles={})
    iam: Any
    async with root, root.client("iam") as iam:
        for name in names:
            await iam.create_user(UserName=name)
            made = (await iam.create_access_key(UserName=name))["AccessKey"]
            found.append(Keys(access_key=made["AccessKeyId"], secret_key=made["SecretAccessKey"]))
    return found


async def who_am_i(region_name: str | None = None) -> str:
    """The ARN of whoever the current session signs as.

    Args:
        region_name: Needed where the session has none.
    """
    sts: Any
    async with client("sts", region_name=region_name) as sts:
        answer = await sts.get_caller_identity()
    return str(answer["Arn"])


async def tasks_with_profiles(expected: Expected) -> str:
    """Tasks that run at the same time, each in a session of its own, never see another's."""
    profiles = [name for name in expected.profiles for _ in range(_TASKS_PER_PROFILE)]
    barrier = _Barrier(len(profiles))
    outside = current_session()

    async def task(profile: str) -> None:
        async with Session(profile_name=profile) as session:
            await barrier.wait()  # from here on, all of them are inside their sessions
            for _ in range(_ROUNDS):
                check("current session", current_session(), session)
                check("current profile", current_session().profile_name, profile)
                await anyio.lowlevel.checkpoint()
            check(f"identity of {profile}", await who_am_i(), expected.profiles[profile])
            check("current profile after a call", current_session().profile_name, profile)
        check("session after leaving", current_session(), outside)

    async with anyio.create_task_group() as tasks:
        for profile in profiles:
            tasks.start_soon(task, profile)
    check("session outside the tasks", current_session(), outside)
    names = ", ".join(arn.rpartition(":")[2] for arn in expected.profiles.values())
    return f"{len(profiles)} tasks at once, as {names}"


async def s3_round_trip(_expected: Expected) -> str:
    """What was put into S3 comes back."""
    body = secrets.token_bytes(_OBJECT_SIZE)
    bucket = f"demo-{secrets.token_hex(8)}"
    s3: Any
    async with Session(profile_name="dev") as session, session.client("s3") as s3:
        where = {"LocationConstraint": session.region_name}
        await s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        try:
            await s3.put_object(Bucket=bucket, Key="data", Body=body)
            answer = await s3.get_object(Bucket=bucket, Key="data")
            async with answer["Body"] as stream:
                found = await stream.read()
            check("length of the object", len(found), len(body))
            check("digest of the object", _digest(found), _digest(body))
            listed = await s3.list_objects_v2(Bucket=bucket)
            check("keys", [item["Key"] for item in listed["Contents"]], ["data"])
            await s3.delete_object(Bucket=bucket, Key="data")
        finally:
            await s3.delete_bucket(Bucket=bucket)
    return f"{_OBJECT_SIZE // 1024} KiB, sha256 {_digest(body)[:16]}"


async def dynamodb_table(_expected: Expected) -> str:
    """An item lives in a table, through the resource."""
    item: dict[str, Any] = {"id": "1", "what": "tea", "price": 3}
    async with (
        Session(profile_name="ops"),
        resource("dynamodb") as dynamodb,  # of the current session
    ):
        table = await dynamodb.create_table(
            TableName=f"demo-{secrets.token_hex(8)}",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        try:
            await table.wait_until_exists()
            await table.put_item(Item=item)
            found = await table.get_item(Key={"id": "1"})
            check("item", found.get("Item"), item)
            await table.delete_item(Key={"id": "1"})
            found = await table.get_item(Key={"id": "1"})
            check("item after its end", found.get("Item"), None)
        finally:
            await table.delete()
    return "create, put, get, delete"


async def default_session(expected: Expected) -> str:
    """Without any session, the environment and the default profile are used."""
    check("identity of the default session", await who_am_i(REGION), expected.default)
    session = await current_session().resolve()
    check("default profile", session.profile_name, "default")
    check("default region", session.region_name, None)
    check("profiles", sorted(session.available_profiles), ["default", *sorted(expected.profiles)])
    return f"nothing entered, as {expected.default.rpartition(':')[2]}"


STEPS = {
    "a session per task": tasks_with_profiles,
    "S3 round trip": s3_round_trip,
    "DynamoDB table": dynamodb_table,
    "default session": default_session,
}


class _Barrier:
    """Lets tasks go on once all of them have arrived; for one use."""

    def __init__(self, count: int) -> None:
        self._missing = count
        self._complete = anyio.Event()

    async def wait(self) -> None:
        self._missing -= 1
        if not self._missing:
            self._complete.set()
        await self._complete.wait()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

"""Many tasks with many profiles on one loop: each request is signed with its own task's key."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import anyio
import pytest

import asession
from asession import Session
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio

TASKS = 200
PROFILES = 20


def write_profiles(home: Any) -> None:
    names = [f"p{number:02}" for number in range(PROFILES)]
    home.write_config("".join(f"[profile {name}]\nregion = eu-west-1\n" for name in names))
    home.write_credentials(
        "".join(
            f"[{name}]\naws_access_key_id = {key_of(name)}\naws_secret_access_key = secret\n"
            for name in names
        )
    )


def key_of(profile: str) -> str:
    return f"AKID{profile.upper()}"


async def wander() -> None:
    for _ in range(random.randrange(4)):
        await anyio.sleep(0)


async def tagged_request(client: Any, tag: str) -> str:
    """The key that the server saw; the request carries a tag by which it is found again."""

    def add_tag(params: dict[str, Any], **_: Any) -> None:
        params["headers"]["x-test-tag"] = tag

    client.meta.events.register("before-call", add_tag)
    await wander()
    return str((await client.list_buckets())["Owner"]["ID"])


async def run_tasks(work: Any, aws: Recorder, number_of_tasks: int = TASKS) -> None:
    answers: dict[int, list[str]] = {}

    async def one(number: int) -> None:
        await wander()
        profile = f"p{number % PROFILES:02}"
        answers[number] = await work(profile, f"task-{number}")

    with anyio.fail_after(120):
        async with anyio.create_task_group() as tasks:
            for number in random.sample(range(number_of_tasks), number_of_tasks):
                tasks.start_soon(one, number)

    times = {len(keys) for keys in answers.values()}
    assert len(answers) == number_of_tasks
    for number, keys in answers.items():
        assert set(keys) == {key_of(f"p{number % PROFILES:02}")}
    (each,) = times
    seen = Counter((request.tag, request.access_key) for request in aws.requests)
    assert seen == {
        (f"task-{number}", key_of(f"p{number % PROFILES:02}")): each
        for number in range(number_of_tasks)
    }


@pytest.mark.parametrize("shared", [False, True], ids=["a session a task", "a session a profile"])
async def test_through_session_client(home: Any, aws: Recorder, shared: bool) -> None:
    write_profiles(home)
    sessions = {
        f"p{n:02}": Session(profile_name=f"p{n:02}", endpoint_url=aws.url, verify=False)
        for n in range(PROFILES)
    }

    async def work(profile: str, tag: str) -> list[str]:
        session = sessions[profile] if shared else sessions[profile].replace()
        async with session:
            await wander()
            async with session.client("s3") as client:
                await wander()
                return [await tagged_request(client, tag)]

    await run_tasks(work, aws)


async def test_through_awaited_clients_beside_lent_ones(home: Any, aws: Recorder) -> None:
    write_profiles(home)

    async def work(profile: str, tag: str) -> list[str]:
        async with Session(profile_name=profile, endpoint_url=aws.url, verify=False) as session:
            async with session.client("s3") as lent:
                await wander()
                owned = await session.client("s3")
                return [await tagged_request(lent, tag), await tagged_request(owned, tag)]

    await run_tasks(work, aws, 2 * PROFILES)


async def test_through_the_module(home: Any, aws: Recorder) -> None:
    write_profiles(home)

    async def work(profile: str, tag: str) -> list[str]:
        async with Session(profile_name=profile, endpoint_url=aws.url, verify=False):
            await wander()
            async with asession.client("s3") as client:
                await wander()
                return [await tagged_request(client, tag)]

    await run_tasks(work, aws)


async def test_through_the_module_in_child_tasks(home: Any, aws: Recorder) -> None:
    write_profiles(home)

    async def work(profile: str, tag: str) -> list[str]:
        keys: list[str] = []

        async def child() -> None:
            await wander()
            async with asession.client("s3") as client:
                keys.append(await tagged_request(client, tag))

        async with Session(profile_name=profile, endpoint_url=aws.url, verify=False):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(child)
                tasks.start_soon(child)
        return keys

    await run_tasks(work, aws, 2 * PROFILES)


async def test_through_the_module_with_a_session_in_use_only(home: Any, aws: Recorder) -> None:
    write_profiles(home)
    sessions = [
        Session(profile_name=f"p{n:02}", endpoint_url=aws.url, verify=False)
        for n in range(PROFILES)
    ]

    async def work(profile: str, tag: str) -> list[str]:
        with asession.use_session(sessions[int(profile[1:])]):
            await wander()
            async with asession.resource("s3") as s3:
                await wander()
                return [await tagged_request(s3.meta.client, tag)]

    await run_tasks(work, aws, 2 * PROFILES)

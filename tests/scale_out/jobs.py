"""What the tests run on workers of Dask; importable there."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import anyio
import sniffio
from dask.base import tokenize
from distributed import Worker, WorkerPlugin, get_worker

import asession
from asession import Session
from asession.exceptions import ProfileNotFoundError


class Entered(WorkerPlugin):
    """A session that is entered on the loop of each worker, from its start to its end.

    In `folder`, if one is given, each worker leaves a file when it has entered and left.
    """

    name = "entered"

    def __init__(self, session: Session, folder: Path | None = None) -> None:
        self.session = session
        self.folder = folder
        self.loop: Any = None

    async def setup(self, worker: Worker) -> None:
        self.loop = asyncio.get_running_loop()
        await self.session.__aenter__()
        self._note("entered")

    async def teardown(self, worker: Worker) -> None:
        await self.session.aclose()
        self._note("left")

    def _note(self, what: str) -> None:
        if self.folder is not None:
            (self.folder / f"{what}-{os.getpid()}").touch()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "loop": None}


def entered() -> Entered:
    plugin: Entered = get_worker().plugins["entered"]
    return plugin


async def signer_of(session: Session) -> str:
    async with session.client("s3") as s3:
        return str((await s3.list_buckets())["Owner"]["ID"])


async def where() -> dict[str, Any]:
    """Where an `async def` task runs, and what it finds there."""
    plugin = entered()
    return {
        "pid": os.getpid(),
        "in main thread": threading.current_thread() is threading.main_thread(),
        "on the loop of the plugin": asyncio.get_running_loop() is plugin.loop,
        "library": sniffio.current_async_library(),
        "current is the plugin's": asession.current_session() is plugin.session,
        "entered": plugin.session.profile_name,
    }


async def signer_here(_: int = 0) -> str:
    """Who signs with the session of this worker."""
    return await signer_of(entered().session)


async def signer_of_the_current(_: int = 0) -> str:
    with asession.use_session(entered().session):
        await anyio.sleep(0)
        async with asession.client("s3") as s3:
            return str((await s3.list_buckets())["Owner"]["ID"])


async def signer_sent(session: Session) -> str:
    """Who signs with a session that came along."""
    async with session:
        return await signer_of(session)


async def currents(session: Session, seconds: float) -> list[str]:
    """What is current in a task before, inside and after its session."""
    found = [repr(asession.current_session())]
    async with session:
        for _ in range(5):
            await anyio.sleep(seconds / 5)
            found.append(asession.current_session().profile_name)
    found.append(repr(asession.current_session()))
    return found


async def identity(session: Session) -> tuple[int, str]:
    async with session, session.client("sts") as sts:
        return os.getpid(), str((await sts.get_caller_identity())["Arn"])


def in_thread(backend: str) -> tuple[str, bool]:
    """What a plain task does: an event loop of its own, in a thread of the worker's pool."""
    in_main = threading.current_thread() is threading.main_thread()
    return anyio.run(signer_of, entered().session, backend=backend), in_main


async def fails(kind: str) -> None:
    session = entered().session
    async with session.client("s3") as s3:
        if kind == "ClientError":
            await s3.head_bucket(Bucket="bucket")
        if kind == "NoSuchKey":
            await s3.get_object(Bucket="bucket", Key="key")
    if kind == "ProfileNotFoundError":
        await Session(profile_name="nope", profiles={"nape": {}}).resolve()
    if kind == "EndpointConnectionError":
        config = asession.Config(retries={"max_attempts": 0})
        nowhere = session.replace(endpoint_url="http://127.0.0.1:1", config=config)
        await signer_of(nowhere)
    if kind == "ExceptionGroup":
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fails, "ProfileNotFoundError")


async def fails_with(session: Session) -> None:
    """Fails while it holds a session that came along."""
    async with session:
        raise ProfileNotFoundError(
            profile=repr(session), origin="a test", searched=(), available=(), hint=""
        )


async def client_itself() -> Any:
    return await entered().session.client("s3")


_in_hand: set[object] = set()


async def in_hand(seconds: float) -> int:
    """How many tasks like this one the worker has in hand."""
    me = object()
    _in_hand.add(me)
    try:
        await anyio.sleep(seconds)
        return len(_in_hand)
    finally:
        _in_hand.remove(me)


async def with_deadline(seconds: float) -> str:
    with anyio.fail_after(seconds):
        return await signer_here()


def session_of_kind(kind: str) -> Session:
    """Two calls make equal sessions."""
    arguments: dict[str, dict[str, Any]] = {
        "nothing": {},
        "profile": {"profile_name": "dev", "config_file": Path("/nowhere")},
        "keys": {"aws_access_key_id": "AKIDTOKEN", "aws_secret_access_key": "secret"},
        "credentials": {"credentials": asession.Credentials("AKIDTOKEN", "secret")},
        "mappings": {"profiles": {"a": {"b": "c"}}, "environ": {"X": "Y"}},
        "config": {"config": asession.Config(connect_timeout=3, s3={"addressing_style": "path"})},
        "role": {"profile_name": "dev"},
    }
    session = Session(**arguments[kind])
    if kind == "role":
        session = session.assume_role(
            "arn:aws:iam::123456789012:role/audit", Policy={"Version": "2012-10-17"}
        )
    return session


def token_of_kind(kind: str) -> str:
    return str(tokenize(session_of_kind(kind), ensure_deterministic=True))

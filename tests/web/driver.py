"""The server's side of ASGI on either event loop, without sockets."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio

from asession.web.asgi import ASGIApp, Message, Receive, Scope, Send

DEADLINE = 10.0  # seconds, for whatever an application has to do


@dataclass
class Served:
    """An application between startup and shutdown, whose lifespan is a task of its own."""

    app: ASGIApp
    told: list[Message] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)

    async def request(self, **headers: str) -> str:
        """The body of the answer to one request, which runs in a task of its own."""
        bodies: list[str] = []

        async def run() -> None:
            bodies.append(await get(self.app, **headers))

        # Started by the server's task, as servers do: it inherits nothing from the lifespan.
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
        return bodies[0]


def scope_of(kind: str = "http", **headers: str) -> Scope:
    """A scope with these headers; underscores become hyphens."""
    raw = [(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()]
    return {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": raw,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }


async def nothing_to_receive() -> Message:
    """A client that has sent its request and waits."""
    await anyio.sleep_forever()
    raise AssertionError("unreachable")


async def ignore(message: Message) -> None:
    """A server that takes every message."""


@dataclass
class Answer:
    """What came back from one request."""

    status_code: int = 0
    content: bytes = b""

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)


async def get(app: ASGIApp, **headers: str) -> str:
    """The body of the answer to one request, run in the calling task."""
    return (await ask(app, "/", **headers)).text


async def ask(app: ASGIApp, path: str, **headers: str) -> Answer:
    """The answer to one GET request, run in the calling task."""
    answer = Answer()
    messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Message:
        for message in messages:
            return message
        return await nothing_to_receive()

    async def send(message: Message) -> None:
        answer.status_code = message.get("status", answer.status_code)
        answer.content += message.get("body", b"")

    with anyio.fail_after(DEADLINE):
        scope = {**scope_of(**headers), "path": path, "raw_path": path.encode()}
        await app(scope, receive, send)
    return answer


@asynccontextmanager
async def started(app: ASGIApp, *, shut_down: bool = True) -> AsyncGenerator[Served, None]:
    """Run an application from startup to shutdown.

    Args:
        app: The application.
        shut_down: Whether it is told to shut down at the end; else its lifespan is cancelled.
    """
    served = Served(app)
    answered, ended = anyio.Event(), anyio.Event()
    hear, overhear = anyio.create_memory_object_stream[Message](2)

    async def send(message: Message) -> None:
        served.told.append(message)
        (ended if "shutdown" in message["type"] else answered).set()

    async def run() -> None:
        await app({"type": "lifespan", "asgi": {}, "state": served.state}, overhear.receive, send)
        ended.set()

    with hear, overhear:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await hear.send({"type": "lifespan.startup"})
            with anyio.fail_after(DEADLINE):
                await answered.wait()
            yield served
            if shut_down:
                await hear.send({"type": "lifespan.shutdown"})
                with anyio.fail_after(DEADLINE):
                    await ended.wait()
            tasks.cancel_scope.cancel()


async def talk(app: ASGIApp, *messages: str) -> list[Message]:
    """What an application tells the server that says exactly this; errors come through."""
    told: list[Message] = []
    said = iter(messages)

    async def receive() -> Message:
        for message in said:
            return {"type": message}
        return await nothing_to_receive()

    async def send(message: Message) -> None:
        told.append(message)

    with anyio.fail_after(DEADLINE):
        await app({"type": "lifespan", "asgi": {}, "state": {}}, receive, send)
    return told


async def speak_lifespan(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that speaks the lifespan protocol and nothing else."""
    assert scope["type"] == "lifespan"
    for word in ("startup", "shutdown"):
        assert (await receive())["type"] == f"lifespan.{word}"
        await send({"type": f"lifespan.{word}.complete"})


async def answer(send: Send, text: str) -> None:
    """Answer a request."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": text.encode()})

"""The same application in Starlette and in FastAPI: every way to answer a request."""

# No postponed annotations: FastAPI looks up what is named inside these functions.

from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio.from_thread
from fastapi import BackgroundTasks, FastAPI, WebSocket
from fastapi.responses import PlainTextResponse, StreamingResponse
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse as Text
from starlette.responses import StreamingResponse as Stream
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket as Socket

from web.tenants import Meeting, who_signs

PIECES = 3


class Notes:
    """What background tasks have noted; lives as long as its application."""

    def __init__(self) -> None:
        self.signers: list[str] = []

    async def note(self) -> None:
        """Note who signs."""
        self.signers.append(await who_signs())


async def pieces() -> AsyncIterator[str]:
    """A body in pieces, each of which asks AWS."""
    for _ in range(PIECES):
        yield f"{await who_signs()};"


def sync_pieces() -> Iterator[str]:
    """The same, iterated over in worker threads."""
    for _ in range(PIECES):
        yield f"{anyio.from_thread.run(who_signs)};"


def starlette_app(meeting: Meeting, notes: Notes, **options: Any) -> Starlette:
    """A Starlette application whose every answer tells who signs."""

    async def signer(request: Request) -> Text:
        return Text(await who_signs())

    async def meet(request: Request) -> Text:
        await meeting.come()
        return Text(await who_signs())

    def sync(request: Request) -> Text:
        return Text(anyio.from_thread.run(who_signs))

    async def stream(request: Request) -> Stream:
        return Stream(pieces())

    async def sync_stream(request: Request) -> Stream:
        return Stream(sync_pieces())

    async def background(request: Request) -> Text:
        return Text("later", background=BackgroundTask(notes.note))

    async def socket(socket: Socket) -> None:
        await socket.accept()
        async for _ in socket.iter_text():
            await socket.send_text(await who_signs())

    endpoints = (signer, meet, sync, stream, sync_stream, background)
    routes = [Route(f"/{endpoint.__name__}", endpoint) for endpoint in endpoints]
    return Starlette(routes=[*routes, WebSocketRoute("/socket", socket)], **options)


def fastapi_app(meeting: Meeting, notes: Notes, **options: Any) -> FastAPI:
    """A FastAPI application whose every answer tells who signs."""
    app = FastAPI(default_response_class=PlainTextResponse, **options)

    @app.get("/signer")
    async def signer() -> str:
        return await who_signs()

    @app.get("/meet")
    async def meet() -> str:
        await meeting.come()
        return await who_signs()

    @app.get("/sync")
    def sync() -> str:
        return anyio.from_thread.run(who_signs)

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(pieces())

    @app.get("/sync_stream")
    async def sync_stream() -> StreamingResponse:
        return StreamingResponse(sync_pieces())

    @app.get("/background")
    async def background(tasks: BackgroundTasks) -> str:
        tasks.add_task(notes.note)
        return "later"

    @app.websocket("/socket")
    async def socket(socket: WebSocket) -> None:
        await socket.accept()
        async for _ in socket.iter_text():
            await socket.send_text(await who_signs())

    return app

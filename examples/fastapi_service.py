"""A service of many tenants: each request works in its tenant's account, files stream both ways.

Try it with ``python examples/fastapi_service.py [--backend trio]``, and with ``--endpoint-url URL``
or ``AWS_ENDPOINT_URL`` against a local server. With ``--port 8000`` it listens there, under
hypercorn, which runs on asyncio and on trio; under uvicorn it works the same.
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Annotated, Any

import anyio
import httpx2
from botocore.exceptions import ClientError
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse, StreamingResponse

import asession
from asession import Session
from asession.web import SessionCache, session_dependency

# The account of each tenant; a real service asks its database.
TENANTS = {"red": "111111111111", "blue": "222222222222"}
STATUS = {"AccessDenied": 403, "NoSuchBucket": 404, "NoSuchKey": 404}


@session_dependency
async def tenant_session(request: Request, x_tenant: Annotated[str, Header()]) -> Session:
    # A header is for the example: take the tenant from what your authentication has verified.
    session: Session = await request.app.state.sessions.get(x_tenant)
    return session


async def until_answered() -> AsyncIterator[AsyncExitStack]:
    """What is entered here is closed after the last byte of the answer, or when nobody wants it."""
    async with AsyncExitStack() as block:
        yield block


Block = Annotated[AsyncExitStack, Depends(until_answered)]
router = APIRouter(dependencies=[Depends(tenant_session)])


async def bucket_of_tenant() -> str:
    return f"files-{await asession.current_session().account_id()}"


@router.get("/account")
async def account() -> str:
    async with asession.client("sts") as sts:
        return str((await sts.get_caller_identity())["Account"])


@router.put("/files/{name}", status_code=204)
async def upload(name: str, request: Request) -> None:
    # In parts, a few of which are in memory. A client that goes away leaves nothing behind.
    async with asession.client("s3") as s3:
        await s3.upload_fileobj(request.stream(), await bucket_of_tenant(), name)


@router.get("/files/{name}")
async def download(name: str, block: Block) -> StreamingResponse:
    s3 = await block.enter_async_context(asession.client("s3"))
    found = await s3.get_object(Bucket=await bucket_of_tenant(), Key=name)
    body = await block.enter_async_context(found["Body"])
    length = {"Content-Length": str(found["ContentLength"])}
    return StreamingResponse(
        body.iter_chunks(65536), media_type=found["ContentType"], headers=length
    )


async def answer_error(request: Request, error: Any) -> JSONResponse:
    """One tenant's trouble with AWS is an answer to that tenant."""
    code = error.response["Error"]["Code"]
    return JSONResponse({"error": code}, STATUS.get(code, 502))


def create_app(
    service: Session, tenants: Mapping[str, str] = TENANTS, *, limit: int = 100
) -> FastAPI:
    async def session_of(tenant: str) -> Session:
        if tenant not in tenants:
            raise HTTPException(403, "unknown tenant")
        role = f"arn:aws:iam::{tenants[tenant]}:role/service"
        return service.assume_role(role, RoleSessionName=tenant)

    sessions = SessionCache(session_of, limit=limit)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with service, sessions:
            yield

    app = FastAPI(lifespan=lifespan, exception_handlers={ClientError: answer_error})
    app.state.sessions = sessions
    app.include_router(router)
    return app


async def main(endpoint_url: str | None = None) -> None:
    app = create_app(Session(endpoint_url=endpoint_url))
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://service") as client,
    ):
        for tenant in TENANTS:
            with asession.use_session(await app.state.sessions.get(tenant)):
                async with asession.client("s3") as s3:
                    await s3.create_bucket(Bucket=await bucket_of_tenant())
            answer = await client.get("/account", headers={"x-tenant": tenant})
            print(f"{tenant} works in account", answer.json())

        red, blue = {"x-tenant": "red"}, {"x-tenant": "blue"}
        answer = await client.put("/files/film", content=bytes(3_000_000), headers=red)
        print("red stores a film:", answer.status_code)
        answer = await client.get("/files/film", headers=red)
        print("red has it back:", answer.status_code, len(answer.content))
        answer = await client.get("/files/film", headers=blue)
        print("blue has none:", answer.status_code, answer.json())
        answer = await client.get("/account", headers={"x-tenant": "green"})
        print("green is unknown:", answer.status_code)


def listen(endpoint_url: str | None, port: int, backend: str) -> None:
    from hypercorn import Config

    if backend == "trio":
        from hypercorn.trio import serve
    else:
        from hypercorn.asyncio import serve
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    anyio.run(
        partial(serve, create_app(Session(endpoint_url=endpoint_url)), config), backend=backend
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint-url")
    parser.add_argument("--port", type=int)
    parser.add_argument("--backend", default="asyncio", choices=["asyncio", "trio"])
    given = parser.parse_args()
    if given.port:
        listen(given.endpoint_url, given.port, given.backend)
    else:
        anyio.run(main, given.endpoint_url, backend=given.backend)

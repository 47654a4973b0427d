"""The clients that are compared: how each is opened, and what one request is.

Imports nothing but the standard library until a peer is opened: every peer has its own process,
and aioboto3 its own environment.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.server import BUCKET, KEYS, SIZE, TABLE

REGION = "us-east-1"
# The keys of AWS's own examples: the servers here check no signature.
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
KEY = {"id": {"S": "order-000001"}}
OBJECT = "logs/2026/07/part-00001.json"
CONTENT = bytes(SIZE)


@dataclass(frozen=True, slots=True)
class Target:
    """What a peer is asked to do, and where; a value.

    Attributes:
        operation: A name in `OPERATIONS`.
        url: The endpoint.
        ca: The file with the certificate authority to trust, for TLS.
        concurrency: How many requests are under way at once.
    """

    operation: str
    url: str
    ca: str | None
    concurrency: int

    @property
    def service(self) -> str:
        """The service that the operation belongs to."""
        return "dynamodb" if self.operation == "get_item" else "s3"

    def arguments(self) -> dict[str, Any]:
        """What every SDK's `client` is given, after the service's name."""
        return {
            "endpoint_url": self.url,
            "verify": self.ca,
            "region_name": REGION,
        }


Once = Callable[[], Awaitable[None]]
Opener = Callable[[Target], Any]


async def _get_object(client: Any) -> None:
    answer = await client.get_object(Bucket=BUCKET, Key=OBJECT)
    assert len(await answer["Body"].read()) == SIZE


async def _put_object(client: Any) -> None:
    answer = await client.put_object(Bucket=BUCKET, Key=OBJECT, Body=CONTENT)
    assert "ETag" in answer


async def _get_item(client: Any) -> None:
    answer = await client.get_item(TableName=TABLE, Key=KEY)
    assert answer["Item"]["total"] == {"N": "129.90"}


async def _list_objects(client: Any) -> None:
    answer = await client.list_objects_v2(Bucket=BUCKET)
    assert len(answer["Contents"]) == KEYS


OPERATIONS: Mapping[str, Callable[[Any], Awaitable[None]]] = {
    "get_object": _get_object,
    "put_object": _put_object,
    "get_item": _get_item,
    "list_objects": _list_objects,
}
# What the raw clients send in their place: unsigned, and no answer parsed.
_RAW = {
    "get_object": ("GET", f"/{BUCKET}/{OBJECT}", None),
    "put_object": ("PUT", f"/{BUCKET}/{OBJECT}", CONTENT),
    "get_item": ("POST", "/", b'{"TableName":"benchmark-table","Key":{"id":{"S":"order-000001"}}}'),
    "list_objects": ("GET", f"/{BUCKET}?list-type=2&encoding-type=url", None),
}


@asynccontextmanager
async def asession(target: Target) -> AsyncIterator[Once]:
    """asession with its own transport."""
    from asession import Session

    operation = OPERATIONS[target.operation]
    async with Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY) as session:
        async with session.client(target.service, **target.arguments()) as client:
            yield lambda: operation(client)


@asynccontextmanager
async def aiobotocore(target: Target, *, httpx2: bool = False) -> AsyncIterator[Once]:
    """aiobotocore as it comes, on aiohttp, or on httpx2."""
    from aiobotocore.config import AioConfig
    from aiobotocore.session import get_session

    operation = OPERATIONS[target.operation]
    config = AioConfig()
    if httpx2:
        from aiobotocore.httpxsession import HttpxSession

        config = AioConfig(http_session_cls=HttpxSession)
    async with get_session().create_client(
        target.service,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=config,
        **target.arguments(),
    ) as client:
        yield lambda: operation(client)


@asynccontextmanager
async def aiobotocore_httpx2(target: Target) -> AsyncIterator[Once]:
    """aiobotocore on httpx2."""
    async with aiobotocore(target, httpx2=True) as once:
        yield once


@asynccontextmanager
async def aioboto3(target: Target) -> AsyncIterator[Once]:
    """aioboto3, in the environment that its pins need."""
    from aioboto3 import Session  # type: ignore[import-not-found]

    operation = OPERATIONS[target.operation]
    session = Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY)
    async with session.client(target.service, **target.arguments()) as client:
        yield lambda: operation(client)


@asynccontextmanager
async def raw_aiohttp(target: Target) -> AsyncIterator[Once]:
    """aiohttp alone: unsigned requests, answers read and dropped."""
    import ssl

    import aiohttp

    method, path, body = _RAW[target.operation]
    trust: Any = ssl.create_default_context(cafile=target.ca) if target.ca else True
    connector = aiohttp.TCPConnector(limit=target.concurrency, ssl=trust)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def once() -> None:
            async with session.request(method, target.url + path, data=body) as answer:
                assert answer.status == 200
                await answer.read()

        yield once


@asynccontextmanager
async def raw_transport(target: Target) -> AsyncIterator[Once]:
    """asession's transport alone: unsigned requests, answers read and dropped."""
    from urllib.parse import urlsplit

    from asession._http.bodies import body_of
    from asession._http.limits import Timeouts
    from asession._http.requests import Request, Route
    from asession._http.tls import TlsSettings
    from asession._http.transport import Transport

    method, path, body = _RAW[target.operation]
    parts = urlsplit(target.url)
    tls = TlsSettings(verify=True, ca_bundle=target.ca) if target.ca else None
    route = Route(
        parts.scheme, parts.hostname or "", parts.port or 0, tls=tls, limit=target.concurrency
    )
    timeouts = Timeouts()
    transport = Transport()

    async def once() -> None:
        request = Request(method, path, [("Accept", "*/*")], body_of(body))
        answer = await transport.send(request, route, timeouts)
        assert answer.status == 200
        await answer.read()

    try:
        yield once
    finally:
        await transport.aclose()


def boto3(target: Target) -> Callable[[], None]:
    """boto3's client, to be used by threads."""
    import boto3 as sdk

    session = sdk.Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY)
    client: Any = session.client(target.service, **target.arguments())

    def get_object() -> None:
        assert len(client.get_object(Bucket=BUCKET, Key=OBJECT)["Body"].read()) == SIZE

    def put_object() -> None:
        assert "ETag" in client.put_object(Bucket=BUCKET, Key=OBJECT, Body=CONTENT)

    def get_item() -> None:
        answer = client.get_item(TableName=TABLE, Key=KEY)
        assert answer["Item"]["total"] == {"N": "129.90"}

    def list_objects() -> None:
        assert len(client.list_objects_v2(Bucket=BUCKET)["Contents"]) == KEYS

    return {
        "get_object": get_object,
        "put_object": put_object,
        "get_item": get_item,
        "list_objects": list_objects,
    }[target.operation]


@dataclass(frozen=True, slots=True)
class Peer:
    """A client on an event loop; a value.

    Attributes:
        label: What tables call it.
        loop: ``"asyncio"``, ``"uvloop"``, ``"trio"`` or ``"threads"``.
        open: Opens it.
        limit: Whether it is a bare HTTP client, shown as what could be reached at best.
        elsewhere: Whether it needs the environment of aioboto3.
    """

    label: str
    loop: str
    open: Opener
    limit: bool = False
    elsewhere: bool = False


PEERS: Mapping[str, Peer] = {
    "boto3": Peer("boto3", "threads", boto3),
    "aioboto3": Peer("aioboto3", "asyncio", aioboto3, elsewhere=True),
    "aiobotocore": Peer("aiobotocore, aiohttp", "asyncio", aiobotocore),
    "aiobotocore-uvloop": Peer("aiobotocore, aiohttp", "uvloop", aiobotocore),
    "aiobotocore-httpx2": Peer("aiobotocore, httpx2", "asyncio", aiobotocore_httpx2),
    "aiobotocore-trio": Peer("aiobotocore, httpx2", "trio", aiobotocore_httpx2),
    "asession": Peer("asession", "asyncio", asession),
    "asession-uvloop": Peer("asession", "uvloop", asession),
    "asession-trio": Peer("asession", "trio", asession),
    "raw-aiohttp": Peer("aiohttp alone", "asyncio", raw_aiohttp, limit=True),
    "raw-transport": Peer("our transport alone", "asyncio", raw_transport, limit=True),
    "raw-transport-trio": Peer("our transport alone", "trio", raw_transport, limit=True),
}

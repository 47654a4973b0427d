"""What is done between two snapshots of the upstream packages: their own use, and asession's."""

from __future__ import annotations

from typing import Any

import aiobotocore.httpsession
import aiobotocore.session
import boto3

import asession

KEYS = {
    "aws_access_key_id": "AKIAUPSTREAM",
    "aws_secret_access_key": "upstream",
    "region_name": "us-east-1",
}
EVENTS = ("before-parameter-build.s3.ListObjects", "creating-client-class.s3", "before-send.s3")


def plain_boto3(url: str) -> None:
    """A client and a resource of boto3, which fill boto3's own caches."""
    session = boto3.session.Session(**KEYS)
    session.client("s3", endpoint_url=url).list_buckets()
    list(session.resource("s3", endpoint_url=url).buckets.all())
    list(session.resource("dynamodb", endpoint_url=url).tables.all())


async def plain_aiobotocore(url: str) -> dict[str, Any]:
    """Call S3 through aiobotocore alone, and tell how its session and its client are made."""
    session = aiobotocore.session.AioSession()
    handlers = session.get_component("event_emitter")._emitter._handlers
    async with session.create_client("s3", endpoint_url=url, **KEYS) as client:
        await client.list_buckets()
        connections = client._endpoint.http_session
        return {
            "client": [f"{c.__module__}.{c.__qualname__}" for c in type(client).__mro__],
            "call": type(client)._make_api_call.__qualname__,
            "http": type(connections).__qualname__,
            "user_agent": client._client_config.user_agent,
            "config": str(session.get_default_client_config()),
            "handlers": {
                event: [
                    handler.__qualname__
                    for handler in handlers.prefix_search(event)
                    if hasattr(handler, "__qualname__")
                ]
                for event in EVENTS
            },
            "components": sorted(session._components._components),
        }


async def use_asession(url: str) -> None:
    """A session with a client and resources, scoped and through the module."""
    async with asession.Session(**KEYS, endpoint_url=url, environ={}) as session:
        async with session.client("s3") as s3:
            await s3.list_buckets()
        kept = await session.client("dynamodb")
        await kept.list_tables()
        async with asession.client("sts") as sts:
            await sts.get_caller_identity()
        async with session.resource("s3") as s3:
            async for _bucket in s3.buckets.all():
                break
        async with session.resource("dynamodb") as dynamodb:
            dynamodb.Table("anything")
        await session.get_available_regions("s3")
        session.events.register("before-call.s3", _ignore)
        async with session.client("s3") as s3:
            await s3.list_buckets()


def _ignore(**_: Any) -> None:
    """A handler of events that does nothing."""

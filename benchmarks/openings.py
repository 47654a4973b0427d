"""What opening a session and a client means for each peer, over profile files in a home of its own.

Imports nothing but the standard library until something is opened, like `benchmarks.peers`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.peers import ACCESS_KEY, REGION, SECRET_KEY

PROFILE = "bench"
_CONFIG = f"""\
[default]
region = eu-central-1

[profile {PROFILE}]
output = json
s3 =
  addressing_style = path

[profile other]
role_arn = arn:aws:iam::123456789012:role/other
source_profile = {PROFILE}
"""
_CREDENTIALS = f"""\
[{PROFILE}]
aws_access_key_id = {ACCESS_KEY}
aws_secret_access_key = {SECRET_KEY}
"""

Open = Callable[[str], AbstractAsyncContextManager[Any]]


def write_profiles(home: Path) -> None:
    """Write the profile files that every peer reads."""
    directory = home / ".aws"
    directory.mkdir(exist_ok=True)
    (directory / "config").write_text(_CONFIG, "utf-8")
    (directory / "credentials").write_text(_CREDENTIALS, "utf-8")


@asynccontextmanager
async def _asession(service: str) -> AsyncIterator[Any]:
    from asession import Session

    async with Session(profile_name=PROFILE, region_name=REGION) as session:
        async with session.client(service) as client:
            yield client


@asynccontextmanager
async def _aiobotocore(service: str, *, httpx2: bool = False) -> AsyncIterator[Any]:
    from aiobotocore.config import AioConfig
    from aiobotocore.session import AioSession

    config = None
    if httpx2:
        from aiobotocore.httpxsession import HttpxSession

        config = AioConfig(http_session_cls=HttpxSession)
    session = AioSession(profile=PROFILE)
    async with session.create_client(service, region_name=REGION, config=config) as client:
        yield client


def _aiobotocore_httpx2(service: str) -> AbstractAsyncContextManager[Any]:
    return _aiobotocore(service, httpx2=True)


@asynccontextmanager
async def _aioboto3(service: str) -> AsyncIterator[Any]:
    from aioboto3 import Session

    async with Session(profile_name=PROFILE, region_name=REGION).client(service) as client:
        yield client


@asynccontextmanager
async def _boto3(service: str) -> AsyncIterator[Any]:
    # It awaits nothing: it is here to be measured by the same code as the others.
    import boto3

    client: Any = boto3.Session(profile_name=PROFILE, region_name=REGION).client(service)
    try:
        yield client
    finally:
        client.close()


OPENINGS: Mapping[str, Open] = {
    "boto3": _boto3,
    "aioboto3": _aioboto3,
    "aiobotocore": _aiobotocore,
    "aiobotocore-trio": _aiobotocore_httpx2,
    "asession": _asession,
    "asession-trio": _asession,
}
# What a program writes at its top to use a peer.
IMPORTS: Mapping[str, str] = {
    "boto3": "boto3",
    "aioboto3": "aioboto3",
    "aiobotocore": "aiobotocore.session",
    "aiobotocore-trio": "aiobotocore.session",
    "asession": "asession",
    "asession-trio": "asession",
}

"""Opens service resources on plain aiobotocore clients, on both event loops."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession

from asession._aws.http_session import HttpSession
from asession._resources.service import service_resource
from resources.models import LOADER, definition_of

Open = Callable[..., AbstractAsyncContextManager[Any]]


@pytest.fixture
def open_resource(anyio_backend_name: str, moto_url: str) -> Open:
    """`async with open_resource("s3") as s3`."""

    @asynccontextmanager
    async def opened(service_name: str, emitter: Any = None, **more: Any) -> AsyncGenerator[Any]:
        session: Any = AioSession()
        # Each test has a session of its own; the models need reading only once.
        session.register_component("data_loader", LOADER)
        if anyio_backend_name == "trio":
            http: Any = HttpSession
            session.set_default_client_config(AioConfig(http_session_cls=http))
        definition = definition_of(service_name)
        async with session.create_client(
            service_name,
            region_name="us-east-1",
            api_version=definition.api_version,
            endpoint_url=moto_url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        ) as client:
            yield service_resource(client, definition, emitter, **more)

    return opened


@pytest.fixture
def name(random_name: Callable[[], str]) -> str:
    """The name of the one bucket or table of a test."""
    return random_name()

"""Blocking botocore clients and plain requests, for tests of the servers themselves."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore.config import Config


@contextlib.contextmanager
def sync_client(
    service: str, url: str, access_key: str = "AKID", secret_key: str = "secret"
) -> Iterator[Any]:
    """A client without retries for the length of a block."""
    client = botocore.session.Session().create_client(
        service,
        region_name="eu-west-1",
        endpoint_url=url,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )
    with contextlib.closing(client):
        yield client


def get(url: str, headers: dict[str, str] | None = None, method: str = "GET") -> tuple[int, bytes]:
    """The status and the body of one request on a connection of its own."""
    where, _, path = url.removeprefix("http://").partition("/")
    with contextlib.closing(http.client.HTTPConnection(where, timeout=10)) as connection:
        connection.request(method, f"/{path}", headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read()

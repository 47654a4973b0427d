"""The example's service under real servers, on both event loops, in accounts of moto."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import boto3
import pytest

from asession import Session
from examples.test_examples import load
from web.serving import Serving, serving, serving_on_trio

Serve = Callable[..., AbstractContextManager[Serving]]
FILM = os.urandom(20_000_000)


@pytest.fixture(
    params=[pytest.param(serving, id="uvicorn"), pytest.param(serving_on_trio, id="hypercorn-trio")]
)
def server(request: pytest.FixtureRequest, moto_url: str) -> Iterator[Serving]:
    service = Session("AKIDSERVICE", "secret", region_name="us-east-1", endpoint_url=moto_url)
    app = load("fastapi_service").create_app(service)
    for account in ("111111111111", "222222222222"):
        s3_in(account, moto_url).create_bucket(Bucket=f"files-{account}")
    serve: Serve = request.param
    with serve(app, may_complain=True) as server:
        yield server


def s3_in(account: str, url: str) -> Any:
    """boto3's client of an account, another view of the same server."""
    session = boto3.Session("AKIDOUTSIDE", "secret", region_name="us-east-1")
    sts = session.client("sts", endpoint_url=url)
    role = f"arn:aws:iam::{account}:role/outside"
    keys = sts.assume_role(RoleArn=role, RoleSessionName="outside")["Credentials"]
    return boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def test_each_tenant_works_in_its_account(server: Serving, moto_url: str) -> None:
    assert server.get("/account", x_tenant="red").json() == "111111111111"
    assert server.get("/account", x_tenant="blue").json() == "222222222222"
    assert server.get("/account", x_tenant="green").status_code == 403
    assert server.get("/account").status_code == 422
    assert server.put("/files/poem", b"roses", x_tenant="red").status_code == 204
    listed = s3_in("111111111111", moto_url).list_objects_v2(Bucket="files-111111111111")
    assert "poem" in [item["Key"] for item in listed["Contents"]]
    assert server.get("/files/poem", x_tenant="blue").json() == {"error": "NoSuchKey"}


def test_a_large_file_streams_in_and_out(server: Serving) -> None:
    assert server.put("/files/film", FILM, x_tenant="red").status_code == 204
    found = server.get("/files/film", x_tenant="red")
    assert (found.status_code, found.content == FILM) == (200, True)


def test_a_client_that_leaves_while_it_sends_leaves_nothing_in_s3(
    server: Serving, moto_url: str
) -> None:
    s3 = s3_in("111111111111", moto_url)
    head = (
        "PUT /files/half HTTP/1.1\r\nHost: service\r\nX-Tenant: red\r\n"
        f"Content-Length: {len(FILM) * 2}\r\n\r\n"
    )

    def uploads() -> list[Any]:
        found = s3.list_multipart_uploads(Bucket="files-111111111111").get("Uploads", [])
        return [upload for upload in found if upload["Key"] == "half"]

    def wait_for(begun: bool) -> None:
        deadline = time.monotonic() + 30
        while bool(uploads()) != begun:
            assert time.monotonic() < deadline, f"uploads: {uploads()}"
            time.sleep(0.05)

    with server.connected() as connection:
        connection.sendall(head.encode() + FILM)
        wait_for(begun=True)
    wait_for(begun=False)
    with pytest.raises(s3.exceptions.ClientError, match="404"):
        s3.head_object(Bucket="files-111111111111", Key="half")
    # Whatever the server says of a request that was cut off, nothing else went wrong.
    assert all("ClientDisconnect" in complaint for complaint in server.complaints)
    assert server.get("/account", x_tenant="red").status_code == 200

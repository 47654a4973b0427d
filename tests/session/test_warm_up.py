"""Warming up reads what the first client would have to wait for, and nothing else."""

from __future__ import annotations

from typing import Any

import botocore.exceptions
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

import asession
from asession import Session
from asession._aws.http_session import HttpSession
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio


async def test_a_client_of_a_warm_service_opens_no_file(
    home: Any, aws: Recorder, file_watch: Any
) -> None:
    session = Session("AKIAX", "s", region_name="us-east-1", endpoint_url=aws.url)
    await session.warm_up("sns", "s3")
    async with session:
        with file_watch:
            async with session.client("sns"), session.client("s3"):
                pass
    assert [event for event in file_watch.events if event.call in ("open", "listdir")] == []
    assert aws.requests == []


async def test_warming_up_leaves_nothing_open(home: Any) -> None:
    session = Session(region_name="us-east-1")
    await session.warm_up("sns")
    assert session._live.here() == []
    async with session:
        await session.warm_up("sqs")
        assert session._live.entered() is not None


async def test_warming_up_nothing_resolves_the_session(home: Any) -> None:
    home.write_config("[default]\nregion = eu-west-1\n")
    session = Session()
    await session.warm_up()
    assert session.region_name == "eu-west-1"


async def test_an_unknown_service_is_named(home: Any) -> None:
    with pytest.raises(botocore.exceptions.UnknownServiceError, match="sthree"):
        await Session().warm_up("s3", "sthree")


async def test_the_module_warms_the_current_session_up(home: Any) -> None:
    async with Session(region_name="us-east-1") as session:
        await asession.warm_up("s3")
        assert session._live.entered() is not None
    with pytest.raises(botocore.exceptions.UnknownServiceError):
        await asession.warm_up("sthree")


async def test_a_given_session_is_warmed_up_too(home: Any, file_watch: Any) -> None:
    given = get_session()
    given.set_default_client_config(AioConfig(http_session_cls=HttpSession))
    session = Session(botocore_session=given, region_name="us-east-1")
    await session.warm_up("sns")
    with file_watch:
        given.get_component("data_loader").load_service_model("sns", "service-2", api_version=None)
    assert file_watch.events == []

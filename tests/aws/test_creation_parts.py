"""Clients of our own session have our parts, and no others have."""

from __future__ import annotations

import pytest
from aiobotocore.client import AioBaseClient
from aiobotocore.config import AioConfig
from aiobotocore.hooks import AioHierarchicalEmitter
from aiobotocore.regions import AioEndpointRulesetResolver
from aiobotocore.session import get_session
from aiobotocore.signers import AioRequestSigner
from botocore.useragent import UserAgentString

from asession import Session
from asession._aws.emitter import EventEmitter
from asession._aws.endpoints import EndpointResolver
from asession._aws.http_session import HttpSession
from asession._aws.parsing import ParserFactory
from asession._aws.signing import RequestSigner
from asession._aws.useragent import UserAgent
from servers.answers import AwsAnswers
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio


def parts(client):
    return [
        type(client._request_signer),
        type(client._ruleset_resolver),
        type(client._user_agent_creator),
        type(getattr(client.meta.events, "_emitter", client.meta.events)),
    ]


async def test_a_client_is_made_of_our_parts():
    async with Session("AKIAX", "s", region_name="us-east-1").client("s3") as s3:
        assert parts(s3) == [RequestSigner, EndpointResolver, UserAgent, EventEmitter]
        assert type(s3._endpoint._response_parser_factory) is ParserFactory
        assert isinstance(s3, AioBaseClient)
        assert s3.meta.events is s3._ruleset_resolver._event_emitter
        assert s3.meta.events is s3._endpoint._event_emitter


async def test_our_signer_alone_signs_a_request():
    with Recorder(AwsAnswers()) as aws:
        session = Session("AKIAX", "s", region_name="us-east-1", endpoint_url=aws.url)
        signers = []

        def note(request_signer, **kwargs):
            signers.append(request_signer)

        session.events.register("before-sign.s3", note)
        async with session.client("s3") as s3:
            await s3.list_buckets()
            assert signers == [s3._request_signer]


async def test_a_given_session_keeps_its_own_parts():
    given = get_session()
    given.set_default_client_config(AioConfig(http_session_cls=HttpSession))
    async with (
        Session("AKIAX", "s", region_name="us-east-1", botocore_session=given) as session,
        session.client("s3") as s3,
    ):
        assert parts(s3) == [
            AioRequestSigner,
            AioEndpointRulesetResolver,
            UserAgentString,
            AioHierarchicalEmitter,
        ]


async def test_a_handler_may_still_add_to_the_class_of_a_client():
    class Mine:
        def __init__(self, **given):
            super().__init__(**given)
            self.signed_by = type(self._request_signer)

    def add(base_classes, class_attributes, **kwargs):
        base_classes.insert(0, Mine)
        class_attributes["two"] = 2

    session = Session("AKIAX", "s", region_name="us-east-1")
    session.events.register("creating-client-class.sqs", add)
    async with session.client("sqs") as sqs, session.client("sns") as sns:
        assert isinstance(sqs, Mine)
        assert sqs.two == 2
        assert sqs.signed_by is RequestSigner
        assert parts(sqs) == parts(sns)
        assert not isinstance(sns, Mine)


async def test_a_service_without_a_rule_set_has_no_resolver(tmp_path):
    folder = tmp_path / "plain" / "2020-01-01"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text(
        '{"version": "2.0", "metadata": {"apiVersion": "2020-01-01", "endpointPrefix": "plain",'
        ' "protocol": "json", "jsonVersion": "1.0", "serviceId": "Plain", "targetPrefix": "P",'
        ' "signatureVersion": "v4", "uid": "plain-2020-01-01", "protocols": ["json"]},'
        ' "operations": {"Ask": {"name": "Ask", "http": {"method": "POST", "requestUri": "/"}}},'
        ' "shapes": {}}'
    )
    with Recorder(AwsAnswers()) as aws:
        session = Session(
            "AKIAX",
            "s",
            region_name="us-east-1",
            endpoint_url=aws.url,
            environ={"AWS_DATA_PATH": str(tmp_path)},
        )
        async with session.client("plain") as client:
            assert client._ruleset_resolver is None
            assert type(client._request_signer) is RequestSigner


async def test_docstrings_are_written_without_waiting_for_handlers():
    session, seen = Session("AKIAX", "s", region_name="us-east-1"), []
    session.events.register(
        "docs.request-example.s3.ListObjectsV2.complete-section",
        lambda event_name, **kwargs: seen.append(event_name),
    )
    async with session.client("s3") as s3:
        # A handler that is never awaited would be a warning, which pytest makes an error.
        texts = [
            str(s3.get_object.__doc__),
            str(s3.get_paginator("list_objects_v2").paginate.__doc__),
            str(s3.get_waiter("bucket_exists").wait.__doc__),
        ]
    assert "**Request Syntax**" in texts[0]
    assert "PaginationConfig" in texts[1]
    assert "WaiterConfig" in texts[2]
    assert seen == ["docs.request-example.s3.ListObjectsV2.complete-section"]

"""Requests of our clients are those of plain aiobotocore, byte for byte but for time and chance."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit

import aiobotocore
import botocore
import pytest
from aiobotocore._helpers import resolve_awaitable
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore import UNSIGNED, auth
from botocore.config import Config
from botocore.loaders import create_loader

import asession
from asession._aws.http_session import HttpSession

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def upstream_signs_in_python(monkeypatch):
    """With `awscrt` installed upstream has that sign, which puts headers in another order."""
    monkeypatch.setitem(auth.AUTH_TYPE_MAPS, "v4", auth.SigV4Auth)
    monkeypatch.setitem(auth.AUTH_TYPE_MAPS, "s3v4", auth.S3SigV4Auth)


KEYS = ("AKIAX", "secret", "token")
ARN = "arn:aws:s3:us-west-2:123456789012:accesspoint:mine"
ITEM = {"id": {"S": "1"}, "n": {"N": "2"}, "b": {"B": b"\x00\xff"}, "l": {"L": [{"BOOL": True}]}}
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/queue"
OBJECT = {"Bucket": "bucket", "Key": "a folder/ä+b=c.txt"}

S3_CALLS = [
    ("list_buckets", {}),
    ("create_bucket", {"Bucket": "new"}),
    ("head_object", OBJECT),
    ("get_object", OBJECT),
    ("get_object", {**OBJECT, "Range": "bytes=0-9", "VersionId": "v/1", "IfMatch": '"x"'}),
    ("get_object", {"Bucket": ARN, "Key": "k"}),
    ("get_object", {"Bucket": "with.dots", "Key": "k"}),
    ("put_object", {**OBJECT, "Body": b"text", "Metadata": {"a": "1", "B": " two  words "}}),
    ("put_object", {**OBJECT, "Body": "text", "ChecksumAlgorithm": "SHA256", "Tagging": "a=b"}),
    ("put_object", {**OBJECT, "Body": b"", "ContentType": "text/plain"}),
    (
        "put_object",
        {**OBJECT, "Body": b"x", "SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32},
    ),
    ("copy_object", {**OBJECT, "CopySource": {"Bucket": "other", "Key": "ö k", "VersionId": "1"}}),
    ("delete_objects", {"Bucket": "bucket", "Delete": {"Objects": [{"Key": "<&>"}]}}),
    ("list_objects_v2", {"Bucket": "bucket", "Prefix": "a b/", "Delimiter": "/", "MaxKeys": 3}),
    ("upload_part", {**OBJECT, "PartNumber": 1, "UploadId": "u+=", "Body": b"part"}),
    (
        "put_bucket_tagging",
        {"Bucket": "bucket", "Tagging": {"TagSet": [{"Key": "a", "Value": "ü"}]}},
    ),
]
CALLS = {
    "s3": S3_CALLS,
    "dynamodb": [
        ("get_item", {"TableName": "orders", "Key": {"id": {"S": "1"}}}),
        ("put_item", {"TableName": "orders", "Item": ITEM}),
        ("query", {"TableName": "orders", "KeyConditionExpression": "id = :i", "Limit": 2}),
        ("batch_get_item", {"RequestItems": {"orders": {"Keys": [{"id": {"S": "ä"}}]}}}),
        ("list_tables", {"Limit": 1}),
    ],
    "sqs": [
        ("send_message", {"QueueUrl": QUEUE, "MessageBody": "hä\n", "DelaySeconds": 1}),
        ("receive_message", {"QueueUrl": QUEUE, "WaitTimeSeconds": 2}),
    ],
    "sns": [("publish", {"TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": "a&b=ü "})],
    "sts": [
        ("get_caller_identity", {}),
        (
            "assume_role",
            {"RoleArn": "arn:aws:iam::123456789012:role/r", "RoleSessionName": "session"},
        ),
        (
            "assume_role_with_web_identity",
            {
                "RoleArn": "arn:aws:iam::123456789012:role/r",
                "RoleSessionName": "session",
                "WebIdentityToken": "token",
            },
        ),
    ],
    "ec2": [("describe_instances", {"Filters": [{"Name": "a", "Values": ["1", "2"]}]})],
    "cloudwatch": [
        ("put_metric_data", {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1.5}]})
    ],
    "lambda": [("invoke", {"FunctionName": "f:1", "Payload": b"{}", "LogType": "Tail"})],
    "cloudfront": [("list_distributions", {"MaxItems": "3"})],
    "kms": [("encrypt", {"KeyId": "k", "Plaintext": b"\x01"})],
}

CLIENTS = {
    "plain": {},
    "path style": {"config": {"s3": {"addressing_style": "path"}}},
    "own server": {"endpoint_url": "http://127.0.0.1:9"},
    "west, app, extra": {
        "region_name": "us-west-2",
        "config": {"user_agent_appid": "app/1", "user_agent_extra": "more/2"},
    },
    "user agent": {"config": {"user_agent": "mine/1"}},
    "retries": {"config": {"retries": {"mode": "adaptive", "max_attempts": 4}}},
    "unsigned": {"config": {"signature_version": UNSIGNED}},
    "when required": {"config": {"request_checksum_calculation": "when_required"}},
    "dual stack": {"config": {"use_dualstack_endpoint": True}},
}
ALWAYS = {"plain", "west, app, extra"}
LOADER = create_loader()


class SeenError(Exception):
    """Ends a call when its request was noted."""


class NoHttp(HttpSession):
    """A transport for clients that send nothing."""

    def __init__(self, **kwargs):
        pass

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        pass


@asynccontextmanager
async def both(service, config=None, **arguments):
    """A client of plain aiobotocore and one of ours."""
    plain = get_session()
    plain.register_component("data_loader", LOADER)
    plain.set_credentials(*KEYS)
    plain.user_agent_name, plain.user_agent_version = "asession", asession.__version__
    plain.user_agent_extra = (
        f"aiobotocore/{aiobotocore.__version__} botocore/{botocore.__version__}"
    )
    arguments = {"region_name": "us-east-1", **arguments}
    settings = config or {}
    session = asession.Session(*KEYS)
    async with (
        plain.create_client(
            service, config=AioConfig(http_session_cls=NoHttp, **settings), **arguments
        ) as theirs,
        session.client(service, config=Config(**settings), **arguments) as ours,
    ):
        yield theirs, ours


async def request_of(client, method, params):
    """The request that a call would send, with what differs from one second to the next masked."""
    sent = []

    async def note(request, **kwargs):
        sent.append(request)
        raise SeenError

    client.meta.events.register("before-send", note)
    with pytest.raises(SeenError):
        await getattr(client, method)(**params)
    client.meta.events.unregister("before-send", note)
    (request,) = sent
    body = request.body
    if hasattr(body, "read"):
        body = await resolve_awaitable(body.read())
    return (
        request.method,
        request.url,
        [(name, masked(name, value)) for name, value in request.headers.items()],
        body,
    )


def masked(name, value):
    text = value.decode() if isinstance(value, bytes) else value
    if name == "User-Agent":  # the features are a set: their order is chance
        return re.sub(r"m/(\S+)", lambda found: "m/" + "".join(sorted(found[1])), text)
    if name == "amz-sdk-invocation-id":
        return len(text)
    if name == "X-Amz-Date":
        return re.sub(r"\d", "9", text)
    if name == "Authorization":
        return re.sub(r"Signature=\w{64}$|/\d{8}/", "*", text)
    return re.sub(r"ttl=\w+", "ttl", text)


@pytest.mark.parametrize(
    ("service", "kind"),
    [(s, kind) for s in CALLS for kind in CLIENTS if s == "s3" or kind in ALWAYS],
)
async def test_requests_are_the_same(service, kind):
    async with both(service, **CLIENTS[kind]) as (theirs, ours):
        for method, params in CALLS[service]:
            expected = await request_of(theirs, method, params)
            assert await request_of(ours, method, params) == expected
            # Again, when ours remembers.
            assert await request_of(ours, method, params) == expected


@pytest.mark.parametrize("style", ["path", "virtual"])
@pytest.mark.parametrize("version", [None, "s3v4", "s3"])
async def test_presigned_urls_are_the_same(style, version):
    config = {"s3": {"addressing_style": style}, "signature_version": version}
    async with both("s3", config=config) as clients:
        for method, params in S3_CALLS[3:5] + S3_CALLS[13:14]:
            found = []
            for client in (*clients, clients[1]):
                url = urlsplit(await client.generate_presigned_url(method, params, 900))
                query = parse_qsl(url.query, keep_blank_values=True)
                moving = {"X-Amz-Date", "X-Amz-Signature", "Signature", "Expires"}
                masked_query = [(n, "*" if n in moving else v) for n, v in query]
                found.append((url[:3], [(n, re.sub(r"/\d{8}/", "/", v)) for n, v in masked_query]))
            assert found[0] == found[1] == found[2]
            assert ("X-Amz-Signature", "*") in found[0][1] or ("Signature", "*") in found[0][1]


async def test_features_of_a_call_are_in_its_user_agent_alone():
    async with both("s3") as (theirs, ours):
        calls = [("get_object", OBJECT), ("put_object", {**OBJECT, "Body": b"x"})] * 2
        for method, params in calls:
            expected = await request_of(theirs, method, params)
            assert await request_of(ours, method, params) == expected
        agents = [dict((await request_of(ours, *call))[2])["User-Agent"] for call in calls]
        assert agents[0] == agents[2] != agents[1] == agents[3]

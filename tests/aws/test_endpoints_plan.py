"""Planned endpoints are upstream's: address, headers, properties, signing, features and errors."""

from __future__ import annotations

import copy
from contextlib import asynccontextmanager

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore import UNSIGNED
from botocore.context import ClientContext, get_context, start_as_current_context
from botocore.loaders import create_loader

from asession._aws import endpoints
from asession._aws.endpoints import EndpointResolver
from asession._aws.http_session import HttpSession

pytestmark = pytest.mark.anyio

ARN = "arn:aws:{}:us-west-2:123456789012:{}"
MRAP = "arn:aws:s3::123456789012:accesspoint:mfzwi23gnjvgw.mrap"
BUCKETS = [
    "bucket",
    "with.dots",
    "UPPER_case",
    "b",
    "directory--usw2-az1--x-s3",
    ARN.format("s3", "accesspoint:mine"),
    ARN.format("s3-object-lambda", "accesspoint/banner"),
    ARN.format("s3-outposts", "outpost/op-01234567890123456/accesspoint/mine"),
    ARN.format("s3", "nothing:mine"),
    MRAP,
    7,
    ["list"],
    {"a": 1},
]
TABLE = {"TableName": "orders"}
TABLE_ARN = {"TableName": ARN.format("dynamodb", "table/orders")}
SECOND_ARN = {"TableName": ARN.format("dynamodb", "table/other")}

CALLS = {
    "s3": [
        ("ListBuckets", {}),
        ("CreateBucket", {"Bucket": "new"}),
        ("CreateSession", {"Bucket": "directory--usw2-az1--x-s3"}),
        ("ListDirectoryBuckets", {}),
        ("WriteGetObjectResponse", {"RequestRoute": "io-cell1", "RequestToken": "t"}),
        ("HeadBucket", {"Bucket": "bucket"}),
        ("GetBucketLocation", {"Bucket": "bucket"}),
        ("ListObjectsV2", {"Bucket": "bucket", "Prefix": "a/"}),
        ("ListObjectsV2", {"Bucket": "bucket", "Prefix": ["not a string"]}),
        ("CopyObject", {"Bucket": "bucket", "Key": "k", "CopySource": {"Bucket": "o", "Key": "k"}}),
        ("DeleteObjects", {"Bucket": "bucket", "Delete": {"Objects": []}}),
        *[("GetObject", {"Bucket": bucket, "Key": "a key"}) for bucket in BUCKETS],
        *[("PutObject", {"Bucket": bucket, "Key": "k"}) for bucket in BUCKETS[:5]],
    ],
    "s3control": [
        ("GetBucket", {"Bucket": "b", "AccountId": "123456789012"}),
        ("GetBucket", {"Bucket": ARN.format("s3-outposts", "outpost/op-01/bucket/b")}),
        ("CreateBucket", {"Bucket": "b", "OutpostId": "op-01234567890123456"}),
        ("ListAccessPoints", {"AccountId": "123456789012"}),
        ("ListAccessPoints", {}),
    ],
    "dynamodb": [
        ("GetItem", TABLE),
        ("GetItem", TABLE_ARN),
        ("ListTables", {}),
        ("DescribeEndpoints", {}),
        ("BatchGetItem", {"RequestItems": {"orders": {}, TABLE_ARN["TableName"]: {}}}),
        ("BatchWriteItem", {"RequestItems": {TABLE_ARN["TableName"]: []}}),
        ("TransactGetItems", {"TransactItems": [{"Get": TABLE_ARN}, {"Get": SECOND_ARN}]}),
        ("TransactWriteItems", {"TransactItems": [{"Put": TABLE_ARN}, {"Update": TABLE}]}),
        ("ImportTable", {"TableCreationParameters": TABLE_ARN}),
    ],
    "sqs": [("SendMessage", {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/1/q"})],
    "sts": [("GetCallerIdentity", {}), ("AssumeRole", {"RoleArn": "r"})],
    "lambda": [("Invoke", {"FunctionName": "f"})],
    "cloudfront": [("ListDistributions", {})],
    "iam": [("ListUsers", {})],
    "kinesis": [
        ("PutRecord", {"StreamARN": ARN.format("kinesis", "stream/s")}),
        ("SubscribeToShard", {"ConsumerARN": ARN.format("kinesis", "stream/s/consumer/c:1")}),
        ("ListStreams", {}),
    ],
    "events": [
        ("PutEvents", {}),
        ("PutEvents", {"EndpointId": "abc.def"}),
        ("PutEvents", {"EndpointId": "a b"}),
    ],
}

LOADER = create_loader()
ACCOUNT = {"aws_account_id": "123456789012"}
SETTINGS = {
    "us-east-1": {},
    "us-west-2": {"region_name": "us-west-2"},
    "china": {"region_name": "cn-north-1"},
    "account": ACCOUNT,
    "account required": {**ACCOUNT, "config": {"account_id_endpoint_mode": "required"}},
    "account wanted": {"config": {"account_id_endpoint_mode": "required"}},
    "account disabled": {**ACCOUNT, "config": {"account_id_endpoint_mode": "disabled"}},
    "plain http": {"use_ssl": False},
    "fips": {"config": {"use_fips_endpoint": True}},
    "dual stack": {"config": {"use_dualstack_endpoint": True}},
    "own server": {"endpoint_url": "http://127.0.0.1:9"},
    "unsigned": {"config": {"signature_version": UNSIGNED}},
    "old signature": {"config": {"signature_version": "s3"}},
    "scheme": {"config": {"auth_scheme_preference": "sigv4a,sigv4"}},
    "path": {"config": {"s3": {"addressing_style": "path"}}},
    "virtual": {
        "config": {"s3": {"addressing_style": "virtual"}},
        "endpoint_url": "https://example.com:8443",
    },
    "accelerate": {"config": {"s3": {"use_accelerate_endpoint": True}}},
    "own region": {"config": {"s3": {"use_arn_region": False}}},
    "regional": {"config": {"s3": {"us_east_1_regional_endpoint": "regional"}}},
    "no express": {"config": {"s3_disable_express_session_auth": True}},
}

FOR_S3 = {"old signature", "path", "virtual", "accelerate", "own region", "regional", "no express"}


class NoHttp(HttpSession):
    """A transport for clients that send nothing."""

    def __init__(self, **kwargs):
        pass

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        pass


@asynccontextmanager
async def client_of(service, settings):
    arguments = {"region_name": "us-east-1", **settings}
    arguments["config"] = AioConfig(http_session_cls=NoHttp, **settings.get("config", {}))
    keys = {"aws_access_key_id": "AKIAX", "aws_secret_access_key": "s"}
    session = get_session()
    session.register_component("data_loader", LOADER)
    async with session.create_client(service, **keys, **arguments) as client:
        yield client


def ours_of(upstream):
    return EndpointResolver.replacing(upstream, upstream._provider, {})


async def outcome(client, resolver, operation, params):
    """All that a request gets to know from a resolver."""
    model = client.meta.service_model.operation_model(operation)
    params = copy.deepcopy(params)
    context = {"client_region": client.meta.region_name, "client_config": client.meta.config}
    with start_as_current_context(ClientContext()):
        try:
            found = await resolver.construct_endpoint(model, params, context)
            schemes = found.properties.get("authSchemes")
            signing = schemes and resolver.auth_schemes_to_signing_ctx(schemes)
            told = found.url, found.headers, found.properties, signing
        except Exception as error:  # upstream's own classes: the same, with the same words
            told = type(error), str(error), type(error.__cause__)
        return told, params, context, get_context().features


@pytest.mark.parametrize(
    ("service", "settings"),
    [
        (service, settings)
        for service in CALLS
        for settings in SETTINGS
        if service == "s3" or settings not in FOR_S3
    ],
)
async def test_an_endpoint_is_upstreams(service, settings):
    async with client_of(service, SETTINGS[settings]) as client:
        upstream = client._ruleset_resolver
        ours = ours_of(upstream)
        calls = CALLS[service]
        for name, params in [*calls, *reversed(calls)]:
            expected = await outcome(client, upstream, name, params)
            assert await outcome(client, ours, name, params) == expected
            assert await outcome(client, ours, name, params) == expected


async def test_handlers_may_change_builtins_and_parameters_at_each_call():
    async with client_of("s3", {}) as client:
        upstream = client._ruleset_resolver
        ours = ours_of(upstream)
        region = ""

        async def elsewhere(builtins, params, context, **kwargs):
            builtins["AWS::Region"] = region
            builtins["AWS::UseFIPS"] = lambda: region == "us-east-2"
            params["Bucket"] = f"{params['Bucket']}-{region}"
            context["seen"] = region

        client.meta.events.register("before-endpoint-resolution.s3", elsewhere)
        urls = []
        for region in ("eu-west-1", "us-east-2", "eu-west-1"):  # noqa: B007 (the handler's)
            params = {"Bucket": "bucket", "Key": "k"}
            expected = await outcome(client, upstream, "GetObject", params)
            assert await outcome(client, ours, "GetObject", params) == expected
            urls.append(expected[0][0])
        assert urls == [
            "https://bucket-eu-west-1.s3.eu-west-1.amazonaws.com",
            "https://bucket-us-east-2.s3-fips.us-east-2.amazonaws.com",
            "https://bucket-eu-west-1.s3.eu-west-1.amazonaws.com",
        ]


async def test_the_account_of_the_credentials_is_asked_for_at_each_call():
    account = "111111111111"
    asked = []

    async def account_id():
        asked.append(account)
        return account

    async with client_of("dynamodb", ACCOUNT) as client:
        ours = ours_of(client._ruleset_resolver)
        ours._builtins = {**ours._builtins, "AWS::Auth::AccountId": account_id}
        for account in ("111111111111", "222222222222", None, "111111111111"):
            found, *_, features = await outcome(client, ours, "GetItem", TABLE)
            host = f"{account}.ddb" if account else "dynamodb"
            assert found[0] == f"https://{host}.us-east-1.amazonaws.com"
            assert ("T" in features) is (account is not None)
        assert len(asked) == 4


async def test_what_a_caller_changes_in_an_answer_stays_with_that_caller():
    async with client_of("s3", {}) as client:
        ours = ours_of(client._ruleset_resolver)
        for _ in range(2):
            found, *_ = await outcome(client, ours, "GetObject", {"Bucket": "bucket", "Key": "k"})
            _, headers, _, (name, signing) = found
            assert headers == {}
            assert name == "v4"
            assert signing == {
                "region": "us-east-1",
                "signing_name": "s3",
                "disableDoubleEncoding": True,
            }
            headers["X-Mine"] = "1"
            del signing["region"]


async def test_rules_run_once_for_the_same_parameters_whatever_the_key(monkeypatch):
    async with client_of("s3", {}) as client:
        ours = ours_of(client._ruleset_resolver)
        runs = []
        original = ours._provider.resolve_endpoint
        monkeypatch.setattr(
            ours._provider, "resolve_endpoint", lambda **given: runs.append(1) or original(**given)
        )
        for number in range(5):
            await outcome(client, ours, "GetObject", {"Bucket": "bucket", "Key": f"{number}"})
        assert runs == [1]


async def test_it_remembers_no_more_than_its_limit(monkeypatch):
    monkeypatch.setattr(endpoints, "_LIMIT", 8)
    async with client_of("s3", {}) as client:
        upstream = client._ruleset_resolver
        ours = ours_of(upstream)
        for number in [*range(30), *range(30)]:
            params = {"Bucket": f"bucket-{number}", "Key": "k"}
            expected = await outcome(client, upstream, "GetObject", params)
            assert await outcome(client, ours, "GetObject", params) == expected
        assert len(ours._answers) <= 8
        assert len(ours._signing) <= 8


async def test_an_unknown_builtin_is_refused_as_upstream_refuses_it():
    async with client_of("sqs", {}) as client:
        upstream = client._ruleset_resolver
        ours = ours_of(upstream)
        upstream._param_definitions["Region"].builtin = "AWS::Unknown"
        upstream._builtins["AWS::Unknown"] = "value"
        expected = await outcome(client, upstream, "ListQueues", {})
        assert "AWS::Unknown" in expected[0][1]
        assert await outcome(client, ours, "ListQueues", {}) == expected

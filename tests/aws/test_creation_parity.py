"""Clients of ours are configured as plain aiobotocore's, and have the same handlers."""

from __future__ import annotations

import copy
import textwrap
from contextlib import asynccontextmanager
from itertools import cycle
from typing import ClassVar

import aiobotocore
import botocore
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import UnknownServiceError
from botocore.loaders import create_loader

import asession
from asession._aws.emitter import EventEmitter
from asession._aws.http_session import HttpSession

pytestmark = pytest.mark.anyio

KEYS = ("AKIAX", "secret", "token")
LOADER = create_loader()
# Each way to configure a client is tried with S3 and with one of these.
OTHERS = ("dynamodb", "sqs", "s3control", "sts", "timestream-query", "bedrock")
EVENTS = (
    "provide-client-params",
    "before-parameter-build",
    "before-endpoint-resolution",
    "before-call",
    "request-created",
    "choose-signer",
    "before-sign",
    "before-send",
    "response-received",
    "before-parse",
    "needs-retry",
    "after-call",
    "after-call-error",
    "getattr",
)
# What we put beside botocore's handlers, and in their places.
OURS = {"check", "settle", "sign_again", "wrap", "prepare", "Lease.check", "put_ours"}
REPLACED = {
    "add_recursion_detection_header": None,  # registered by each session that has an environment
    "UserAgentString.rebuild_and_replace_user_agent_handler": (
        "UserAgent.rebuild_and_replace_user_agent_handler"
    ),
}

CONFIGS = {
    "nothing": {},
    "standard mode": {"defaults_mode": "standard"},
    "in region mode": {"defaults_mode": "in-region"},
    "mobile mode": {"defaults_mode": "mobile"},
    "retries of mode": {"retries": {"mode": "standard", "total_max_attempts": 7}},
    "max attempts": {"retries": {"max_attempts": 2}},
    "adaptive": {"retries": {"mode": "adaptive"}},
    "timeouts": {"connect_timeout": 3, "read_timeout": 4, "max_pool_connections": 5},
    "s3": {"s3": {"addressing_style": "virtual", "payload_signing_enabled": True}},
    "accelerate": {"s3": {"use_accelerate_endpoint": True}},
    "unsigned": {"signature_version": UNSIGNED},
    "signed": {"signature_version": "v4"},
    "region": {"region_name": "eu-west-1"},
    "proxies": {
        "proxies": {"https": "http://127.0.0.1:9"},
        "proxies_config": {"proxy_use_forwarding_for_https": True},
    },
    "no proxies": {"proxies": {}},
    "certificate": {"client_cert": ("/nowhere/cert.pem", "/nowhere/key.pem")},
    "switches": {
        "parameter_validation": False,
        "tcp_keepalive": True,
        "inject_host_prefix": False,
        "ignore_configured_endpoint_urls": True,
        "disable_request_compression": True,
        "request_min_compression_size_bytes": 7,
        "use_dualstack_endpoint": True,
        "sigv4a_signing_region_set": "*",
        "account_id_endpoint_mode": "disabled",
        "auth_scheme_preference": "sigv4,sigv4a",
    },
    "discovery": {"endpoint_discovery_enabled": True},
    "checksums": {
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
    },
    "agent": {"user_agent": "mine/1", "user_agent_extra": "x/2", "user_agent_appid": "app"},
}

ARGUMENTS = {
    "west": {"region_name": "us-west-2"},
    "china": {"region_name": "cn-north-1"},
    "global": {"region_name": "aws-global"},
    "fips alias": {"region_name": "fips-us-east-1"},
    "insecure": {"use_ssl": False},
    "unverified": {"verify": False},
    "own endpoint": {"endpoint_url": "http://127.0.0.1:9/path"},
    "own keys": {"aws_access_key_id": "AKIAOWN", "aws_secret_access_key": "s"},
    "ignored keys": {"aws_session_token": "t", "aws_account_id": "123456789012"},
    "account": {
        "aws_access_key_id": "AKIAOWN",
        "aws_secret_access_key": "s",
        "aws_account_id": "123456789012",
    },
}

PROFILES = {
    "many": """
        region = eu-central-1
        defaults_mode = standard
        retry_mode = adaptive
        max_attempts = 9
        parameter_validation = false
        tcp_keepalive = true
        use_fips_endpoint = true
        sdk_ua_app_id = profiles
        endpoint_discovery_enabled = true
        sts_regional_endpoints = legacy
        request_checksum_calculation = when_required
        response_checksum_validation = when_required
        disable_request_compression = true
        request_min_compression_size_bytes = 99
        account_id_endpoint_mode = required
        sigv4a_signing_region_set = *
        auth_scheme_preference = sigv4a
    """,
    "s3": """
        region = us-east-1
        s3 =
            addressing_style = path
            payload_signing_enabled = true
            use_arn_region = true
            us_east_1_regional_endpoint = legacy
            use_dualstack_endpoint = true
    """,
    "services": """
        region = us-east-1
        endpoint_url = http://127.0.0.1:8
        services = mine

        [services mine]
        dynamodb =
            endpoint_url = http://127.0.0.1:7
        timestream_query =
            endpoint_url = http://127.0.0.1:6
    """,
    "ignored endpoint": """
        region = us-east-1
        endpoint_url = http://127.0.0.1:8
        ignore_configured_endpoint_urls = true
    """,
    "versions": """
        region = us-east-1
        api_versions =
            ec2 = 2016-09-15
            cloudfront = 2016-11-25
    """,
    "bundle": """
        region = us-east-1
        ca_bundle = /nowhere/bundle.pem
    """,
}


class NoHttp(HttpSession):
    """A transport for clients that send nothing, which notes how it was made."""

    made: ClassVar[list[dict]] = []

    def __init__(self, **settings):
        self.made.append(settings)
        super().__init__(**settings)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        pass


@asynccontextmanager
async def both(service, config, session_config, arguments):
    """A client of plain aiobotocore and one of ours."""
    plain = get_session()
    plain.register_component("data_loader", LOADER)
    plain.set_credentials(*KEYS)
    plain.user_agent_name, plain.user_agent_version = "asession", asession.__version__
    plain.user_agent_extra = (
        f"aiobotocore/{aiobotocore.__version__} botocore/{botocore.__version__}"
    )

    # botocore writes into the dictionaries that it is given.
    def default():
        return AioConfig(http_session_cls=NoHttp, **copy.deepcopy(session_config))

    def own():
        return {"config": Config(**copy.deepcopy(config))} if config else {}

    plain.set_default_client_config(default())
    session = asession.Session(*KEYS, config=default())
    NoHttp.made.clear()
    async with (
        plain.create_client(service, **own(), **arguments) as theirs,
        session.client(service, **own(), **arguments) as ours,
    ):
        yield theirs, ours


def facts(client):
    """What a client was made with."""
    config = dict(vars(client.meta.config))
    del config["_user_provided_options"]
    credentials = client._get_credentials()
    resolver = client._ruleset_resolver
    builtins = resolver._builtins.items()
    return {
        "config": config,
        "meta": (client.meta.region_name, client.meta.endpoint_url, client.meta.partition),
        "methods": client.meta.method_to_api_mapping,
        "version": client.meta.service_model.api_version,
        "agent": client._user_agent_creator.to_string().split(),
        "signer": (
            client._request_signer.signature_version,
            client._request_signer.signing_name,
            client._request_signer.region_name,
        ),
        "credentials": credentials and (credentials.access_key, credentials.account_id),
        "endpoint": (client._endpoint.host, client._endpoint._endpoint_prefix),
        "builtins": {name: value for name, value in builtins if not callable(value)},
        "rules": (resolver._client_context, resolver._use_ssl),
    }


def handlers(client):
    """The handlers of some operations' events, by name and in their order."""
    model = client.meta.service_model
    found = {}
    for operation in (model.operation_names[0], model.operation_names[-1]):
        for event in EVENTS:
            name = f"{event}.{model.service_id.hyphenize()}.{operation}"
            called = handlers_of(client.meta.events, name)
            found[name] = [getattr(one, "__qualname__", type(one).__name__) for one in called]
    return found


def handlers_of(events, name):
    if isinstance(events, EventEmitter):
        return events.handlers_of(name)
    return events._emitter._handlers.prefix_search(events._alias_event_name(name))


async def compare(service, config=None, session_config=None, **arguments):
    """Fails where our client is not as aiobotocore's."""
    async with both(service, config or {}, session_config or {}, arguments) as (theirs, ours):
        assert facts(ours) == facts(theirs)
        first, second = NoHttp.made
        assert second == first
        expected = {
            name: [new for one in called if (new := REPLACED.get(one, one)) is not None]
            for name, called in handlers(theirs).items()
        }
        found = handlers(ours)
        for name, called in found.items():
            found[name] = [one for one in called if one not in OURS]
        assert found == expected


def with_services(kinds):
    """Each kind with S3 and with one of the other services."""
    return [
        pair for kind, other in zip(kinds, cycle(OTHERS)) for pair in ((kind, "s3"), (kind, other))
    ]


@pytest.mark.parametrize(("kind", "service"), with_services(CONFIGS))
async def test_a_config_has_the_same_effect(kind, service):
    await compare(service, config=CONFIGS[kind], region_name="us-east-1")
    await compare(service, session_config=CONFIGS[kind], region_name="us-east-1")


async def test_configs_of_session_and_client_are_merged_the_same():
    session = {"retries": {"max_attempts": 2}, "s3": {"use_arn_region": True}, "read_timeout": 5}
    client = {"retries": {"mode": "standard"}, "s3": {"addressing_style": "path"}}
    await compare("s3", client, session, region_name="us-east-1")


@pytest.mark.parametrize(("kind", "service"), with_services(ARGUMENTS))
async def test_an_argument_has_the_same_effect(kind, service):
    await compare(service, **{"region_name": "us-east-1", **ARGUMENTS[kind]})


@pytest.mark.parametrize(("kind", "service"), with_services(PROFILES))
async def test_a_profile_has_the_same_effect(kind, service, home):
    home.write_config("[default]\n" + textwrap.dedent(PROFILES[kind]))
    await compare(service)


@pytest.mark.parametrize("service", ["dynamodb", "timestream-query", "ec2", "cloudfront"])
@pytest.mark.parametrize("kind", ["services", "versions"])
async def test_what_a_profile_says_of_a_service_has_the_same_effect(kind, service, home):
    home.write_config("[default]\n" + textwrap.dedent(PROFILES[kind]))
    await compare(service)


@pytest.mark.parametrize("service", ["runtime.sagemaker", "monitoring"])
async def test_an_old_name_of_a_service_has_the_same_effect(service):
    try:
        await compare(service, region_name="us-east-1")
    except UnknownServiceError:
        with pytest.raises(UnknownServiceError):
            async with get_session().create_client(service):
                pass


BAD = {
    "region": {"region_name": "not a region"},
    "half of the keys": {"aws_access_key_id": "AKIAX"},
    "version": {"api_version": "1999-01-01"},
    "service": {"service": "nonsense"},
    "endpoint": {"endpoint_url": "127.0.0.1"},
    "no region": {"region_name": None},
    "mode": {"config": {"defaults_mode": "odd"}},
}


@pytest.mark.parametrize("kind", BAD)
async def test_what_aiobotocore_refuses_is_refused_with_its_error(kind):
    given = {"service": "sqs", "region_name": "us-east-1", **BAD[kind]}
    service, config = given.pop("service"), given.pop("config", None)
    errors = []
    plain, ours = get_session(), asession.Session()
    for create in (plain.create_client, ours.client):
        with pytest.raises(Exception) as raised:  # noqa: PT011 - whatever upstream raises
            async with create(service, config=config and AioConfig(**config), **given):
                pass
        errors.append((type(raised.value), str(raised.value)))
    assert issubclass(errors[1][0], errors[0][0])
    assert errors[0][1] in errors[1][1]

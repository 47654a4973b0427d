"""Two environments in one process, and a poisoned `os.environ`: none changes another."""

import anyio
import pytest
from botocore.config import Config

from asession import Session
from servers.answers import AwsAnswers
from servers.recorder import Recorder, Reply

pytestmark = pytest.mark.anyio

# Every place where the layers below read `os.environ` themselves.
POISON = {
    "AWS_ACCESS_KEY_ID": "AKIAPOISON",
    "AWS_SECRET_ACCESS_KEY": "poison",
    "AWS_SESSION_TOKEN": "poison-token",
    "AWS_PROFILE": "poison",
    "AWS_DEFAULT_PROFILE": "poison",
    "AWS_CONFIG_FILE": "/nonexistent/poison",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/poison",
    "AWS_DEFAULT_REGION": "poison-1",
    "AWS_REGION": "poison-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
    "AWS_CA_BUNDLE": "/nonexistent/poison.pem",
    "REQUESTS_CA_BUNDLE": "/nonexistent/poison.pem",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
    "AWS_EXECUTION_ENV": "poisonenv",
    "AWS_LAMBDA_FUNCTION_NAME": "poison",
    "_X_AMZN_TRACE_ID": "poison-trace",
    "AWS_BEARER_TOKEN_BEDROCK": "poison-bearer",
    "AWS_LOGIN_CACHE_DIRECTORY": "/nonexistent/poison",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent/poison",
    "AWS_ROLE_ARN": "arn:aws:iam::1:role/poison",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/poison",
    "AWS_CREDENTIAL_FILE": "/nonexistent/poison",
    "BOTO_CONFIG": "/nonexistent/poison",
    "AWS_SDK_UA_APP_ID": "poisonapp",
    "AWS_RETRY_MODE": "poison",
    "AWS_MAX_ATTEMPTS": "poison",
    "AWS_DEFAULTS_MODE": "poison",
    "AWS_DATA_PATH": "/nonexistent/poison",
    "BOTOCORE_EXPERIMENTAL__PLUGINS": "poison=poison",
}
BUCKETS = "<ListAllMyBucketsResult><Buckets></Buckets></ListAllMyBucketsResult>"


def environment(home, name, url, **more):
    return {
        "HOME": str(home.path),
        "AWS_ACCESS_KEY_ID": f"AKIA{name.upper()}",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_REGION": f"{name}-region-1",
        "AWS_ENDPOINT_URL_S3": url,
        "AWS_EXECUTION_ENV": f"env{name}",
        "AWS_SDK_UA_APP_ID": f"app{name}",
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "_X_AMZN_TRACE_ID": f"trace-{name}",
        "AWS_EC2_METADATA_DISABLED": "true",
        **more,
    }


async def test_two_environments_and_a_poisoned_process_do_not_mix(home, monkeypatch):
    for name, value in POISON.items():
        monkeypatch.setenv(name, value)
    with Recorder(AwsAnswers()) as one, Recorder(AwsAnswers()) as two:

        async def use(name, url):
            async with Session(environ=environment(home, name, url)) as session:
                assert session.profile_name == "default"
                for _ in range(3):
                    async with session.client("s3") as s3:
                        await s3.list_buckets()

        async with anyio.create_task_group() as group:
            group.start_soon(use, "one", one.url)
            group.start_soon(use, "two", two.url)
    for name, recorder in (("one", one), ("two", two)):
        assert len(recorder.requests) == 3
        for request in recorder.requests:
            assert request.access_key == f"AKIA{name.upper()}"
            assert request.region == f"{name}-region-1"
            assert request.token is None
            agent = request.headers["user-agent"]
            assert f"env{name}" in agent
            assert f"app{name}" in agent
            assert request.headers["x-amzn-trace-id"] == f"trace-{name}"
            whole = f"{request.target} {request.headers} {request.body!r}"
            assert "poison" not in whole.lower()


async def test_the_environment_is_copied_at_resolve(home, monkeypatch):
    with Recorder(AwsAnswers()) as recorder:
        for name, value in environment(home, "before", recorder.url).items():
            monkeypatch.setenv(name, value)
        async with Session() as session:
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAAFTER")
            async with session.client("s3") as s3:
                await s3.list_buckets()
        async with Session() as session, session.client("s3") as s3:
            await s3.list_buckets()
    assert [request.access_key for request in recorder.requests] == ["AKIABEFORE", "AKIAAFTER"]


async def test_proxies_come_from_the_sessions_environment(home, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with Recorder(lambda request: Reply.xml(BUCKETS)) as proxy:
        environ = environment(home, "p", "http://s3.example.invalid", HTTP_PROXY=proxy.url)
        async with Session(environ=environ) as session, session.client("s3") as s3:
            await s3.list_buckets()
        (request,) = proxy.requests
        assert request.target == "http://s3.example.invalid/"
    with Recorder(AwsAnswers()) as direct:
        environ = environment(
            home, "p", direct.url, HTTP_PROXY="http://127.0.0.1:9", NO_PROXY="127.0.0.1"
        )
        async with Session(environ=environ) as session, session.client("s3") as s3:
            await s3.list_buckets()
        assert len(direct.requests) == 1


@pytest.mark.parametrize("poison", [True, False])
@pytest.mark.parametrize(
    ("variables", "authorization"),
    [
        ({"AWS_BEARER_TOKEN_BEDROCK": "own-token"}, "Bearer own-token"),
        ({}, "AWS4-HMAC-SHA256"),
        (
            {
                "AWS_BEARER_TOKEN_BEDROCK": "own-token",
                "AWS_AUTH_SCHEME_PREFERENCE": "aws.auth#sigv4",
            },
            "Bearer own-token",
        ),
    ],
)
async def test_a_bearer_token_comes_from_the_sessions_environment_alone(
    home, monkeypatch, poison, variables, authorization
):
    if poison:
        monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "poison")
    with Recorder(lambda request: Reply.json({"modelSummaries": []})) as recorder:
        environ = {
            "HOME": str(home.path),
            "AWS_ACCESS_KEY_ID": "AKIAENV",
            "AWS_SECRET_ACCESS_KEY": "s",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            **variables,
        }
        session = Session(environ=environ, endpoint_url=recorder.url)
        async with session.client("bedrock") as bedrock:
            await bedrock.list_foundation_models()
        assert recorder.requests[0].headers["authorization"].startswith(authorization)


async def test_how_to_sign_given_in_code_goes_before_a_bearer_token(home):
    with Recorder(lambda request: Reply.json({"modelSummaries": []})) as recorder:
        session = Session(
            "AKIAX",
            "s",
            environ={"HOME": str(home.path), "AWS_BEARER_TOKEN_BEDROCK": "own-token"},
            region_name="us-east-1",
            endpoint_url=recorder.url,
        )
        async with session.client("bedrock", config=Config(signature_version="v4")) as bedrock:
            await bedrock.list_foundation_models()
        assert recorder.requests[0].headers["authorization"].startswith("AWS4-HMAC-SHA256")


async def test_endpoint_url_and_verify_reach_clients_made_for_roles(home, monkeypatch):
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    profiles = {
        "dev": {"aws_access_key_id": "AKIADEV", "aws_secret_access_key": "s"},
        "app": {"role_arn": "arn:aws:iam::1:role/r", "source_profile": "dev"},
    }
    with Recorder(AwsAnswers()) as recorder:
        session = Session(
            profiles=profiles,
            profile_name="app",
            endpoint_url=recorder.url,
            region_name="us-east-1",
            verify=False,
        )
        async with session.client("s3") as s3:
            await s3.list_buckets()
        assert [request.service for request in recorder.requests] == ["sts", "s3"]


async def test_services_sections_give_endpoints(home):
    with Recorder(AwsAnswers()) as recorder:
        profiles = {
            "dev": {
                "aws_access_key_id": "AKIADEV",
                "aws_secret_access_key": "s",
                "region": "eu-west-1",
                "services": "local",
            },
            "services local": {"s3": {"endpoint_url": recorder.url}},
        }
        async with Session(profiles=profiles, profile_name="dev").client("s3") as s3:
            await s3.list_buckets()
        assert recorder.requests[0].region == "eu-west-1"

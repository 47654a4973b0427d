"""Requests of every protocol are signed again, with other keys, when theirs are refused."""

from __future__ import annotations

import io
import threading

import anyio
import pytest
from botocore.compat import HAS_CRT
from botocore.exceptions import BotoCoreError

from asession import Config, Session
from asession.exceptions import AsessionError, ClientError
from servers.guarded import GuardedServices, refusal
from servers.messages import Reply
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio

ROLE = "arn:aws:iam::123456789012:role/app"


def _cbor_text(text):
    return bytes([0x78, len(text)]) + text.encode()


def _cbor(request):
    kind = "com.amazonaws#ExpiredTokenException"
    return Reply(
        400,
        {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"},
        b"\xa1" + _cbor_text("__type") + _cbor_text(kind),
    )


def _ec2(request):
    return Reply.xml(
        "<Response><Errors><Error><Code>RequestExpired</Code><Message>m</Message></Error></Errors>"
        "<RequestID>r</RequestID></Response>",
        400,
    )


def _rest_json(request):
    code = "ExpiredTokenException"
    return Reply.json({"message": "The security token has ended"}, 403, x_amzn_ErrorType=code)


def _named(code):
    return lambda request: refusal(request, code)


def _xml(request):
    return Reply.xml(
        "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code>"
        "<Message>m</Message></Error></ErrorResponse>",
        403,
    )


TOPICS = Reply.xml("<ListTopicsResponse><ListTopicsResult/></ListTopicsResponse>")
# How each protocol words a refusal, and what it answers to keys that it takes.
PROTOCOLS = {
    "query": ("sns", "list_topics", _named("ExpiredToken"), TOPICS),
    "ec2": ("ec2", "describe_regions", _ec2, Reply.xml("<DescribeRegionsResponse/>")),
    "rest-xml": ("s3", "list_buckets", _named("ExpiredToken"), Reply.xml("<R/>")),
    "rest-xml of no S3": (
        "route53",
        "list_hosted_zones",
        _xml,
        Reply.xml("<ListHostedZonesResponse/>"),
    ),
    "rest-json": ("lambda", "list_functions", _rest_json, Reply.json({"Functions": []})),
    "json": ("dynamodb", "list_tables", _named("UnrecognizedClientException"), Reply.json({})),
    "cbor": (
        "eventbridgev2",
        "list_event_buses",
        _cbor,
        Reply(200, {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}, b"\xa0"),
    ),
}


class Refusing(Recorder):
    """Refuses the first requests; says which keys signed those that it saw."""

    def __init__(self, refuse, accept, times=1):
        super().__init__(self._answer_one)
        self._refuse, self._accept = refuse, accept
        self._left, self._guard = times, threading.Lock()

    def _answer_one(self, request):
        with self._guard:
            self._left -= 1
            refuses = self._left >= 0
        return self._refuse(request) if refuses else self._accept

    @property
    def tokens(self):
        return [request.token for request in self.requests]


def role_over(identity, secret):
    user = Session(
        endpoint_url=identity.url,
        region_name="us-east-1",
        profiles={},
        aws_access_key_id="AKIAUSER",
        aws_secret_access_key=secret,
    )
    return user.assume_role(ROLE)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_refused_request_is_signed_again_in_every_protocol(identity, random_name, protocol):
    service, operation, refuse, accept = PROTOCOLS[protocol]
    session = role_over(identity, random_name())
    with Refusing(refuse, accept) as server:
        async with session, session.client(service, endpoint_url=server.url) as client:
            await getattr(client, operation)()
    old, new = server.tokens
    assert old != new
    assert identity.count("sts:AssumeRole") == 2


@pytest.mark.skipif(not HAS_CRT, reason="SigV4a needs the awscrt package")
async def test_a_refused_request_is_signed_again_by_the_common_runtime(identity, random_name):
    session = role_over(identity, random_name())
    config = Config(signature_version="v4a")
    with Refusing(_named("ExpiredToken"), TOPICS) as server:
        async with session, session.client("sns", endpoint_url=server.url, config=config) as sns:
            await sns.list_topics()
    old, new = server.tokens
    assert old != new
    assert all("ECDSA" in request.headers["authorization"] for request in server.requests)


async def test_a_body_that_can_be_read_once_is_not_sent_again(identity, random_name):
    async def pieces():
        yield b"once"

    session = role_over(identity, random_name())
    config = Config(s3={"payload_signing_enabled": False})
    call = {"Bucket": "b", "Key": "k", "ContentLength": 4}
    with Refusing(_named("ExpiredToken"), Reply()) as server:
        async with session, session.client("s3", endpoint_url=server.url, config=config) as s3:
            with pytest.raises(ClientError, match="ExpiredToken"):
                await s3.put_object(Body=pieces(), **call)
            assert len(server.requests) == 1
            await s3.put_object(Body=pieces(), **call)  # the keys were replaced all the same
    old, new = server.tokens
    assert old != new


@pytest.mark.parametrize("kind", ["bytes", "file", "given pieces"])
async def test_a_body_that_can_be_read_again_is_sent_again_whole(identity, random_name, kind):
    body = {
        "bytes": b"again",
        "file": io.BytesIO(b"again"),
        "given pieces": io.BufferedReader(io.BytesIO(b"again")),
    }[kind]
    session = role_over(identity, random_name())
    with Refusing(_named("ExpiredToken"), Reply()) as server:
        async with session, session.client("s3", endpoint_url=server.url) as s3:
            await s3.put_object(Bucket="b", Key="k", Body=body)
    first, second = server.requests
    assert b"again" in first.body
    assert first.body == second.body


async def test_presigning_asks_for_no_other_keys(identity, random_name):
    session = role_over(identity, random_name())
    async with session, session.client("s3", config=Config(signature_version="s3v4")) as s3:
        urls = [
            await s3.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
            for _ in range(2)
        ]
    assert all("X-Amz-Security-Token" in url for url in urls)
    assert identity.count("sts:AssumeRole") == 1


@pytest.mark.parametrize("status", [400, 403])
async def test_an_answer_without_a_body_asks_no_source(identity, random_name, status):
    session = role_over(identity, random_name())
    with Refusing(lambda _request: Reply(status), Reply(), times=9) as server:
        async with session, session.client("s3", endpoint_url=server.url) as s3:
            for _ in range(3):
                with pytest.raises(ClientError, match=str(status)):
                    await s3.head_object(Bucket="b", Key="k")
    assert len(set(server.tokens)) == 1
    assert identity.count("sts:AssumeRole") == 1


async def test_an_answer_without_a_body_is_enough_to_see_a_rotated_file(home):
    def write(key):
        home.write_credentials(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = s\n")

    def answer(request):
        return Reply(200 if request.access_key == current else 403)

    current = "AKIAOLD"
    write(current)
    with Recorder(answer) as server:
        session = Session(endpoint_url=server.url, region_name="us-east-1")
        async with session, session.client("s3") as s3:
            await s3.head_object(Bucket="b", Key="k")
            current = "AKIANEW"
            write(current)
            await anyio.sleep(1.1)  # files are looked at once a second at most
            await s3.head_object(Bucket="b", Key="k")
    assert [request.access_key for request in server.requests] == ["AKIAOLD", "AKIAOLD", "AKIANEW"]


async def test_keys_that_ended_on_the_way_are_replaced_each_time(identity, random_name):
    """The moment's rest between replacements is for keys that are refused while they work."""
    identity.mint.expires_in, identity.mint.precise = 1.0, True
    session = role_over(identity, random_name())
    with GuardedServices(identity.mint) as services:
        async with session, session.client("s3", endpoint_url=services.url) as s3:
            credentials = await session.get_credentials()
            for _ in range(2):
                refused = await credentials.get_frozen_credentials()
                await anyio.sleep(1.1)
                assert await session._replace_keys(refused)
                await s3.list_buckets()
    assert services.outcomes == {"OK": 2}
    assert identity.count("sts:AssumeRole") == 3


async def test_a_closed_session_leaves_no_error_to_others_that_wait(identity, random_name):
    secret = random_name()
    leader, others = role_over(identity, secret), [role_over(identity, secret) for _ in range(5)]
    identity.delay("sts:AssumeRole", 0.3)
    taken = []

    async def lead():
        with pytest.raises(Exception, match="closed"):
            await leader.get_frozen_credentials()

    async def wait(session):
        taken.append(await session.get_frozen_credentials())

    with anyio.fail_after(20):
        async with leader, anyio.create_task_group() as group:
            group.start_soon(lead)
            while not identity.count("sts:AssumeRole"):
                await anyio.sleep(0.01)
            for session in others:
                group.start_soon(wait, session)
            await anyio.sleep(0.05)
            await leader.aclose()
    assert len(taken) == 5
    assert len(set(taken)) == 1
    assert identity.count("sts:AssumeRole") == 2


async def test_a_client_of_a_closed_session_that_takes_over_leaves_no_error_to_others(identity):
    kind = {
        "endpoint_url": identity.url,
        "region_name": "us-east-1",
        "profile_name": "app",
        "profiles": {
            "app": {"role_arn": ROLE, "source_profile": "user"},
            "user": {"aws_access_key_id": "AKIAUSER", "aws_secret_access_key": "s"},
        },
    }
    leader, closed, other = (Session(**kind) for _ in range(3))
    identity.delay("sts:AssumeRole", 0.4)
    taken, failed = [], []

    async def ask(session):
        taken.append(await session.get_frozen_credentials())

    async def ask_by_client(client):
        try:
            await client.get_caller_identity()
        except Exception as error:
            failed.append(error)

    with anyio.fail_after(20):
        async with leader, closed, other, anyio.create_task_group() as group:
            client = await closed.client("sts")
            async with anyio.create_task_group() as first:
                first.start_soon(ask, leader)
                while not identity.count("sts:AssumeRole"):
                    await anyio.sleep(0.01)
                group.start_soon(ask_by_client, client)
                await anyio.sleep(0.05)
                group.start_soon(ask, other)
                await anyio.sleep(0.05)
                await closed.aclose()
                first.cancel_scope.cancel()
    assert len(taken) == 1
    assert len(failed) == 1
    assert isinstance(failed[0], AsessionError | BotoCoreError)
    assert "closed" in str(failed[0])


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
async def test_an_answer_with_an_error_of_its_own_is_no_refusal(mode):
    # The text of a statement's failure, in an answer that is none.
    answer = {"Id": "1", "Status": "FAILED", "Error": "ExpiredToken: division by zero"}
    config = Config(retries={"mode": mode})
    session = Session("AKIA", "secret", region_name="us-east-1", environ={}, config=config)
    with Recorder(lambda _: Reply.json(answer)) as server:
        async with session.client("redshift-data", endpoint_url=server.url) as data:
            found = await data.describe_statement(Id="1")
    assert found["Error"] == answer["Error"]
    assert len(server.requests) == 1

"""What happens when a service refuses the keys, a source fails, or files change."""

from __future__ import annotations

import anyio
import pytest
from botocore.exceptions import BotoCoreError

from asession import Config, Credentials, Session
from asession.exceptions import AsessionError, ClientError
from servers.identity import IdentityServer

pytestmark = pytest.mark.anyio

ROLE = "arn:aws:iam::123456789012:role/app"


@pytest.fixture
def aws():
    with IdentityServer() as server:
        yield server


def session_at(aws, **kwargs):
    return Session(**{"region_name": "us-east-1", "endpoint_url": aws.url, **kwargs})


def role_at(aws, secret, **kwargs):
    return session_at(
        aws, profiles={}, aws_access_key_id="AKIAX", aws_secret_access_key=secret, **kwargs
    ).assume_role(ROLE)


@pytest.mark.parametrize("mode", ["legacy", "standard"])
@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId"])
async def test_refused_keys_are_replaced_and_the_request_sent_again(aws, random_name, mode, code):
    config = Config(retries={"mode": mode})
    async with role_at(aws, random_name(), config=config) as session:
        async with session.client("sts") as sts:
            await sts.get_caller_identity()
            aws.fail("sts:GetCallerIdentity", code, times=1)
            await sts.get_caller_identity()
    tokens = [call.token for call in aws.calls if call.operation == "sts:GetCallerIdentity"]
    assert len(tokens) == 3
    assert tokens[0] == tokens[1] != tokens[2]
    assert aws.count("sts:AssumeRole") == 2


async def test_keys_that_are_refused_again_are_an_error_after_one_replacement(aws, random_name):
    async with role_at(aws, random_name()) as session, session.client("sts") as sts:
        aws.fail("sts:GetCallerIdentity", "ExpiredToken")
        for _ in range(3):
            with pytest.raises(ClientError, match="ExpiredToken"):
                await sts.get_caller_identity()
    assert aws.count("sts:AssumeRole") == 2
    assert aws.count("sts:GetCallerIdentity") == 2 + 1 + 1


async def test_many_requests_refused_at_once_make_one_replacement(aws, random_name):
    async with role_at(aws, random_name()) as session, session.client("sts") as sts:
        await sts.get_caller_identity()
        aws.fail("sts:GetCallerIdentity", "ExpiredToken", times=10)
        aws.delay("sts:GetCallerIdentity", 0.05)
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(sts.get_caller_identity)
    assert aws.count("sts:AssumeRole") == 2


async def test_other_errors_replace_nothing(aws, random_name):
    async with role_at(aws, random_name()) as session, session.client("sts") as sts:
        aws.fail("sts:GetCallerIdentity", "AccessDenied", times=1)
        with pytest.raises(ClientError, match="AccessDenied"):
            await sts.get_caller_identity()
    assert aws.count("sts:AssumeRole") == 1


async def test_explicit_keys_that_are_refused_are_an_error_at_once(aws):
    session = session_at(aws, profiles={}, aws_access_key_id="A", aws_secret_access_key="b")
    aws.fail("sts:*", "InvalidClientTokenId")
    async with session.client("sts") as sts:
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            await sts.get_caller_identity()
    assert aws.count() == 1


async def test_the_answer_of_the_service_is_raised_if_the_source_fails(aws, random_name, caplog):
    async with role_at(aws, random_name()) as session, session.client("sts") as sts:
        await sts.get_caller_identity()
        aws.fail("sts:GetCallerIdentity", "ExpiredToken", times=1)
        aws.fail("sts:AssumeRole", "AccessDenied")
        with pytest.raises(ClientError, match="ExpiredToken"):
            await sts.get_caller_identity()
        await sts.get_caller_identity()  # the keys may work after all


async def test_a_rotated_credentials_file_is_read_when_its_old_keys_are_refused(aws, home):
    def write(key):
        home.write_credentials(f"[dev]\naws_access_key_id = {key}\naws_secret_access_key = s\n")

    write("AKIAOLD")
    aws.sts.static_keys = {"AKIAOLD"}
    async with session_at(aws, profile_name="dev") as session, session.client("sts") as sts:
        await sts.get_caller_identity()
        write("AKIANEW")
        aws.sts.static_keys = {"AKIANEW"}
        await sts.get_caller_identity()
        assert (await session.get_frozen_credentials()).access_key == "AKIANEW"
    assert [call.signer for call in aws.calls] == ["AKIAOLD", "AKIAOLD", "AKIANEW"]


async def test_a_rotated_token_file_is_read_at_the_next_refresh(aws, home):
    token = home.path / "token"
    token.write_text("token-one")
    profiles = {"web": {"role_arn": ROLE, "web_identity_token_file": str(token)}}
    async with session_at(aws, profiles=profiles, profile_name="web") as session:
        async with session.client("sts") as sts:
            await sts.get_caller_identity()
            token.write_text("token-two")
            aws.fail("sts:GetCallerIdentity", "ExpiredToken", times=1)
            await sts.get_caller_identity()
    roles = [call for call in aws.calls if call.operation != "sts:GetCallerIdentity"]
    sent = [call.parameters["WebIdentityToken"] for call in roles]
    assert sent == ["token-one", "token-two"]


async def test_an_instance_whose_metadata_fails_goes_on_with_ended_keys(aws, home, caplog):
    environ = {"HOME": str(home.path), "AWS_EC2_METADATA_SERVICE_ENDPOINT": aws.url}
    aws.mint.expires_in = 1.0
    aws.fail("sts:*", "Never", times=0)
    session = session_at(aws, environ=environ, profiles={})
    async with session:
        key = await session.get_frozen_credentials()
        aws.fail("imds:*", status=500)
        await anyio.sleep(1.1)
        for _ in range(5):
            assert await session.get_frozen_credentials() == key
        # Two attempts of one refresh, and then nobody asks for minutes.
        assert aws.count("imds:GetToken") <= 3


async def test_keys_given_as_a_value_end(aws):
    from datetime import UTC, datetime, timedelta

    ended = datetime.now(UTC) - timedelta(seconds=1)
    session = session_at(aws, credentials=Credentials("AKIAX", "s", expires_at=ended))
    with pytest.raises(Exception, match="have ended"):
        await session.get_frozen_credentials()


async def test_a_role_is_asked_for_with_other_keys_when_the_first_are_refused(aws, home):
    def write(key):
        home.write_credentials(f"[dev]\naws_access_key_id = {key}\naws_secret_access_key = s\n")

    write("AKIAOLD")
    aws.sts.static_keys = {"AKIAOLD"}
    async with session_at(aws, profile_name="dev") as session:
        await session.get_frozen_credentials()
        write("AKIANEW")
        aws.sts.static_keys = {"AKIANEW"}
        await session.assume_role(ROLE).get_frozen_credentials()
    assert [call.signer for call in aws.calls] == ["AKIAOLD", "AKIANEW"]


async def test_the_source_of_a_role_in_a_profile_is_asked_for_other_keys(aws, random_name):
    profiles = {
        "dev": {"aws_access_key_id": "AKIADEV", "aws_secret_access_key": random_name()},
        "first": {"role_arn": ROLE, "source_profile": "dev"},
        "last": {"role_arn": ROLE + "2", "source_profile": "first"},
    }
    async with session_at(aws, profiles=profiles, profile_name="first") as first:
        await first.get_frozen_credentials()
    aws.fail("sts:AssumeRole", "ExpiredToken", times=1)
    async with session_at(aws, profiles=profiles, profile_name="last") as last:
        await last.get_frozen_credentials()
    roles = [call.parameters["RoleArn"] for call in aws.calls]
    assert roles == [ROLE, ROLE + "2", ROLE, ROLE + "2"]


async def test_a_half_written_file_fails_no_refresh(aws, home, caplog):
    home.write_config(f"[profile app]\nrole_arn = {ROLE}\nsource_profile = dev\n")
    home.write_credentials("[dev]\naws_access_key_id = AKIADEV\naws_secret_access_key = s\n")
    async with session_at(aws, profile_name="app") as session, session.client("sts") as sts:
        await sts.get_caller_identity()
        home.write_credentials("[dev\naws_access_key")
        aws.fail("sts:GetCallerIdentity", "ExpiredToken", times=1)
        await sts.get_caller_identity()
    assert aws.count("sts:AssumeRole") == 2
    assert "are not read again" in caplog.text


async def test_closing_a_session_while_its_role_is_assumed_hurts_nobody_for_long(aws, random_name):
    session = role_at(aws, random_name())
    aws.delay("sts:AssumeRole", 0.2)
    outcomes = []

    async def ask():
        try:
            outcomes.append((await session.get_frozen_credentials()).token)
        except (AsessionError, BotoCoreError) as error:
            outcomes.append(type(error))

    with anyio.fail_after(20):
        async with session, anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(ask)
            await anyio.sleep(0.1)
            await session.aclose()
    assert len(outcomes) == 3
    assert await session.get_frozen_credentials()

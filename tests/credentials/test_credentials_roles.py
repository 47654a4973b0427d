"""Sessions with the temporary credentials that STS gives for another session's."""

from __future__ import annotations

import json
import pickle
from datetime import timedelta

import anyio
import pytest

from asession import Session
from asession.exceptions import ClientError, CredentialRetrievalError, NoCredentialsError
from servers.identity import IdentityServer, access_key_for

pytestmark = pytest.mark.anyio

ROLE = "arn:aws:iam::123456789012:role/app"
INNER = "arn:aws:iam::210987654321:role/inner"


@pytest.fixture
def aws():
    with IdentityServer() as server:
        yield server


@pytest.fixture
def parent(aws, random_name):
    """A session with keys that no other test has."""
    return Session(
        "AKIAPARENT", random_name(), region_name="us-east-1", endpoint_url=aws.url, profiles={}
    )


async def code(_serial):
    return "654321"


async def token():
    return "the-token"


async def key_of(session):
    return (await session.get_frozen_credentials()).access_key


async def test_a_role_is_assumed_when_something_is_signed_and_not_before(aws, parent):
    child = parent.assume_role(ROLE)
    assert isinstance(child, Session)
    async with child, child.client("sts") as sts:
        assert aws.count() == 0
        arn = (await sts.get_caller_identity())["Arn"]
        await sts.get_caller_identity()
    assert arn.endswith(":assumed-role/app/session")
    assert [call.operation for call in aws.calls] == [
        "sts:AssumeRole",
        "sts:GetCallerIdentity",
        "sts:GetCallerIdentity",
    ]
    assert aws.calls[0].signer == "AKIAPARENT"


async def test_all_parameters_reach_the_request(aws, parent):
    child = parent.assume_role(
        ROLE,
        RoleSessionName="me",
        DurationSeconds=timedelta(minutes=20),
        Policy={"Version": "2012-10-17", "Statement": []},
        PolicyArns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        Tags={"team": "blue"},
        TransitiveTagKeys=("team",),
        ExternalId="partner",
        SerialNumber="arn:aws:iam::123456789012:mfa/me",
        SourceIdentity="alice",
        mfa=code,
        region_name="eu-west-1",
    )
    assert child.region_name == "eu-west-1"
    await key_of(child)
    (call,) = aws.calls
    policy = call.parameters["Policy"]
    assert json.loads(policy) == {"Version": "2012-10-17", "Statement": []}
    assert {**call.parameters, "Policy": ""} == {
        "RoleArn": ROLE,
        "RoleSessionName": "me",
        "DurationSeconds": "1200",
        "Policy": "",
        "PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "Tags.member.1.Key": "team",
        "Tags.member.1.Value": "blue",
        "TransitiveTagKeys.member.1": "team",
        "ExternalId": "partner",
        "SerialNumber": "arn:aws:iam::123456789012:mfa/me",
        "SourceIdentity": "alice",
        "TokenCode": "654321",
    }


async def test_the_session_asks_for_the_code_if_the_role_has_nobody_to_ask(aws, parent):
    child = parent.replace(mfa=code).assume_role(ROLE, SerialNumber="arn:aws:iam::1:mfa/me")
    await key_of(child)
    assert aws.calls[0].parameters["TokenCode"] == "654321"


async def test_roles_chain(aws, parent):
    child = parent.assume_role(ROLE).assume_role(INNER)
    assert await key_of(child) == access_key_for(INNER)
    assert [call.signer for call in aws.calls] == ["AKIAPARENT", access_key_for(ROLE)]
    assert await child.account_id() == "210987654321"
    assert aws.count("sts:GetCallerIdentity") == 0


async def test_the_same_role_twice_is_one_call_and_another_is_another(aws, parent):
    for _ in range(2):
        await key_of(parent.assume_role(ROLE))
    assert aws.count() == 1
    for changes in ({"ExternalId": "partner"}, {"Tags": {"a": "b"}}, {"region_name": "eu-west-1"}):
        await key_of(parent.assume_role(ROLE, **changes))
    assert aws.count() == 4


async def test_a_role_is_assumed_again_before_its_credentials_end(aws, parent):
    aws.mint.expires_in = 3.0
    async with parent.assume_role(ROLE) as child, child.client("sts") as sts:
        await sts.get_caller_identity()
        await anyio.sleep(2.5)
        await sts.get_caller_identity()  # refused if signed with what has ended
    assert aws.count("sts:AssumeRole") == 2


async def test_children_travel_and_resolve_for_themselves(aws, parent):
    child = parent.assume_role(ROLE, Policy={"Statement": []}).assume_role(INNER)
    await key_of(child)
    travelled = pickle.dumps(child)
    assert b"session-token-" not in travelled
    copy = pickle.loads(travelled)
    assert repr(copy) == repr(child)
    assert await key_of(copy) == access_key_for(INNER)
    assert aws.count() == 2  # the same description is the same source


async def test_what_cannot_travel_is_named(parent):
    child = parent.assume_role(ROLE, SerialNumber="arn:mfa", mfa=lambda _serial: code(""))
    with pytest.raises(pickle.PicklingError, match="credentials="):
        pickle.dumps(child)


async def test_handlers_are_copied(aws, parent):
    seen = []

    def before(model, **_):
        seen.append(model.name)

    parent.events.register("before-call.sts", before)
    child = parent.assume_role(ROLE)
    parent.events.unregister("before-call.sts", before)
    async with child.client("sts") as sts:
        await sts.get_caller_identity()
    assert "GetCallerIdentity" in seen


async def test_web_identity_needs_no_keys(aws, home):
    file = home.path / "token"
    file.write_text("from-file\n")
    nobody = Session(
        region_name="us-east-1",
        endpoint_url=aws.url,
        profiles={},
        environ={"AWS_EC2_METADATA_DISABLED": "true"},
    )
    for given in (
        {"WebIdentityToken": "plain"},
        {"WebIdentityToken": token},
        {"web_identity_token_file": file},
    ):
        child = nobody.assume_role_with_web_identity(ROLE, **given)
        assert await key_of(child) == access_key_for(ROLE)
    sent = [call.parameters["WebIdentityToken"] for call in aws.calls]
    assert sent == ["plain", "the-token", "from-file"]
    assert {call.signer for call in aws.calls} == {None}
    with pytest.raises(ValueError, match="either WebIdentityToken="):
        nobody.assume_role_with_web_identity(ROLE)
    gone = nobody.assume_role_with_web_identity(ROLE, web_identity_token_file=home.path / "gone")
    with pytest.raises(CredentialRetrievalError, match=r"cannot read the token file .*gone"):
        await key_of(gone)
    with pytest.raises(NoCredentialsError):
        await key_of(nobody.assume_role(ROLE))


async def test_saml_needs_no_keys(aws, parent):
    provider = "arn:aws:iam::123456789012:saml-provider/corp"
    child = parent.assume_role_with_saml(ROLE, provider, "QXNzZXJ0aW9u")
    assert await key_of(child) == access_key_for(ROLE)
    (call,) = aws.calls
    assert call.signer is None
    assert call.parameters == {
        "RoleArn": ROLE,
        "PrincipalArn": provider,
        "SAMLAssertion": "QXNzZXJ0aW9u",
    }


async def test_session_and_federation_tokens(aws, parent):
    same = parent.get_session_token(SerialNumber="arn:aws:iam::1:mfa/me", mfa=code)
    assert await key_of(same) == access_key_for("AKIAPARENT")
    federated = parent.get_federation_token("alice", Tags=[{"Key": "a", "Value": "b"}])
    assert await key_of(federated) == access_key_for("alice")
    assert [call.operation for call in aws.calls] == [
        "sts:GetSessionToken",
        "sts:GetFederationToken",
    ]
    assert aws.calls[0].parameters["TokenCode"] == "654321"
    assert aws.calls[1].parameters["Tags.member.1.Value"] == "b"


async def test_a_refusal_reaches_the_caller_once_for_all(aws, parent):
    aws.fail("sts:AssumeRole", "AccessDenied")
    child = parent.assume_role(ROLE)
    for _ in range(3):
        with pytest.raises(ClientError, match="AccessDenied"):
            await key_of(child)
    assert aws.count() == 1


async def test_a_parent_with_a_profile_lends_its_settings(aws, home):
    home.write_config("[profile dev]\nregion = ap-south-1\n")
    home.write_credentials("[dev]\naws_access_key_id = AKIADEV\naws_secret_access_key = s\n")
    parent = Session(profile_name="dev", endpoint_url=aws.url)
    async with parent.assume_role(ROLE) as child:
        assert child.region_name == "ap-south-1"
        assert (await child.get_credentials()).method == "assume-role"
    assert aws.calls[0].signer == "AKIADEV"


async def test_who_one_is_is_asked_once(aws, parent):
    one = await parent.caller_identity()
    assert one == await parent.caller_identity()
    assert one.arn.endswith("user/AKIAPARENT")
    assert await parent.account_id() == one.account == "123456789012"
    assert aws.count() == 1
    role = await parent.assume_role(ROLE).caller_identity()
    assert role.arn.endswith("assumed-role/app/session")
    with IdentityServer() as elsewhere:
        await parent.replace(endpoint_url=elsewhere.url).caller_identity()
        assert elsewhere.count() == 1


async def test_many_who_ask_who_they_are_ask_once(aws, parent):
    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(parent.caller_identity)
    assert aws.count() == 1

"""The identity server answers as the tests of credentials believe."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.utils import ContainerMetadataFetcher, InstanceMetadataFetcher

from servers.identity import ACCOUNT, ECS_PATH, EKS_PATH, IdentityServer, Reply, access_key_for
from servers.sync import get, sync_client

ROLE = "arn:aws:iam::123456789012:role/reader"


@contextlib.contextmanager
def unsigned(service: str, server: IdentityServer) -> Iterator[Any]:
    client = botocore.session.Session().create_client(
        service,
        region_name="us-east-1",
        endpoint_url=server.url,
        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}),
    )
    with contextlib.closing(client):
        yield client


def imds(server: IdentityServer, **config: Any) -> dict[str, Any]:
    where = {"ec2_metadata_service_endpoint": server.url, **config}
    found: dict[str, Any] = InstanceMetadataFetcher(
        config=where, env={}
    ).retrieve_iam_role_credentials()
    return found


def test_sts_issues_keys_for_each_operation(identity: IdentityServer) -> None:
    with sync_client("sts", identity.url, "AKIDUSER") as sts:
        role = sts.assume_role(RoleArn=ROLE, RoleSessionName="me", ExternalId="external")
        session = sts.get_session_token()
        federated = sts.get_federation_token(Name="bob")
        assert sts.get_caller_identity()["Arn"].endswith(":user/AKIDUSER")
    with unsigned("sts", identity) as sts:
        web = sts.assume_role_with_web_identity(
            RoleArn=ROLE, RoleSessionName="me", WebIdentityToken="t" * 4
        )
        saml = sts.assume_role_with_saml(
            RoleArn=ROLE,
            PrincipalArn="arn:aws:iam::123456789012:saml-provider/x",
            SAMLAssertion="abcd",
        )
    assert role["AssumedRoleUser"]["Arn"].endswith("assumed-role/reader/me")
    keys = [found["Credentials"]["AccessKeyId"] for found in (role, session, federated, web, saml)]
    by_role = access_key_for(ROLE)
    assert keys == [by_role, access_key_for("AKIDUSER"), access_key_for("bob"), by_role, by_role]
    tokens = [found["Credentials"]["SessionToken"] for found in (role, web, saml)]
    assert len(set(tokens)) == 3
    assert [(call.operation, call.signer) for call in identity.calls] == [
        ("sts:AssumeRole", "AKIDUSER"),
        ("sts:GetSessionToken", "AKIDUSER"),
        ("sts:GetFederationToken", "AKIDUSER"),
        ("sts:GetCallerIdentity", "AKIDUSER"),
        ("sts:AssumeRoleWithWebIdentity", None),
        ("sts:AssumeRoleWithSAML", None),
    ]
    assert identity.calls[0].parameters["ExternalId"] == "external"


def test_sts_refuses_keys_that_have_ended_or_lack_their_token(identity: IdentityServer) -> None:
    keys = identity.mint.issue(ROLE)
    with sync_client("sts", identity.url, keys.access_key) as sts:
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            sts.get_caller_identity()
    identity.mint.now = lambda: datetime.now(UTC) + timedelta(hours=2)
    session = botocore.session.Session()
    session.set_credentials(keys.access_key, keys.secret_key, keys.token)
    client = session.create_client("sts", "us-east-1", endpoint_url=identity.url)
    with contextlib.closing(client), pytest.raises(ClientError, match="ExpiredToken"):
        client.get_caller_identity()


def test_static_keys_and_web_identity_tokens_can_be_limited(identity: IdentityServer) -> None:
    identity.sts.static_keys = {"AKIDGOOD"}
    identity.sts.identity_tokens = {"good-token"}
    for key, refused in (("AKIDGOOD", False), ("AKIDBAD", True)):
        with sync_client("sts", identity.url, key) as sts:
            with pytest.raises(ClientError) if refused else contextlib.nullcontext():
                sts.get_caller_identity()
    with unsigned("sts", identity) as sts, pytest.raises(ClientError, match="InvalidIdentity"):
        sts.assume_role_with_web_identity(
            RoleArn=ROLE, RoleSessionName="me", WebIdentityToken="bad-token"
        )


def test_instance_metadata_in_both_versions(identity: IdentityServer) -> None:
    identity.mint.expires_in = 6 * 3600
    assert imds(identity)["access_key"] == access_key_for("instance-role")
    operations = [call.operation for call in identity.calls]
    assert operations == ["imds:GetToken", "imds:GetRole", "imds:GetCredentials"]
    assert [call.token for call in identity.calls] == [None, "metadata-token-1", "metadata-token-1"]
    identity.metadata.v2 = False
    assert imds(identity)["role_name"] == "instance-role"
    identity.metadata.v1 = False
    assert imds(identity) == {}
    identity.metadata.v2, identity.metadata.role = True, None
    assert imds(identity) == {}
    assert get(f"{identity.url}/latest/api/token")[0] == 400


def test_container_endpoints_check_their_token(identity: IdentityServer) -> None:
    identity.containers.authorizations = {"pod"}
    fetcher = ContainerMetadataFetcher(sleep=lambda _seconds: None)
    found = fetcher.retrieve_full_uri(identity.url + EKS_PATH, {"Authorization": "pod"})
    assert (found["AccessKeyId"], found["AccountId"]) == (access_key_for(EKS_PATH), ACCOUNT)
    status, body = get(identity.url + ECS_PATH, {"Authorization": "other"})
    assert (status, json.loads(body)["code"]) == (401, "AccessDenied")
    assert [call.token for call in identity.calls] == ["pod", "other"]


def test_the_sso_portal_lets_in_known_tokens_and_new_ones(identity: IdentityServer) -> None:
    identity.portal.access_tokens = set()
    identity.portal.refresh_tokens = {"r0"}
    register = {"grantType": "refresh_token", "clientId": "c", "clientSecret": "s"}
    role = {"roleName": "dev", "accountId": ACCOUNT}
    with unsigned("sso-oidc", identity) as oidc, unsigned("sso", identity) as sso:
        with pytest.raises(sso.exceptions.UnauthorizedException):
            sso.get_role_credentials(**role, accessToken="old")
        new = oidc.create_token(**register, refreshToken="r0")
        with pytest.raises(oidc.exceptions.InvalidGrantException):
            oidc.create_token(**register, refreshToken="other")
        keys = sso.get_role_credentials(**role, accessToken=new["accessToken"])
    assert keys["roleCredentials"]["accessKeyId"] == access_key_for(f"{ACCOUNT}/dev")


def test_sign_in_wants_a_proof_of_possession(identity: IdentityServer) -> None:
    token = {
        "clientId": "arn:aws:signin:::devtools/same-device",
        "refreshToken": "r0",
        "grantType": "refresh_token",
    }
    with unsigned("signin", identity) as signin:
        with pytest.raises(signin.exceptions.ValidationException):
            signin.create_o_auth2_token(tokenInput=token)
        # {"typ":"dpop+jwt"}.{"htm":"POST"}.
        proof = "eyJ0eXAiOiJkcG9wK2p3dCJ9.eyJodG0iOiJQT1NUIn0.x"
        signin.meta.events.register(
            "before-call", lambda params, **_: params["headers"].update(DPoP=proof)
        )
        found = signin.create_o_auth2_token(tokenInput=token)["tokenOutput"]
        assert found["accessToken"]["accessKeyId"] == access_key_for("login")
        identity.signin.refresh_tokens = {"r1"}
        with pytest.raises(signin.exceptions.AccessDeniedException) as refused:
            signin.create_o_auth2_token(tokenInput=token)
    assert refused.value.response["error"] == "TOKEN_EXPIRED"


def test_failures_count_start_late_and_heal(identity: IdentityServer) -> None:
    identity.fail("sts:*", "Throttling", status=400, times=1, after=1)
    identity.drop("imds:GetToken")
    identity.reply("imds:GetRole", Reply(200, {}, b"other-role"), times=1)
    with sync_client("sts", identity.url) as sts:
        sts.get_caller_identity()
        with pytest.raises(ClientError, match="Throttling"):
            sts.get_caller_identity()
        sts.get_caller_identity()
    assert imds(identity) == {}  # without a token, and there is no such role
    identity.heal()
    assert imds(identity)["role_name"] == "instance-role"
    assert identity.count("sts:*") == 3
    identity.clear()
    assert identity.calls == []


def test_an_answer_can_be_late(identity: IdentityServer) -> None:
    identity.delay("imds:GetToken", 0.2)
    imds(identity)
    token, role, _ = identity.calls
    assert role.at - token.at >= 0.2


def test_it_listens_on_ipv6_too() -> None:
    with IdentityServer(host="::1", expires_in=6 * 3600) as server:
        assert server.url.startswith("http://[::1]:")
        assert imds(server)["role_name"] == "instance-role"

"""Why there are credentials, or why not: errors, explanations, and no secret in either."""

from __future__ import annotations

import json
import logging
import pickle
import traceback

import botocore.exceptions
import pytest

from asession import Credentials, Session
from asession.credentials import SOURCES, Insert
from asession.exceptions import NoCredentialsError
from servers.identity import IdentityServer, access_key_for

pytestmark = pytest.mark.anyio

ROLE = "arn:aws:iam::123456789012:role/app"
SECRETS = ("hidden-secret", "hidden-token", "hidden-password")


@pytest.fixture
def aws():
    with IdentityServer() as server:
        yield server


def lonely(home, **kwargs):
    """A session without any credentials."""
    environ = {"HOME": str(home.path), "AWS_EC2_METADATA_DISABLED": "true"}
    return Session(environ=environ, region_name="us-east-1", **kwargs)


async def test_the_error_lists_each_source_and_the_next_step(home):
    home.write_config("[profile dev]\nregion = eu-west-1\n")
    with pytest.raises(NoCredentialsError) as caught:
        await lonely(home, profile_name="dev").get_frozen_credentials()
    error = caught.value
    assert [line.partition(":")[0] for line in error.tried] == list(SOURCES)
    assert "profile_name='dev' was given" in error.tried[0]
    assert "no aws_access_key_id for the profile 'dev'" in error.tried[4]
    assert str(home.path / ".aws" / "credentials") in error.tried[4]
    assert "AWS_EC2_METADATA_DISABLED is true" in error.tried[-1]
    assert "aws configure --profile dev" in error.next_step
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


async def test_a_client_raises_the_same_error_when_it_signs(home):
    async with lonely(home) as session, session.client("sts") as sts:
        with pytest.raises(botocore.exceptions.NoCredentialsError) as caught:
            await sts.get_caller_identity()
        assert isinstance(caught.value, NoCredentialsError)
        assert len(caught.value.tried) == len(SOURCES)
        assert await session.get_credentials() is None


async def test_a_client_that_found_nothing_looks_again(aws, home):
    found = []

    async def later():
        return found[0] if found else None

    session = lonely(home, endpoint_url=aws.url, credentials=later)
    async with session.client("sts") as sts:
        with pytest.raises(NoCredentialsError, match="later: has none"):
            await sts.get_caller_identity()
        found.append(Credentials("AKIALATER", "s"))
        assert (await sts.get_caller_identity())["Arn"].endswith("AKIALATER")


async def test_unsigned_requests_need_no_credentials(aws, home):
    async with lonely(home, endpoint_url=aws.url).client("sts") as sts:
        await sts.assume_role_with_web_identity(
            RoleArn=ROLE, RoleSessionName="me", WebIdentityToken="token"
        )
    assert aws.calls[0].signer is None


async def test_an_sso_login_that_ended_says_what_to_run(home):
    home.write_config(
        "[profile sso]\nsso_start_url = https://x/start\nsso_region = us-east-1\n"
        "sso_account_id = 123456789012\nsso_role_name = reader\n"
    )
    session = lonely(home, profile_name="sso")
    with pytest.raises(Exception, match="Token for") as caught:
        await session.get_frozen_credentials()
    text = "".join(traceback.format_exception(caught.value))
    assert "aws sso login --profile sso" in text


async def test_an_explanation_has_every_setting_and_every_source(aws, home):
    home.write_config(
        f"[profile app]\nrole_arn = {ROLE}\nsource_profile = dev\nregion = eu-west-1\n"
    )
    home.write_credentials(
        "[dev]\naws_access_key_id = AKIADEVDEVDEVDEV\naws_secret_access_key = hidden-secret\n"
    )
    session = Session(profile_name="app", endpoint_url=aws.url)
    told = await session.explain()
    assert told.profile_name == "app"
    region = next(setting for setting in told.settings if setting.name == "region")
    assert region.value == "eu-west-1"
    assert region.origin == f"{home.path}/.aws/config [profile app]"
    assert [attempt.source for attempt in told.credentials] == list(SOURCES)
    outcomes = {attempt.source: attempt.outcome for attempt in told.credentials}
    assert outcomes["env"] == "skipped"
    assert outcomes["assume-role"] == "found"
    assert outcomes["sso"] == "not asked"
    assert told.method == "assume-role"
    assert aws.count() == 0
    await session.get_frozen_credentials()
    told = await session.explain()
    key = access_key_for(ROLE)
    assert told.access_key == f"{key[:4]}***{key[-4:]}"
    assert "region = eu-west-1" in str(told)
    assert "+ assume-role" in str(told)
    assert json.loads(json.dumps(told.to_dict()))["profile_name"] == "app"


async def test_an_explanation_tells_of_failures_and_of_nothing_found(home):
    told = await lonely(home).explain()
    assert told.method is None
    assert "aws configure" in told.next_step
    broken = lonely(home, profiles={"app": {"role_arn": ROLE}}, profile_name="app")
    told = await broken.explain()
    assert "source_profile or credential_source" in told.error
    assert [a.outcome for a in told.credentials if a.source == "assume-role"] == ["failed"]


async def test_explicit_keys_are_explained_without_a_look_at_any_source(aws):
    session = Session("AKIAEXPLICITKEYS", "hidden-secret", endpoint_url=aws.url)
    told = await session.explain()
    assert [str(attempt) for attempt in told.credentials] == [
        "explicit: keys were given to the Session"
    ]
    assert told.access_key == "AKIA***KEYS"


async def test_a_source_of_ones_own_takes_its_place_among_the_usual(aws, home):
    async def vault():
        return Credentials("AKIAVAULT", "s")

    async def nothing():
        return None

    environ = {"HOME": str(home.path), "AWS_EC2_METADATA_DISABLED": "true"}
    keys = {"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "s"}

    async def told(credentials, **more):
        session = Session(credentials=credentials, environ={**environ, **more})
        return (await session.explain()).credentials

    async def found(credentials, **more):
        tried = await told(credentials, **more)
        return [attempt.source for attempt in tried if attempt.outcome == "found"]

    assert await found(Insert(vault)) == ["vault"]
    assert await found(Insert(vault), **keys) == ["vault"]
    assert await found(Insert(vault, after="env"), **keys) == ["env"]
    assert await found(Insert(vault, before="iam-role")) == ["vault"]
    assert await found([Insert(nothing), Insert(vault, after="iam-role")], **keys) == ["env"]
    names = [attempt.source for attempt in await told(Insert(vault, before="sso"))]
    assert names.index("vault") == names.index("sso") - 1


def test_places_that_do_not_exist_are_refused_at_once():
    async def vault():
        return None

    with pytest.raises(ValueError, match=r"no source 'ssso'; the sources are env, assume-role"):
        Insert(vault, before="ssso")
    with pytest.raises(ValueError, match="give one of them"):
        Insert(vault, before="sso", after="env")
    with pytest.raises(ValueError, match="keeps the usual sources"):
        Session(credentials=[Insert(vault), vault])


async def test_no_secret_shows_anywhere(aws, home, caplog, capsys):
    home.write_config(f"[profile app]\nrole_arn = {ROLE}\nsource_profile = dev\n")
    home.write_credentials(
        "[dev]\naws_access_key_id = AKIADEV\naws_secret_access_key = hidden-secret\n"
        "aws_session_token = hidden-token\n"
    )
    environ = {
        "HOME": str(home.path),
        "AWS_EC2_METADATA_DISABLED": "true",
        "HTTP_PROXY": "",
        "AWS_ENDPOINT_URL_S3": "http://user:hidden-password@127.0.0.1:1/",
    }
    seen = []
    with caplog.at_level(logging.DEBUG, "asession"):
        async with Session(
            profile_name="app", region_name="us-east-1", endpoint_url=aws.url, environ=environ
        ) as session:
            seen.append(str(await session.explain()))
            credentials = await session.get_credentials()
            frozen = await session.get_frozen_credentials()
            child = session.assume_role(ROLE, Policy={"Statement": []})
            backend = session._live.entered().backend.value
            identity = await backend.identity()
            keys = await identity.get_frozen_credentials()
            seen += [
                credentials,
                frozen,
                session,
                child,
                child._options.credentials,
                identity,
                keys,
            ]
            seen += [keys.owner, identity._source, identity._source.entry, identity.chain.inputs]
            seen += [str(await child.explain()), json.dumps((await child.explain()).to_dict())]
            await child.get_frozen_credentials()
            aws.fail("sts:*", "AccessDenied")
            for broken in (
                session.assume_role(ROLE + "2"),
                session.assume_role_with_web_identity(ROLE, "hidden-token"),
                session.assume_role_with_saml(ROLE, ROLE, "hidden-token"),
            ):
                seen.append(broken)
                try:
                    await broken.get_frozen_credentials()
                except Exception as error:
                    seen += traceback.format_exception(error)
            travelled = [pickle.dumps(session), pickle.dumps(child)]
    issued = [secret for keys in aws.mint.issued for secret in (keys.secret_key, keys.token)]
    assert issued
    shown = "\n".join(map(str, [*map(repr, seen), *seen, caplog.text, *capsys.readouterr()]))
    files = [path for path in home.path.rglob("*") if path.is_file()]
    for secret in (*SECRETS, *issued):
        assert secret not in shown
        assert not [it for it in travelled if secret.encode() in it and secret in issued]
        written = [path.name for path in files if secret in path.read_text()]
        assert written == ["credentials"] * (secret in SECRETS[:2])

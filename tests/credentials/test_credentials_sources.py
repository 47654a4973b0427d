"""Each source of credentials signs the requests of a session, in botocore's order."""

import hashlib
import json
import os
import stat
import sys
import threading
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from asession import Credentials, Session
from asession.exceptions import MFARequiredError, NoCredentialsError
from servers.answers import (
    AwsAnswers,
    ContainerCredentials,
    InstanceMetadata,
    access_key_for,
)
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio

ROLE = "arn:aws:iam::123456789012:role/app"
STATIC = "[dev]\naws_access_key_id = AKIADEV\naws_secret_access_key = dev-secret\n"


@pytest.fixture
def aws():
    with Recorder(AwsAnswers()) as recorder:
        yield recorder


async def signer(session):
    """The access key that signs a request of the session."""
    async with session.client("s3") as s3:
        return (await s3.list_buckets())["Owner"]["ID"]


def session_at(aws, **kwargs):
    return Session(**{"endpoint_url": aws.url, "region_name": "us-east-1", **kwargs})


async def test_explicit_keys_sign(aws):
    session = session_at(aws, aws_access_key_id="AKIAX", aws_secret_access_key="s")
    assert await signer(session) == "AKIAX"
    assert (await session.get_credentials()).method == "explicit"


async def test_keys_of_the_environment_go_before_aws_profile_and_after_profile_name(aws, home):
    home.write_credentials(STATIC)
    environ = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "AKIAENV",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_PROFILE": "dev",
    }
    assert await signer(session_at(aws, environ=environ)) == "AKIAENV"
    assert await signer(session_at(aws, environ=environ, profile_name="dev")) == "AKIADEV"


async def test_the_credentials_file_goes_before_the_config_file(aws, home):
    home.write_config(
        "[profile dev]\naws_access_key_id = AKIACONFIG\naws_secret_access_key = s\n"
        "[profile conf]\naws_access_key_id = AKIACONF\naws_secret_access_key = s\n"
    )
    home.write_credentials(STATIC)
    assert await signer(session_at(aws, profile_name="dev")) == "AKIADEV"
    conf = session_at(aws, profile_name="conf")
    assert await signer(conf) == "AKIACONF"
    assert (await conf.get_credentials()).method == "config-file"


async def test_a_role_over_a_source_profile(aws, home):
    home.write_config(f"[profile app]\nrole_arn = {ROLE}\nsource_profile = dev\n")
    home.write_credentials(STATIC)
    session = session_at(aws, profile_name="app")
    assert await signer(session) == access_key_for(ROLE)
    (assumed,) = [request for request in aws.requests if request.action == "AssumeRole"]
    assert assumed.access_key == "AKIADEV"
    assert (await session.get_credentials()).account_id == "123456789012"


async def test_roles_chain(aws, home):
    home.write_config(
        f"[profile last]\nrole_arn = {ROLE}2\nsource_profile = first\n"
        f"[profile first]\nrole_arn = {ROLE}1\nsource_profile = dev\n"
    )
    home.write_credentials(STATIC)
    assert await signer(session_at(aws, profile_name="last")) == access_key_for(f"{ROLE}2")
    by = [request.access_key for request in aws.requests if request.action == "AssumeRole"]
    assert by == ["AKIADEV", access_key_for(f"{ROLE}1")]


async def test_a_role_over_the_environment(aws, home):
    home.write_config(f"[profile app]\nrole_arn = {ROLE}\ncredential_source = Environment\n")
    environ = {"HOME": str(home.path), "AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "s"}
    session = session_at(aws, profile_name="app", environ=environ)
    assert await signer(session) == access_key_for(ROLE)
    assert [r.access_key for r in aws.requests if r.action == "AssumeRole"] == ["AKIAENV"]


async def test_an_mfa_code_is_awaited_and_sent(aws, home):
    home.write_config(
        f"[profile app]\nrole_arn = {ROLE}\nsource_profile = dev\nmfa_serial = arn:mfa/me\n"
    )
    home.write_credentials(STATIC)
    asked = []

    async def mfa(serial):
        asked.append(serial)
        return "123456"

    session = session_at(aws, profile_name="app", mfa=mfa)
    async with session:
        assert await signer(session) == access_key_for(ROLE)
        assert await signer(session) == access_key_for(ROLE)
    assert asked == ["arn:mfa/me"]
    (assumed,) = [request for request in aws.requests if request.action == "AssumeRole"]
    assert assumed.form["TokenCode"] == "123456"
    assert assumed.form["SerialNumber"] == "arn:mfa/me"


async def test_an_mfa_code_is_asked_for_again_when_the_role_ends(home):
    home.write_config(
        f"[profile app]\nrole_arn = {ROLE}\nsource_profile = dev\nmfa_serial = arn:mfa/me\n"
    )
    home.write_credentials(STATIC)
    asked = []

    async def mfa(serial):
        asked.append(serial)
        return "123456"

    with Recorder(AwsAnswers(expires_in=2)) as aws:
        session = session_at(aws, profile_name="app", mfa=mfa)
        async with session:
            await signer(session)
            await anyio.sleep(2)
            await signer(session)
    assert len(asked) == 2


async def test_without_terminal_or_mfa_the_error_says_what_to_give(aws, home, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    home.write_config(
        f"[profile app]\nrole_arn = {ROLE}\nsource_profile = dev\nmfa_serial = arn:mfa/me\n"
    )
    home.write_credentials(STATIC)
    with pytest.raises(MFARequiredError, match=r"arn:mfa/me.*mfa="):
        await signer(session_at(aws, profile_name="app"))


async def test_a_web_identity_token_file_is_read_off_the_loop(aws, home, file_watch):
    token = home.path / "token"
    token.write_text("the-token")
    home.write_config(f"[profile web]\nrole_arn = {ROLE}\nweb_identity_token_file = {token}\n")
    session = session_at(aws, profile_name="web")
    await session.resolve()
    with file_watch:
        assert await signer(session) == access_key_for(ROLE)
    (assumed,) = [r for r in aws.requests if r.action == "AssumeRoleWithWebIdentity"]
    assert assumed.form["WebIdentityToken"] == "the-token"
    assert [event for event in file_watch.events if event.path == str(token)]
    assert not [e for e in file_watch.on_thread(threading.get_ident()) if e.path == str(token)]


async def test_web_identity_in_the_sessions_environment(aws, home, monkeypatch):
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/poison")
    token = home.path / "token"
    token.write_text("the-token")
    environ = {
        "HOME": str(home.path),
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
        "AWS_ROLE_ARN": ROLE,
    }
    assert await signer(session_at(aws, environ=environ)) == access_key_for(ROLE)


def _sso_token(home, key, **more):
    cache = home.path / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    end = datetime.now(UTC) + timedelta(hours=more.pop("hours", 8))
    content = {"accessToken": "t0", "expiresAt": end.strftime("%Y-%m-%dT%H:%M:%SZ"), **more}
    path = cache / (hashlib.sha1(key.encode()).hexdigest() + ".json")
    path.write_text(json.dumps(content))
    return path


async def test_sso_with_the_legacy_keys(aws, home, file_watch):
    home.write_config(
        "[profile sso]\nsso_start_url = https://x/start\nsso_region = us-east-1\n"
        "sso_account_id = 123456789012\nsso_role_name = reader\n"
    )
    path = _sso_token(home, "https://x/start")
    session = session_at(aws, profile_name="sso")
    await session.resolve()
    with file_watch:
        assert await signer(session) == access_key_for("123456789012/reader")
    assert [event for event in file_watch.events if event.path == str(path)]
    assert not [e for e in file_watch.on_thread(threading.get_ident()) if ".aws" in e.path]


async def test_an_sso_session_whose_token_is_refreshed_and_kept(aws, home):
    home.write_config(
        "[profile sso]\nsso_session = corp\nsso_account_id = 123456789012\n"
        "sso_role_name = reader\n"
        "[sso-session corp]\nsso_start_url = https://x/start\nsso_region = us-east-1\n"
    )
    path = _sso_token(
        home,
        "corp",
        hours=0,
        refreshToken="r0",
        clientId="c",
        clientSecret="cs",
        registrationExpiresAt="2099-01-01T00:00:00Z",
    )
    assert await signer(session_at(aws, profile_name="sso")) == access_key_for(
        "123456789012/reader"
    )
    kept = json.loads(path.read_text())
    assert kept["accessToken"].startswith("access-token-")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_credential_process_gets_the_sessions_environment(aws, home, monkeypatch):
    monkeypatch.setenv("WHO", "POISON")
    script = home.path / "keys.py"
    script.write_text(
        "import json, os\n"
        "print(json.dumps({'Version': 1, 'AccessKeyId': 'AKIA' + os.environ['WHO'],"
        " 'SecretAccessKey': 's'}))\n"
    )
    home.write_config(f"[profile proc]\ncredential_process = {sys.executable} {script}\n")
    for who in ("ONE", "TWO"):
        environ = {"HOME": str(home.path), "WHO": who}
        session = session_at(aws, profile_name="proc", environ=environ)
        assert await signer(session) == f"AKIA{who}"


async def test_a_credential_process_that_does_not_exist_is_named_without_its_arguments(aws, home):
    home.write_config("[profile proc]\ncredential_process = /no/such/program --token hidden\n")
    with pytest.raises(Exception, match="/no/such/program") as caught:
        await signer(session_at(aws, profile_name="proc"))
    assert "hidden" not in str(caught.value)


async def test_container_credentials_send_the_token_of_the_file(aws, home):
    token = home.path / "pod-token"
    token.write_text("Bearer pod")
    with Recorder(ContainerCredentials("Bearer pod")) as endpoint:
        environ = {
            "HOME": str(home.path),
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{endpoint.url}/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token),
        }
        session = session_at(aws, environ=environ)
        assert await signer(session) == access_key_for("/credentials")


async def test_instance_metadata_is_asked_where_the_environment_says(aws, home, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9/")
    with Recorder(InstanceMetadata("web-role")) as endpoint:
        environ = {
            "HOME": str(home.path),
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint.url + "/",
        }
        session = session_at(aws, environ=environ)
        assert await signer(session) == access_key_for("web-role")
        assert (await session.get_credentials()).method == "iam-role"


async def test_the_files_of_the_first_tools_are_read(aws, home):
    ec2 = home.path / "ec2.cred"
    ec2.write_text("AWSAccessKeyId=AKIAEC2\nAWSSecretKey=s\n")
    environ = {"HOME": str(home.path), "AWS_EC2_METADATA_DISABLED": "true"}
    assert (
        await signer(session_at(aws, environ={**environ, "AWS_CREDENTIAL_FILE": str(ec2)}))
        == "AKIAEC2"
    )
    (home.path / ".boto").write_text(
        "[Credentials]\naws_access_key_id = AKIABOTO\naws_secret_access_key = s\n"
    )
    assert await signer(session_at(aws, environ=environ)) == "AKIABOTO"


async def test_a_custom_provider_replaces_all_others_and_is_asked_again(aws, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    calls = []

    async def vault():
        calls.append(1)
        end = datetime.now(UTC) + timedelta(seconds=0.5 if len(calls) == 1 else 7200)
        return Credentials(f"AKIAVAULT{len(calls)}", "s", "t", expires_at=end)

    session = session_at(aws, credentials=vault)
    async with session:
        assert await signer(session) == "AKIAVAULT1"
        await anyio.sleep(0.5)
        assert [await signer(session) for _ in range(2)] == ["AKIAVAULT2"] * 2
    assert len(calls) == 2


async def test_a_list_of_sources_is_asked_in_order(aws):
    class Empty:
        async def load(self):
            return None

    session = session_at(aws, credentials=[Empty(), Credentials("AKIALIST", "s")])
    assert await signer(session) == "AKIALIST"


async def test_a_source_that_returns_nonsense_is_named(aws):
    async def broken():
        return {"aws_secret_access_key": "hidden"}

    with pytest.raises(Exception, match=r"broken.*dict") as caught:
        await signer(session_at(aws, credentials=broken))
    assert "hidden" not in str(caught.value)


async def test_role_credentials_are_kept_where_credential_cache_says(aws, home, file_watch):
    home.write_config(f"[profile app]\nrole_arn = {ROLE}\nsource_profile = dev\n")
    home.write_credentials(STATIC)
    directory = home.path / "roles"
    for _ in range(2):
        session = session_at(aws, profile_name="app", credential_cache=directory)
        with file_watch:
            assert await signer(session) == access_key_for(ROLE)
        on_loop = file_watch.on_thread(threading.get_ident())
        assert not [event for event in on_loop if str(directory) in event.path]
    (kept,) = directory.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert len([r for r in aws.requests if r.action == "AssumeRole"]) == 1


async def test_no_credentials_anywhere(home):
    session = Session(environ={"HOME": str(home.path), "AWS_EC2_METADATA_DISABLED": "true"})
    assert await session.get_credentials() is None
    with pytest.raises(NoCredentialsError):
        await session.get_frozen_credentials()


async def test_many_clients_at_once_run_a_credential_process_once(aws, home):
    log = home.path / "runs"
    script = home.path / "keys.py"
    script.write_text(
        f"open({str(log)!r}, 'a').write('x')\n"
        'print(\'{"Version": 1, "AccessKeyId": "AKIAPROC", "SecretAccessKey": "s"}\')\n'
    )
    home.write_config(f"[profile proc]\ncredential_process = {sys.executable} {script}\n")
    signed = []

    async def one(session):
        signed.append(await signer(session))

    async with session_at(aws, profile_name="proc") as session, anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(one, session)
    assert signed == ["AKIAPROC"] * 20
    assert log.read_text() == "x"


async def test_secrets_show_nowhere():
    value = Credentials("AKIAIOSFODNN7EXAMPLE", "very-secret", "very-token")
    frozen = await value.get_frozen_credentials()
    for text in (repr(value), repr(frozen), str(frozen), repr(Session(credentials=value))):
        assert "very" not in text
        assert "IOSFODNN7" not in text

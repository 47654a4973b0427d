"""Each broken set-up is told with its cause and what to do, in words and in JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha1

import pytest

ROLE = "arn:aws:iam::123456789012:role/app"


def told(asession, backend, *arguments, status=1):
    """The one finding, the same in words and in JSON."""
    words = asession("explain", *arguments, "--backend", backend)
    assert words.status == status, words
    assert "Traceback" not in words.out + words.err
    programs = asession("explain", *arguments, "--json", "--backend", backend)
    assert (programs.status, programs.err) == (status, "")
    [problem] = programs.document["problems"]
    assert words.err == f"{problem['severity']}: {problem['cause']}\n  fix: {problem['fix']}\n"
    return problem["cause"], problem["fix"]


def test_a_profile_that_is_missing(asession, backend, home):
    home.write_config("[profile production]\nregion = eu-west-1\n")
    cause, fix = told(asession, backend, "--profile", "prodution")
    assert "profile 'prodution' (from --profile) does not exist" in cause
    assert "Did you mean 'production'?" in cause
    assert str(home.path / ".aws" / "config") in cause
    assert "`asession profiles`" in fix
    assert "aws configure --profile" in fix


def test_a_profile_that_the_environment_names_and_is_missing(asession, backend, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    cause, _ = told(asession, backend)
    assert "'nowhere' (from AWS_PROFILE)" in cause


def test_a_section_that_cannot_be_parsed(asession, backend, home):
    file = home.write_config("[default]\nregion = us-east-1\n[profile dev\naws_secret = hidden\n")
    cause, fix = told(asession, backend)
    assert f"cannot parse {file}, line 3" in cause
    assert "hidden" not in cause
    assert "[profile NAME]" in fix


SSO = (
    "[profile sso]\nregion = us-east-1\nsso_session = corp\nsso_account_id = 123456789012\n"
    "sso_role_name = reader\n[sso-session corp]\nsso_start_url = https://corp/start\n"
    "sso_region = us-east-1\n"
)


def test_an_sso_login_that_has_ended(asession, backend, home, identity, monkeypatch):
    home.write_config(SSO)
    monkeypatch.setenv("AWS_ENDPOINT_URL", identity.url)
    cache = home.path / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    ended = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    token = {
        "startUrl": "https://corp/start",
        "region": "us-east-1",
        "accessToken": "hidden-token",
        "expiresAt": ended,
    }
    (cache / f"{sha1(b'corp').hexdigest()}.json").write_text(json.dumps(token))
    cause, fix = told(asession, backend, "--profile", "sso")
    assert "expired" in cause
    assert "`aws sso login --profile sso`" in fix
    assert identity.count() == 0


def test_an_sso_login_that_never_was(asession, backend, home):
    home.write_config(SSO)
    cause, fix = told(asession, backend, "--profile", "sso")
    assert "Token for corp does not exist" in cause
    assert "`aws sso login --profile sso`" in fix


def test_roles_that_go_round_in_a_circle(asession, backend, home):
    home.write_config(
        f"[profile a]\nregion = us-east-1\nrole_arn = {ROLE}\nsource_profile = b\n"
        f"[profile b]\nrole_arn = {ROLE}\nsource_profile = a\n"
    )
    cause, fix = told(asession, backend, "--profile", "a")
    assert "Infinite loop" in cause
    assert "['a', 'b']" in cause
    assert "`source_profile`" in fix


def test_a_role_over_a_profile_without_credentials(asession, backend, home):
    home.write_config(f"[profile a]\nrole_arn = {ROLE}\nsource_profile = b\n[profile b]\n")
    cause, fix = told(asession, backend, "--profile", "a")
    assert '"b" must have credentials' in cause
    assert "`source_profile`" in fix


def test_a_region_that_is_mistyped(asession, backend, keys, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-esat-1")
    cause, fix = told(asession, backend, "--offline")
    assert "no region 'us-esat-1' (from AWS_DEFAULT_REGION)" in cause
    assert "did you mean" in cause
    assert "'us-east-1'" in cause.partition("did you mean")[2]
    assert "mend AWS_DEFAULT_REGION" in fix
    told(asession, backend, status=0)  # a server answers there: strange, but it works


def test_a_region_that_can_be_none(asession, backend, keys):
    cause, _ = told(asession, backend, "--region", "us_east_1", "--offline")
    assert "'us_east_1' (from --region)" in cause
    ended = asession("whoami", "--region", "us_east_1", "--backend", backend)
    assert ended.status == 1
    assert "us_east_1" in ended.err
    assert "a region is a name such as us-east-1" in ended.err


def test_no_region(asession, backend, keys, home):
    home.write_config("[default]\n")
    cause, fix = told(asession, backend)
    assert "specify a region" in cause
    assert "--region" in fix
    assert "AWS_REGION" in fix


def test_a_file_that_cannot_be_read(asession, backend, keys, home):
    config = home.path / ".aws" / "config"
    config.unlink()
    config.symlink_to(config)  # unreadable for everybody, whatever their rights
    cause, fix = told(asession, backend, "--region", "us-east-1")
    assert f"cannot read the config file {config}: Too many levels of symbolic links" in cause
    assert f"chmod u+r {config}" in fix
    assert "AWS_CONFIG_FILE" in fix


def test_a_file_that_is_a_directory(asession, backend, keys, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path))
    cause, _ = told(asession, backend, "--region", "us-east-1")
    assert f"{tmp_path} is a directory" in cause


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("/no/such/command --password hidden", "No such file"),
        ("sh -c 'exit 3'", "failed and wrote nothing"),
        ("sh -c 'echo the vault is locked >&2; exit 3'", "the vault is locked"),
        ("echo {}", "Version"),
        ("echo no", ""),
    ],
)
def test_a_credential_process_that_fails(asession, backend, home, command, reason):
    home.write_config(f"[profile p]\nregion = us-east-1\ncredential_process = {command}\n")
    cause, fix = told(asession, backend, "--profile", "p")
    assert "custom-process" in cause
    assert reason in cause
    assert "hidden" not in cause
    assert "`credential_process` by hand" in fix


def test_no_credentials_at_all(asession, backend, home):
    home.write_config("[profile dev]\nregion = us-east-1\n")
    cause, fix = told(asession, backend, "--profile", "dev")
    assert "no source has any for the profile 'dev'" in cause
    assert "`aws configure --profile dev`" in fix


def test_half_a_pair_of_keys(asession, backend, home):
    home.write_credentials("[default]\naws_access_key_id = AKIADEFAULTDEFAULT\n")
    cause, fix = told(asession, backend)
    assert "missing: aws_secret_access_key" in cause
    assert "both" in fix


def test_keys_in_the_environment_that_hide_a_profile(asession, backend, keys, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "default")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden-secret")
    cause, fix = told(asession, backend, status=0)
    assert "AWS_ACCESS_KEY_ID are used, not those of the profile 'default'" in cause
    assert "unset AWS_ACCESS_KEY_ID" in fix
    assert "--profile default" in fix
    assert asession("explain", "--profile", "default").err == ""


def test_two_variables_that_differ(asession, backend, keys, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    cause, fix = told(asession, backend, status=0)
    assert "AWS_DEFAULT_REGION is 'eu-west-1' and AWS_REGION is 'us-east-1'" in cause
    assert "unset one" in fix


def test_an_endpoint_where_nobody_answers(asession, backend, keys, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
    cause, fix = told(asession, backend)
    assert "http://127.0.0.1:1" in cause
    assert "unset AWS_ENDPOINT_URL_STS" in fix


def test_an_endpoint_that_is_no_url(asession, backend, keys, home):
    cause, fix = told(asession, backend, "--endpoint-url", "localhost:4566")
    assert "Invalid endpoint: localhost:4566" in cause
    assert "http://127.0.0.1:4566" in fix
    assert "--endpoint-url" in fix


def test_a_setting_that_cannot_be_used(asession, backend, keys, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "many")
    cause, fix = told(asession, backend)
    assert "'many' (from AWS_MAX_ATTEMPTS)" in cause
    assert "'max_attempts'" in fix


@pytest.mark.parametrize(
    ("code", "step"),
    [
        ("InvalidClientTokenId", "does not know this access key"),
        ("SignatureDoesNotMatch", "clock"),
        ("AccessDenied", "may not do this"),
        ("Surprise", "what the service says"),
    ],
)
def test_keys_that_aws_refuses(asession, backend, keys, code, step):
    keys.fail("sts:*", code)
    cause, fix = told(asession, backend)
    assert code in cause
    assert step in fix

"""Role credentials in files: the AWS CLI's, or a directory of one's own."""

from __future__ import annotations

import hashlib
import json
import stat

import pytest

from asession import Session
from asession._aws import local_providers
from asession.credentials.cache import PROCESS_CACHE
from servers.identity import access_key_for

pytestmark = pytest.mark.anyio

ROLE = "arn:aws:iam::123456789012:role/app"


@pytest.fixture
def app(home):
    """A profile whose keys assume a role."""
    home.write_config(f"[profile app]\nrole_arn = {ROLE}\nsource_profile = dev\n")
    home.write_credentials("[dev]\naws_access_key_id = AKIADEV\naws_secret_access_key = s\n")


def session_at(identity, **kwargs):
    given = {"profile_name": "app", "region_name": "us-east-1", "endpoint_url": identity.url}
    return Session(**{**given, **kwargs})


async def key_of(session):
    """What another process would get: this one has forgotten what it knew."""
    PROCESS_CACHE.clear()
    return (await session.get_frozen_credentials()).access_key


async def test_the_files_of_the_aws_cli_are_read_and_written(app, identity, home):
    assert await key_of(session_at(identity, credential_cache="cli")) == access_key_for(ROLE)
    (kept,) = (home.path / ".aws/cli/cache").iterdir()
    # botocore's name: a digest of the parameters of the role.
    name = hashlib.sha1(json.dumps({"RoleArn": ROLE}, sort_keys=True).encode()).hexdigest()
    assert kept.name == f"{name}.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text())["Credentials"]["AccessKeyId"] == access_key_for(ROLE)
    content = json.loads(kept.read_text())
    content["Credentials"]["AccessKeyId"] = "ASIAFROMTHECLI"
    kept.write_text(json.dumps(content))
    assert await key_of(session_at(identity, credential_cache="cli")) == "ASIAFROMTHECLI"
    assert identity.count() == 1


async def test_no_other_file_is_read(app, identity, home, file_watch):
    directory = home.path / "roles"
    session = session_at(identity, credential_cache=directory)
    await key_of(session)
    (own,) = directory.iterdir()
    for number in range(5):
        (directory / f"{number}.json").write_text(own.read_text())
    with file_watch:
        await key_of(session)
    read = {event.path for event in file_watch.events if event.path.startswith(str(directory))}
    assert read == {str(own)}
    assert identity.count() == 1


async def test_tenants_never_share_a_file_in_a_directory(identity, home):
    def tenant(name):
        profiles = {
            "dev": {"aws_access_key_id": f"AKIA{name}", "aws_secret_access_key": "s"},
            "app": {"role_arn": ROLE, "source_profile": "dev"},
        }
        return session_at(identity, profiles=profiles, credential_cache=home.path / "roles")

    for name in ("ONE", "TWO", "ONE"):
        await key_of(tenant(name))
    assert [call.signer for call in identity.calls] == ["AKIAONE", "AKIATWO"]
    assert len(list((home.path / "roles").iterdir())) == 2
    for name in ("ONE", "TWO"):
        session = tenant(name).replace(credential_cache="cli", environ={"HOME": str(home.path)})
        await key_of(session)
    assert len(list((home.path / ".aws/cli/cache").iterdir())) == 2


async def test_refused_credentials_are_not_taken_from_the_file_again(app, identity, home):
    session = session_at(identity, credential_cache=home.path / "roles")
    async with session, session.client("sts") as sts:
        await sts.get_caller_identity()
        identity.fail("sts:GetCallerIdentity", "ExpiredToken", times=1)
        await sts.get_caller_identity()
    assert identity.count("sts:AssumeRole") == 2


async def test_in_memory_nothing_is_written(app, identity, home):
    before = sorted(home.path.rglob("*"))
    await key_of(session_at(identity))
    assert sorted(home.path.rglob("*")) == before


async def test_a_process_that_does_not_end_is_stopped_and_named(identity, home, monkeypatch):
    monkeypatch.setattr(local_providers, "_PROCESS_SECONDS", 0.2)
    profiles = {"app": {"credential_process": "sleep 600"}}
    with pytest.raises(Exception, match=r"'sleep' does not end within"):
        await key_of(session_at(identity, profiles=profiles))


async def test_what_a_process_prints_stays_out_of_the_error(identity, home):
    script = home.path / "keys.sh"
    script.write_text('#!/bin/sh\necho \'{"SecretAccessKey": "hidden"\'\n')
    script.chmod(0o755)
    profiles = {"app": {"credential_process": str(script)}}
    with pytest.raises(Exception, match="no JSON") as caught:
        await key_of(session_at(identity, profiles=profiles))
    assert "hidden" not in repr(vars(caught.value))
    assert caught.value.__cause__ is None
    assert "hidden" not in str(vars(caught.value))

"""An explanation of a session: never late, never without lines, never with a secret."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from string import ascii_letters, digits

import anyio
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.httpxsession import HttpxSession
from aiobotocore.session import get_session
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asession import Credentials, Session
from asession._aws.config import Config
from asession._explain import examine
from asession._settings.advice import advice_for
from asession.credentials import Explanation, Finding, Setting
from asession.exceptions import ConfigParseError, ProfileNotFoundError
from setups import SETUPS
from setups.making import GOOD, REGION, ROLE, Broken

pytestmark = pytest.mark.anyio

HEALTHY = Broken(name="healthy", cause=(), fix=())


async def test_a_healthy_session_has_no_findings_and_a_caller(stage):
    staged = stage(HEALTHY)
    told = await staged.session().explain(check=True)
    assert (told.ok, told.error, told.next_step, list(told.findings)) == (True, "", "", [])
    assert told.caller is not None
    assert told.caller.arn in str(told)
    assert told.access_key == "AKIA***ULT1"
    assert pickle.loads(pickle.dumps(told)) == told


async def test_without_a_check_nobody_is_asked(stage):
    setup = Broken(
        name="role",
        config=f"{REGION}[profile a]\nrole_arn = {ROLE}\nsource_profile = default\n",
        profile="a",
        cause=(),
        fix=(),
    )
    staged = stage(setup)
    told = await staged.session().explain()
    assert (told.method, told.caller, told.ok) == ("assume-role", None, True)
    assert staged.server.count() == 0


async def test_settings_and_endpoints_have_their_lines(stage):
    setup = Broken(
        name="lines",
        config="# mine\n[default]\nregion = us-east-1\ns3 =\n  addressing_style = path\n"
        "services = here\n\n[services here]\ns3 =\n  endpoint_url = http://127.0.0.1:1\n",
        environ={"AWS_ENDPOINT_URL": "", "AWS_MAX_ATTEMPTS": "2"},
        cause=(),
        fix=(),
    )
    staged = stage(setup)
    told = await staged.session().explain()
    config = staged.fill("{home}/.aws/config")
    found = {it.name: it for it in (*told.settings, *told.endpoints)}
    assert found["region"] == Setting("region", "us-east-1", f"{config} [default]", 3)
    assert found["s3.addressing_style"].line == 5
    assert found["max_attempts"].line is None
    where = f"{config} [services here]"
    assert found["endpoint_url.s3"] == Setting("endpoint_url.s3", "http://127.0.0.1:1", where, 10)


async def test_the_environment_goes_before_endpoints_of_files(stage):
    setup = Broken(
        name="order",
        config=f"{REGION}endpoint_url = http://127.0.0.1:1\nservices = here\n[services here]\n"
        "sts =\n  endpoint_url = http://127.0.0.1:2\n",
        cause=(),
        fix=(),
    )
    staged = stage(setup)
    told = await staged.session().explain(check=True)
    assert [(it.name, it.origin) for it in told.endpoints] == [("endpoint_url", "AWS_ENDPOINT_URL")]
    assert told.caller is not None  # so it is for clients


async def test_a_source_that_never_answers_does_not_hold_up_an_explanation(monkeypatch):
    async def never():
        await anyio.sleep_forever()

    monkeypatch.setattr(examine, "_SOURCES_SECONDS", 0.05)
    session = Session(credentials=never, environ={}, profiles={}, region_name="us-east-1")
    told = await session.explain(check=True)
    assert "never did not answer in time" in told.error
    assert [it.outcome for it in told.credentials] == ["failed"]


async def test_a_service_that_never_answers_does_not_hold_up_an_explanation(stage, monkeypatch):
    monkeypatch.setattr(examine, "_CALLER_SECONDS", 0.05)
    staged = stage(HEALTHY)
    staged.server.delay("sts:*", 2)
    told = await staged.session().explain(check=True)
    assert "did not answer in time" in told.error
    assert "network" in told.next_step


async def test_cancelling_an_explanation_cancels_it_and_the_session_goes_on(stage):
    staged = stage(HEALTHY)
    staged.server.delay("sts:*", 2)
    async with staged.session() as session:
        with anyio.move_on_after(0.05) as scope:
            await session.explain(check=True)
        assert scope.cancelled_caught
        staged.server.heal()
        assert (await session.explain(check=True)).ok


async def test_an_entered_session_and_many_tasks_get_the_same(stage):
    staged = stage(HEALTHY)
    told: list[Explanation] = []

    async def explain(session):
        told.append(await session.explain(check=True))

    async with staged.session() as session, anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(explain, session)
    assert len(set(map(str, told))) == 1
    assert staged.server.count("sts:GetCallerIdentity") == 1


async def test_sources_of_ones_own_are_explained_with_what_they_raise():
    async def vault():
        raise RuntimeError("the vault is locked")

    session = Session(credentials=vault, environ={}, profiles={}, region_name="us-east-1")
    told = await session.explain()
    assert told.error == "the source of credentials vault raised RuntimeError: the vault is locked"
    assert "credentials=" in told.next_step
    good = Session(credentials=Credentials("AKIA", "s"), environ={}, profiles={})
    assert (await good.explain()).method is not None


async def test_a_session_of_aiobotocore_is_explained_as_far_as_it_goes(stage):
    stage(HEALTHY)
    aio = get_session()
    aio.set_default_client_config(AioConfig(http_session_cls=HttpxSession))
    told = await Session(botocore_session=aio).explain(check=True)
    assert (told.ok, told.method) == (True, "botocore_session")
    assert told.caller is not None
    missing = Session(botocore_session=get_session(), profile_name="nowhere")
    told = await missing.explain(check=True)
    assert not told.ok
    assert "unexpected" not in told.error


async def test_errors_in_ordinary_use_carry_the_same_advice(stage):
    staged = stage(HEALTHY)
    with pytest.raises(ProfileNotFoundError) as missing:
        await Session(profile_name="nowhere").resolve()
    told = await Session(profile_name="nowhere").explain()
    assert missing.value.__notes__ == [told.next_step]
    assert pickle.loads(pickle.dumps(missing.value)).__notes__ == [told.next_step]
    (staged.home / ".aws" / "config").write_text("[default\n")
    with pytest.raises(ConfigParseError) as broken:
        await Session().resolve()
    assert broken.value.__notes__ == [(await Session().explain()).next_step]
    (staged.home / ".aws" / "config").write_text("[default]\n")
    with pytest.raises(Exception, match="specify a region") as nowhere:
        async with Session().client("sqs"):
            pass
    told = await Session().explain(check=True)
    assert nowhere.value.__notes__ == [told.next_step] == [advice_for(nowhere.value, "default")]


async def test_one_file_is_explained_though_the_other_cannot_be_parsed(stage):
    setup = Broken(name="half", credentials="[default\n", config=f"{REGION}", cause=(), fix=())
    staged = stage(setup)
    told = await staged.session().explain()
    assert "cannot parse" in told.error
    assert [(it.name, it.line) for it in told.settings if it.name == "region"] == [("region", 2)]
    assert staged.fill("{home}/.aws/credentials (broken: line 1)") in told.files
    (staged.home / ".aws" / "config").write_text("broken\n")
    told = await staged.session().explain()
    assert [file.endswith("line 1)") for file in told.files] == [True, True]


async def test_an_argument_gives_a_region_that_is_told_as_wrong():
    session = Session("AKIAEXPLICITKEYS", "s", region_name="us-east-1b", environ={}, profiles={})
    [finding] = (await session.explain()).findings
    assert finding.where == "region_name="
    assert "availability zone of 'us-east-1'" in finding.cause


def test_a_finding_is_readable():
    text = str(Finding("error", "it is broken", "mend it", "AWS_REGION"))
    assert text == "error: it is broken\n  where: AWS_REGION\n  fix: mend it"


SECRETS = st.text(f"{ascii_letters}{digits}+/=", min_size=12, max_size=40).filter(
    lambda text: any(it in text for it in "+/=0123456789") and "//" not in text
)
PLACES = {
    "a key": ("", "[default]\naws_access_key_id = AKIA\naws_secret_access_key = {}\n", {}),
    "a misspelt key": ("", "[default]\naws_secret_key = {}\naws_secrt_acess_key = {}\n", {}),
    "a quoted key": ("", '[default]\naws_access_key_id = A\naws_secret_access_key = "{}"\n', {}),
    "the wrong key": ("", "[default]\naws_access_key_id = {}\naws_secret_access_key = A\n", {}),
    "a token": ("", f"{GOOD}aws_session_token = {{}}\n", {}),
    "a broken line": ("[default]\naws_secret_access_key {}\n", GOOD, {}),
    "a process": ("[default]\ncredential_process = sh -c 'echo $0 >&2; exit 1' {}\n", "", {}),
    "an option of a process": ("[default]\ncredential_process = /no --password={}\n", "", {}),
    "the output of a process": ("[default]\ncredential_process = echo {}\n", "", {}),
    "the environment": (
        "",
        "",
        {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": " {}"},
    ),
    "no endpoint": (REGION, GOOD, {"AWS_ENDPOINT_URL_STS": "me:{}@127.0.0.1"}),
    "a container token": (
        REGION,
        "",
        {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://10.0.0.1/",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "{}",
        },
    ),
}


@pytest.mark.parametrize("place", PLACES)
@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(secret=SECRETS, trio=st.booleans())
def test_a_secret_shows_nowhere_wherever_it_stands(place, home, secret, trio):
    config, credentials, environ = PLACES[place]
    home.write_config(config.replace("{}", secret))
    home.write_credentials(credentials.replace("{}", secret))
    variables = {
        "HOME": str(home.path),
        "PATH": os.environ["PATH"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        **{name: value.replace("{}", secret) for name, value in environ.items()},
    }
    fast = Config(retries={"total_max_attempts": 1})

    async def explain():
        return await Session(environ=variables, config=fast).explain(check=True)

    told = anyio.run(explain, backend="trio" if trio else "asyncio")
    assert told.findings
    shown = f"{told}\n{told!r}\n{json.dumps(told.to_dict())}"
    assert secret not in shown


def test_the_set_ups_are_not_of_this_machine():
    assert not [it.name for it in SETUPS if str(Path.home()) in repr(it)]


@pytest.mark.parametrize(
    "bundle", ["-----BEGIN CERTIFICATE-----\n" + "A" * 5000, "/nowhere/\0bundle", "/nowhere/bundle"]
)
async def test_a_bundle_that_is_no_path_is_told_of_and_cut(bundle, tmp_path):
    environ = {"AWS_CA_BUNDLE": bundle, "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)}
    told = await Session(environ=environ).explain()
    [finding] = [it for it in told.findings if "CA bundle" in it.cause]
    assert "AWS_CA_BUNDLE" in finding.cause
    assert len(finding.cause) < 250


@pytest.mark.parametrize("command", ["", "   ", '"/bin/keys'])
async def test_a_command_that_is_none_is_told_of_as_one(command, tmp_path):
    session = Session(
        profiles={"default": {"credential_process": command, "region": "us-east-1"}},
        environ={"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)},
    )
    told = await session.explain(check=True)
    assert "a quotation mark in it is not closed" in told.error
    assert "credential_process" in told.next_step


async def test_an_endpoint_without_a_value_is_none(tmp_path):
    told = await Session(
        profiles={"default": {"endpoint_url": "", "region": "us-east-1"}},
        environ={"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)},
    ).explain()
    assert told.endpoints == ()

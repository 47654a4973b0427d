"""Every configuration variable has botocore's value, and says where it came from."""

import os

import botocore.session
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asession import Session
from asession._aws.variables import SECTIONS, VARIABLES
from asession._options import SessionOptions
from asession._profiles.snapshot import ProfileSnapshot
from asession._settings.profile import select_profile
from asession._settings.settings import Argument, Settings
from asession.exceptions import InvalidSettingError, ProfileNotFoundError

ENVIRONMENT = sorted({name for variable in VARIABLES.values() for name in variable.environ})
# The files and the profile are chosen by the test; AWS_REGION is not botocore's.
CHOSEN = {
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_REGION",
}
FREE = [name for name in ENVIRONMENT if name not in CHOSEN]
TEXT = st.sampled_from(["", "true", "false", "1", "0", "7", "x", "eu-west-1", "auto"])
KEYS = sorted(
    {key for variable in VARIABLES.values() for key in variable.keys if isinstance(key, str)}
)


def resolved(environ, profiles, profile_name=None, **arguments):
    snapshot = ProfileSnapshot.from_mapping(profiles)
    profile = select_profile(snapshot, environ, profile_name, has_keys=False)
    return Settings(
        VARIABLES,
        arguments={name: Argument(f"{name}=", value) for name, value in arguments.items()},
        environ=environ,
        profile=profile,
        snapshot=snapshot,
    )


def outcome(get):
    try:
        return "value", get()
    except (ValueError, TypeError):
        return "error", None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    environ=st.dictionaries(st.sampled_from(FREE), TEXT, max_size=8),
    values=st.dictionaries(st.sampled_from(KEYS), TEXT, max_size=8),
    s3=st.dictionaries(st.sampled_from(sorted(SECTIONS["s3"])), TEXT, max_size=3),
    chosen=st.sampled_from([None, "default", "dev"]),
)
def test_every_variable_resolves_as_botocore_does(environ, values, s3, chosen):
    profile = {**values, **({"s3": s3} if s3 else {})}
    profiles = {chosen or "default": profile}
    ours = resolved(environ, profiles, chosen)
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name in ENVIRONMENT:
                patch.delenv(name)
        for name, value in environ.items():
            patch.setenv(name, value)
        theirs = botocore.session.Session(profile=chosen)
        theirs._config = {"profiles": profiles}
        for name in VARIABLES:
            section, _, key = name.rpartition(".")
            if name in ("profile", "config_file", "credentials_file"):
                continue
            if section:
                provider = theirs.get_component("config_store").get_config_provider(section)
                expected = outcome(provider._override_providers[key].provide)
            else:
                expected = outcome(lambda name=name: theirs.get_config_variable(name))
            assert outcome(lambda name=name: ours[name].value) == expected, name


def test_every_step_of_the_precedence_names_its_origin():
    profiles = {"default": {"region": "file-1", "s3": {"addressing_style": "path"}}}
    assert str(resolved({}, {})["region"].origin) == "default"
    from_file = resolved({}, profiles)
    assert from_file["region"].value == "file-1"
    assert "default" in str(from_file["region"].origin)
    assert from_file["region"].origin.kind == "file"
    assert from_file["s3.addressing_style"].origin.kind == "file"
    fallback = resolved({"AWS_REGION": "fallback-1"}, profiles)["region"]
    assert (fallback.value, str(fallback.origin)) == ("fallback-1", "AWS_REGION")
    both = resolved({"AWS_REGION": "fallback-1", "AWS_DEFAULT_REGION": "env-1"}, profiles)
    assert (both["region"].value, str(both["region"].origin)) == ("env-1", "AWS_DEFAULT_REGION")
    argument = resolved({"AWS_DEFAULT_REGION": "env-1"}, profiles, region="arg-1")["region"]
    assert (argument.value, argument.origin.kind) == ("arg-1", "argument")


def test_a_value_that_cannot_be_converted_is_named_with_its_origin():
    broken = resolved({"AWS_MAX_ATTEMPTS": "many"}, {})
    with pytest.raises(InvalidSettingError, match=r"max_attempts.*'many'.*AWS_MAX_ATTEMPTS"):
        broken["max_attempts"]
    assert broken["region"].value is None


def test_a_missing_profile_names_the_nearest_and_what_was_searched():
    with pytest.raises(ProfileNotFoundError) as caught:
        resolved({"AWS_PROFILE": "prodution"}, {"production": {}, "dev": {}})
    error = caught.value
    assert error.origin == "AWS_PROFILE"
    assert "'production'" in str(error)
    assert "dev" in str(error)
    assert isinstance(error, botocore.exceptions.ProfileNotFound)


@pytest.mark.anyio
async def test_entering_with_a_missing_profile_says_what_was_searched(home):
    home.write_config("[production]\nregion = x\n[profile dev]\nregion = eu-west-1\n")
    with pytest.raises(ProfileNotFoundError) as caught:
        async with Session(profile_name="production"):
            pass
    text = str(caught.value)
    assert str(home.path / ".aws" / "config") in text
    assert str(home.path / ".aws" / "credentials") in text
    assert "[profile production]" in text
    with pytest.raises(ProfileNotFoundError, match="'dev'"):
        await Session(profile_name="dve").resolve()


@pytest.mark.anyio
async def test_explicit_keys_forgive_a_profile_that_the_environment_invents(
    home, monkeypatch, caplog
):
    monkeypatch.setenv("AWS_PROFILE", "gone")
    session = Session("AKIAX", "s", region_name="us-east-1")
    async with session:
        assert session.profile_name == "gone"
    async with session:
        pass
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "gone" in warnings[0].getMessage()
    with pytest.raises(ProfileNotFoundError):
        await Session("AKIAX", "s", profile_name="gone").resolve()


@pytest.mark.anyio
async def test_no_profile_and_no_default_is_an_empty_configuration(home):
    async with Session() as session:
        assert session.profile_name == "default"
        assert session.region_name is None
        assert session.available_profiles == []


def test_options_are_checked_when_the_session_is_made():
    with pytest.raises(ValueError, match="profiles="):
        SessionOptions(profiles={}, config_file="x")

"""Both files as one value: merged, immutable, and aware of where each key came from."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from asession._profiles.parse import parse_ini
from asession._profiles.snapshot import EMPTY, FileState, ProfileSnapshot

CONFIG = """
[default]
region = eu-west-1
[profile dev]
region = eu-west-2
aws_access_key_id = from-config
s3 =
  addressing_style = path
  max_concurrent_requests = 3
[profile "my dev"]
region = eu-west-3
[sso-session corp]
sso_region = eu-north-1
[services local]
s3 =
  endpoint_url = http://127.0.0.1:1
[ops]
region = nowhere
"""
CREDENTIALS = """
[only]
aws_access_key_id = only-here
[dev]
aws_access_key_id = from-credentials
s3 =
  addressing_style = virtual
[profile wrong]
aws_access_key_id = misplaced
"""
FILES = (
    FileState("/x/config", "config", "read"),
    FileState("/x/credentials", "credentials", "read"),
)


@pytest.fixture
def snapshot() -> ProfileSnapshot:
    config = parse_ini(CONFIG.encode(), "/x/config")
    credentials = parse_ini(CREDENTIALS.encode(), "/x/credentials")
    return ProfileSnapshot.from_files(config, credentials, FILES)


def test_credentials_win_key_by_key_and_replace_nested_sections_whole(
    snapshot: ProfileSnapshot,
) -> None:
    assert snapshot.profiles["dev"] == {
        "region": "eu-west-2",
        "aws_access_key_id": "from-credentials",
        "s3": {"addressing_style": "virtual"},
    }
    assert snapshot.config["profiles"]["dev"]["aws_access_key_id"] == "from-config"


def test_profiles_of_the_config_file_come_first(snapshot: ProfileSnapshot) -> None:
    assert snapshot.available_profiles == ("default", "dev", "my dev", "only", "profile wrong")


@pytest.mark.parametrize(
    ("profile", "key", "origin"),
    [
        ("default", "region", "/x/config [default]"),
        ("dev", "region", "/x/config [profile dev]"),
        ("my dev", "region", '/x/config [profile "my dev"]'),
        ("dev", "aws_access_key_id", "/x/credentials [dev]"),
        ("only", "aws_access_key_id", "/x/credentials [only]"),
        ("dev", "s3", "/x/credentials [dev]"),
        ("dev", ("s3", "addressing_style"), "/x/credentials [dev]"),
        ("dev", ("s3", "max_concurrent_requests"), None),
        ("dev", ("region", "eu-west-2"), None),
        ("dev", "output", None),
        ("nobody", "region", None),
    ],
)
def test_each_value_knows_its_file_and_section(
    snapshot: ProfileSnapshot, profile: str, key: str | tuple[str, str], origin: str | None
) -> None:
    assert snapshot.origin_of(profile, key) == origin


def test_a_key_of_a_nested_section_of_the_config_file_has_an_origin() -> None:
    config = parse_ini(b"[profile a]\ns3 =\n  x = 1\n", "p")
    snapshot = ProfileSnapshot.from_files(config, None, FILES)
    assert snapshot.origin_of("a", ("s3", "x")) == "/x/config [profile a]"


def test_of_two_headings_for_one_profile_the_last_one_is_the_origin() -> None:
    config = parse_ini(b"[profile a]\nk = 1\n[profile 'a']\nk = 2\n", "p")
    snapshot = ProfileSnapshot.from_files(config, None, FILES)
    assert snapshot.profiles == {"a": {"k": "2"}}
    assert snapshot.origin_of("a", "k") == "/x/config [profile 'a']"


def test_nothing_of_a_snapshot_can_be_changed(snapshot: ProfileSnapshot) -> None:
    mappings: list[Any] = [
        snapshot.config,
        snapshot.config["profiles"],
        snapshot.config["services"]["local"]["s3"],
        snapshot.credentials["dev"],
        snapshot.profiles,
        snapshot.profiles["dev"]["s3"],
    ]
    for mapping in mappings:
        with pytest.raises(TypeError):
            mapping["new"] = "value"
    with pytest.raises(dataclasses.FrozenInstanceError):
        snapshot.profiles = {}  # type: ignore[misc]


def test_copies_for_botocore_are_private_down_to_the_nested_sections(
    snapshot: ProfileSnapshot,
) -> None:
    first = [snapshot.full_config(), snapshot.config_only(), snapshot.credentials_only()]
    first[0]["profiles"]["dev"]["s3"]["addressing_style"] = "changed"
    first[1]["profiles"]["dev"]["s3"]["addressing_style"] = "changed"
    first[2]["dev"]["s3"]["addressing_style"] = "changed"
    assert snapshot.full_config()["profiles"]["dev"]["s3"]["addressing_style"] == "virtual"
    assert snapshot.config_only()["profiles"]["dev"]["s3"]["addressing_style"] == "path"
    assert snapshot.credentials_only()["dev"]["s3"]["addressing_style"] == "virtual"


def test_snapshots_are_equal_and_hashed_by_identity(snapshot: ProfileSnapshot) -> None:
    twin = dataclasses.replace(snapshot)
    assert twin.profiles == snapshot.profiles
    assert len({snapshot, twin, snapshot}) == 2


def test_the_repr_tells_the_files_and_no_values(snapshot: ProfileSnapshot) -> None:
    expected = "/x/config (read); /x/credentials (read)"
    assert repr(snapshot) == f"<ProfileSnapshot of 5 profiles from {expected}>"


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (FileState("/x/config", "config", "missing"), "/x/config (missing)"),
        (
            FileState("/x/config", "config", "unreadable", "Permission denied"),
            "/x/config (unreadable: Permission denied)",
        ),
        (FileState("", "config", "missing"), "'' (missing)"),
    ],
)
def test_the_state_of_a_file_is_told_in_a_few_words(state: FileState, text: str) -> None:
    assert state.describe() == text


def test_a_heading_without_the_word_profile_in_the_config_file_gives_a_hint(
    snapshot: ProfileSnapshot,
) -> None:
    hint = snapshot.hint_for("ops")
    assert hint == "/x/config has a section [ops], which in this file must be [profile ops]"


def test_a_heading_with_the_word_profile_in_the_credentials_file_gives_a_hint(
    snapshot: ProfileSnapshot,
) -> None:
    hint = snapshot.hint_for("wrong")
    assert (
        hint == "/x/credentials has a section [profile wrong], which in this file must be [wrong]"
    )


@pytest.mark.parametrize("profile", ["nobody", "profiles", "sso_sessions", "corp"])
def test_other_missing_profiles_give_no_hint(snapshot: ProfileSnapshot, profile: str) -> None:
    assert snapshot.hint_for(profile) == ""


def test_a_mapping_stands_for_a_config_file() -> None:
    snapshot = ProfileSnapshot.from_mapping(
        {
            "dev": {"Region": "eu-west-1", "s3": {"max_concurrent_requests": 3}},
            "flags": {"use_fips_endpoint": True, "parameter_validation": False, "x": 1.5},
            "sso-session corp": {"sso_region": "eu-north-1"},
            "services 'my local'": {"s3": {"endpoint_url": "http://127.0.0.1:1"}},
            "services": {"region": "a profile of that name"},
        }
    )
    assert snapshot.profiles == {
        "dev": {"region": "eu-west-1", "s3": {"max_concurrent_requests": "3"}},
        "flags": {"use_fips_endpoint": "true", "parameter_validation": "false", "x": "1.5"},
        "services": {"region": "a profile of that name"},
    }
    assert snapshot.config["sso_sessions"] == {"corp": {"sso_region": "eu-north-1"}}
    assert snapshot.config["services"] == {
        "my local": {"s3": {"endpoint_url": "http://127.0.0.1:1"}}
    }
    assert snapshot.full_config() == snapshot.config_only()
    assert snapshot.credentials == {}
    assert snapshot.searched == ("profiles=",)
    assert snapshot.origin_of("dev", ("s3", "max_concurrent_requests")) == "profiles= [dev]"


def test_a_mapping_is_copied() -> None:
    keys = {"region": "before"}
    snapshot = ProfileSnapshot.from_mapping({"dev": keys})
    keys["region"] = "after"
    assert snapshot.profiles["dev"]["region"] == "before"


def test_the_word_profile_in_the_name_of_a_mapping_gives_a_hint() -> None:
    snapshot = ProfileSnapshot.from_mapping({"profile dev": {}})
    assert (
        snapshot.hint_for("dev")
        == "profiles= has the name 'profile dev', which must be 'dev' there"
    )


@pytest.mark.parametrize(
    ("profiles", "error", "names"),
    [
        ({"dev": {"region": None}}, TypeError, ["'dev'", "'region'", "NoneType"]),
        ({"dev": {"region": b"hidden"}}, TypeError, ["'dev'", "'region'", "bytes"]),
        ({"dev": {"s3": {"a": ["hidden"]}}}, TypeError, ["'dev'", "'s3'", "'a'", "list"]),
        ({"dev": {"s3": {"a": {"b": "hidden"}}}}, TypeError, ["'dev'", "'s3'", "'a'", "dict"]),
        ({"dev": {"s3": {1: "hidden"}}}, TypeError, ["'dev'", "'s3'", "int"]),
        ({"dev": {1: "hidden"}}, TypeError, ["'dev'", "1", "int"]),
        ({"dev": "hidden"}, TypeError, ["'dev'", "str"]),
        ({1: {}}, TypeError, ["int"]),
        ({"dev": {"Region": "hidden", "region": "x"}}, ValueError, ["'dev'", "'region'"]),
        ({"sso-session a b": {}}, ValueError, ["'sso-session a b'"]),
        ({"services 'a": {}}, ValueError, ['"services \'a"']),
    ],
)
def test_what_cannot_be_in_a_file_is_refused_by_name_without_its_value(
    profiles: Any, error: type[Exception], names: list[str]
) -> None:
    with pytest.raises(error) as caught:
        ProfileSnapshot.from_mapping(profiles)
    assert all(name in str(caught.value) for name in names)
    assert "hidden" not in str(caught.value)


def test_the_empty_snapshot_has_all_tables() -> None:
    assert EMPTY.full_config() == {"profiles": {}, "sso_sessions": {}, "services": {}}
    assert EMPTY.available_profiles == ()

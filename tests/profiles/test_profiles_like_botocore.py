"""Whatever text is in the files: the same result as botocore's, or an error in both."""

from __future__ import annotations

import functools
import os
import pathlib
from typing import Any

import anyio
import botocore.exceptions
import pytest
from botocore.configloader import load_config, raw_config_parse
from botocore.session import Session
from hypothesis import given, settings
from hypothesis import strategies as st

from asession._profiles.load import load_profiles
from asession._profiles.parse import parse_ini, profile_map
from asession.exceptions import ConfigParseError

ODD = [*"\u2028\x85\x0b\x0c\x1c\t\xa0\x00\r'\"\\İß"]
NAMES = st.sampled_from(["default", "dev", "ops", "my dev", "x]", "", "DEFAULT", "é", "profile"])
HEADINGS = st.one_of(
    st.builds("[{}]".format, NAMES),
    st.builds("[profile {}]".format, NAMES),
    st.builds('[profile "{}"]'.format, NAMES),
    st.builds("[profile '{}'] # why".format, NAMES),
    st.builds("[sso-session {}]".format, NAMES),
    st.builds("[services {}]".format, NAMES),
    st.sampled_from(["[profiles dev]", "[profile 'dev]", "[]", "[dev", "[profile\tdev]", " [ x ]"]),
)
KEYS = st.sampled_from(["region", "Region", "s3", "role_arn", "a key", "k", "İ", "[x", "", "#k"])
VALUES = st.sampled_from(["", "eu-west-1", "a = b", "v # c", "v ; c", "é", '"q"', "%(x)s", "a:b"])
BETWEEN = st.sampled_from([" = ", "=", ":", " : ", "", " ", "\t=\t"])
ASSIGNMENTS = st.builds("{}{}{}".format, KEYS, BETWEEN, VALUES)
INDENTED = st.builds("{}{}".format, st.sampled_from([" ", "  ", "\t", "    "]), ASSIGNMENTS)
NESTED = st.builds("{} =\n  {}\n{}".format, KEYS, ASSIGNMENTS, INDENTED)
OTHER = st.sampled_from(["", "  ", "# c", "  # c", "; c", "bare", "[", "=", "\ufeff"])
LINES = st.one_of(HEADINGS, ASSIGNMENTS, INDENTED, NESTED, OTHER)
ENDS = st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"])


@st.composite
def tidy(draw: st.DrawFn) -> str:
    """A file that parses: every heading and every key once, nested sections where they may be."""
    text = ""
    for heading in draw(st.lists(HEADINGS.filter(lambda line: "]" in line[2:]), unique=True)):
        text += heading + "\n"
        for key in draw(st.lists(st.sampled_from(["region", "s3", "x y", "İ"]), unique=True)):
            nested = draw(st.lists(st.sampled_from(["a = 1", "A=", "= b", "b : c = d"])))
            value = "\n  ".join(["", *nested]) if nested else draw(VALUES)
            text += f"{key} = {value}\n"
    return text


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """Lines of every kind in any order, then a few characters that do not belong."""
    text = "".join(draw(st.lists(st.builds("{}{}".format, LINES, ENDS), max_size=12)))
    for odd in draw(st.lists(st.sampled_from(ODD), max_size=2)):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + odd + text[at:]
    return text


# A byte order mark at the start is the one documented difference.
TEXTS = st.one_of(tidy(), mutated()).filter(lambda text: not text.startswith("\ufeff"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tmp_path_factory.mktemp("oracle")


def ours(text: str) -> Any:
    try:
        sections = parse_ini(text.encode(), "p")
    except ConfigParseError:
        return "error"
    return sections, profile_map(sections), list(profile_map(sections)["profiles"])


def theirs(path: pathlib.Path) -> Any:
    try:
        sections = raw_config_parse(str(path))
    except botocore.exceptions.ConfigParseError:
        return "error"
    mapped = load_config(str(path))
    return sections, mapped, list(mapped["profiles"])


@settings(deadline=None)
@given(text=TEXTS)
def test_one_file_means_what_it_means_to_botocore(folder: pathlib.Path, text: str) -> None:
    path = folder / "one"
    path.write_bytes(text.encode())
    assert ours(text) == theirs(path)


@settings(deadline=None)
@given(config=st.none() | TEXTS, credentials=st.none() | TEXTS)
def test_both_files_mean_what_they_mean_to_a_botocore_session(
    folder: pathlib.Path, config: str | None, credentials: str | None
) -> None:
    # The same two paths again and again, often with the same size within one tick of the clock:
    # a stale cache shows here, too.
    paths = {"config_file": folder / "config", "credentials_file": folder / "credentials"}
    for path, text in zip(paths.values(), (config, credentials), strict=True):
        if text is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(text.encode())
    session = Session()
    for name, path in paths.items():
        session.set_config_variable(name, str(path))
    environ = {
        "AWS_CONFIG_FILE": str(paths["config_file"]),
        "AWS_SHARED_CREDENTIALS_FILE": str(paths["credentials_file"]),
    }
    expected: Any
    try:
        expected = session.full_config, session.available_profiles
    except botocore.exceptions.ConfigParseError:
        expected = "error"
    found: Any
    try:
        snapshot = anyio.run(functools.partial(load_profiles, environ))
    except ConfigParseError:
        found = "error"
    else:
        found = snapshot.full_config(), list(snapshot.available_profiles)
        for profile, section in snapshot.profiles.items():
            assert all(snapshot.origin_of(profile, key) for key in section)
    assert found == expected


def test_a_file_that_is_not_there_leaves_no_tables_in_the_full_configuration(
    tmp_path: pathlib.Path,
) -> None:
    session = Session()
    session.set_config_variable("config_file", os.devnull)
    session.set_config_variable("credentials_file", str(tmp_path))
    environ = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path)}
    snapshot = anyio.run(load_profiles, environ)
    assert snapshot.full_config() == session.full_config == {"profiles": {}}
    assert snapshot.config == {"profiles": {}, "sso_sessions": {}, "services": {}}

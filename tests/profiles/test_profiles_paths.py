"""Where the profile files are looked for."""

from __future__ import annotations

import os
import pathlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asession._profiles.paths import FilePaths, expand, locate

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX paths")


def test_both_files_are_in_dot_aws_of_the_home_directory_by_default() -> None:
    home = {"HOME": "/home/x", "USERPROFILE": "/home/x"}
    assert locate(home) == FilePaths("/home/x/.aws/config", "/home/x/.aws/credentials")


def test_the_environment_names_both_files() -> None:
    environ = {"AWS_CONFIG_FILE": "/etc/c", "AWS_SHARED_CREDENTIALS_FILE": "/etc/k"}
    assert locate(environ) == FilePaths("/etc/c", "/etc/k")


def test_arguments_win_over_the_environment_and_may_be_path_objects() -> None:
    environ = {"AWS_CONFIG_FILE": "/etc/c", "AWS_SHARED_CREDENTIALS_FILE": "/etc/k"}
    found = locate(environ, config_file="/a", credentials_file=pathlib.PurePosixPath("/b"))
    assert found == FilePaths("/a", "/b")


def test_an_empty_variable_names_no_file_instead_of_the_default() -> None:
    environ = {"HOME": "/home/x", "AWS_CONFIG_FILE": "", "AWS_SHARED_CREDENTIALS_FILE": ""}
    assert locate(environ) == FilePaths("", "")


@posix
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("~", "/home/x"),
        ("~/", "/home/x/"),
        ("~/.aws/config", "/home/x/.aws/config"),
        ("/a/~/b", "/a/~/b"),
        ("$DIR/config", "/etc/aws/config"),
        ("${DIR}/config", "/etc/aws/config"),
        ("$DIRECTORY/config", "$DIRECTORY/config"),
        ("${NOPE}/$", "${NOPE}/$"),
        ("$INDIRECT/config", "$DIR/config"),
        ("$TILDE/config", "/home/x/sub/config"),
        ("${DIR", "${DIR"),
        ("", ""),
    ],
)
def test_variables_are_expanded_before_the_tilde_and_only_once(path: str, expected: str) -> None:
    environ = {"HOME": "/home/x/", "DIR": "/etc/aws", "INDIRECT": "$DIR", "TILDE": "~/sub"}
    assert expand(path, environ) == expected


@posix
def test_a_home_of_slash_stays_a_slash() -> None:
    assert [expand("~", {"HOME": "/"}), expand("~/a", {"HOME": "/"})] == ["/", "/a"]


@posix
def test_a_tilde_with_a_user_name_asks_the_password_database() -> None:
    import pwd

    root = pwd.getpwuid(0)
    assert expand(f"~{root.pw_name}/c", {"HOME": "/home/x"}) == f"{root.pw_dir.rstrip('/')}/c"
    assert expand("~no-such-user-here/c", {"HOME": "/home/x"}) == "~no-such-user-here/c"


@posix
def test_without_a_home_in_the_mapping_the_machine_knows_it() -> None:
    import pwd

    # Not the HOME of this process, which the mapping stands in place of.
    assert expand("~/c", {}) == f"{pwd.getpwuid(os.getuid()).pw_dir}/c"


@posix
@settings(deadline=None)
@given(st.text(alphabet="~/$A{}BHOME_é. \\%'", max_size=20))
def test_expansion_is_that_of_the_standard_library(path: str) -> None:
    changes = {"HOME": "/home/x", "A": "/a$B", "B": "~", "é": "no"}
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            patch.delenv(name)
        for name, value in changes.items():
            patch.setenv(name, value)
        expected = os.path.expanduser(os.path.expandvars(path))
    assert expand(path, changes) == expected

"""What the commands print when all is well, and that nothing of it is secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from click.shell_completion import BashComplete

from asession._cli.commands import cli
from asession.credentials import SOURCES

ROOT = Path(__file__).parents[2]
ROLE = "arn:aws:iam::123456789012:role/app"

CONFIG = f"""
[default]
region = us-east-1
[profile role]
role_arn = {ROLE}
source_profile = default
[profile instance]
role_arn = {ROLE}
credential_source = Ec2InstanceMetadata
[profile web]
role_arn = {ROLE}
web_identity_token_file = token
[profile sso]
sso_session = corp
[profile process]
credential_process = vault --password hidden-password
[profile plain]
region = eu-west-1
[profile keys]
aws_access_key_id = AKIACONFIGCONFIG
aws_secret_access_key = hidden-secret
[sso-session corp]
"""


def test_profiles_are_listed_with_their_region_and_source(asession, backend, keys, home):
    config = home.write_config(CONFIG)
    credentials = home.path / ".aws" / "credentials"
    ended = asession("profiles", "--json", "--backend", backend)
    assert ended.status == 0
    rows = {row["name"]: row for row in ended.document["profiles"]}
    assert {name: row["source"] for name, row in rows.items()} == {
        "default": "keys",
        "role": "role over default",
        "instance": "role over Ec2InstanceMetadata",
        "web": "role with web identity",
        "sso": "sso",
        "process": "credential_process",
        "plain": "none of its own",
        "keys": "keys in the config file",
    }
    assert rows["default"]["files"] == [str(config), str(credentials)]
    assert rows["plain"] == {
        "name": "plain",
        "current": False,
        "region": "eu-west-1",
        "source": "none of its own",
        "files": [str(config)],
    }
    words = asession("profiles", "--backend", backend)
    lines = [line.split() for line in words.out.splitlines()]
    assert ["*", "default", "us-east-1", "keys", f"{config},", str(credentials)] in lines
    assert ["plain", "eu-west-1", "none", "of", "its", "own", str(config)] in lines
    assert "hidden" not in words.out + ended.out


def test_profiles_are_listed_also_if_the_one_chosen_is_missing(asession, keys, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    ended = asession("profiles", "--json")
    assert [(row["name"], row["current"]) for row in ended.document["profiles"]] == [
        ("default", False)
    ]
    [finding] = ended.document["findings"]
    assert (ended.status, finding["severity"], finding["where"]) == (0, "warning", "AWS_PROFILE")
    assert "'nowhere', which does not exist" in finding["cause"]


def test_profiles_tells_of_roles_over_profiles_that_do_not_exist(asession, backend, home):
    config = home.write_config(f"[profile a]\nrole_arn = {ROLE}\nsource_profile = b\n")
    ended = asession("profiles", "--json", "--backend", backend)
    [finding] = ended.document["findings"]
    assert "'b' of the profile 'a' does not exist" in finding["cause"]
    assert finding["where"] == f"{config}, line 3 [profile a]"


def test_where_there_are_no_profiles_the_files_are_named(asession, home):
    ended = asession("profiles")
    assert (ended.status, ended.out) == (0, "")
    assert str(home.path / ".aws" / "config") in ended.err
    assert "`aws configure`" in ended.err


def test_whoami_tells_account_arn_and_user(asession, backend, keys):
    ended = asession("whoami", "--json", "--backend", backend)
    assert ended.status == 0
    assert ended.document["account"] == "123456789012"
    assert ended.document["arn"].endswith("AKIADEFAULTDEFAULT")
    words = asession("whoami", "--backend", backend)
    assert ended.document["arn"] in words.out
    assert words.err == ""


def test_whoami_fails_in_json_too(asession, backend):
    ended = asession("whoami", "--json", "--region", "us-east-1", "--backend", backend)
    assert (ended.status, ended.err) == (1, "")
    [problem] = ended.document["findings"]
    assert "no source has any for the profile 'default'" in problem["cause"]
    assert "aws configure" in problem["fix"]


def test_explain_shows_settings_origins_trail_and_caller(asession, backend, keys, home):
    config = home.write_config(CONFIG)
    ended = asession("explain", "--profile", "role", "--region", "eu-west-1", "--backend", backend)
    assert (ended.status, ended.err) == (0, ""), ended
    lines = [line.split() for line in ended.out.splitlines()]
    assert ["profile", "role", "--profile"] in lines
    assert ["region", "eu-west-1", "--region"] in lines
    assert ["endpoint_url", keys.url, "AWS_ENDPOINT_URL"] in lines
    assert ["assume-role", "found"] in lines
    assert ["sso", "not", "asked"] in lines
    assert f"{config} (read)" in ended.out
    [arn] = [line for line in ended.out.splitlines() if line.startswith("AWS takes you for ")]
    options = ("--profile", "role", "--region", "eu-west-1", "--backend", backend)
    document = asession("explain", "--json", *options).document
    assert [attempt["source"] for attempt in document["credentials"]] == list(SOURCES)
    assert document["method"] == "assume-role"
    assert arn == f"AWS takes you for {document['caller']['arn']}"
    assert document["findings"] == []


def test_explain_offline_asks_nobody(asession, backend, keys, home):
    home.write_config(CONFIG)
    ended = asession("explain", "--profile", "role", "--offline", "--json", "--backend", backend)
    assert ended.document["caller"] is None
    assert keys.count() == 0


def test_no_secret_is_shown(asession, keys, home, monkeypatch):
    home.write_config(CONFIG)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://me:hidden-password@127.0.0.1:1/")
    shown = []
    for profile in ("default", "role", "keys", "process"):
        for more in ((), ("--json",)):
            shown.append(asession("explain", "--profile", profile, *more))
            shown.append(asession("whoami", "--profile", profile, *more))
    dead = "http://me:hidden-password@127.0.0.1:1/"
    shown.append(asession("explain", "--endpoint-url", dead))
    shown.append(asession("whoami", "--endpoint-url", dead, "--json"))
    text = "".join(one.out + one.err for one in shown)
    assert "127.0.0.1:1" in text
    assert "hidden" not in text
    issued = [secret for it in keys.mint.issued for secret in (it.secret_key, it.token)]
    assert issued
    assert not [secret for secret in issued if secret in text]


def test_markup_in_a_name_is_printed_as_it_is(asession, home):
    home.write_config("[profile [red]x]\nregion = [bold]\n")
    assert "[bold]" in asession("profiles").out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_completion(asession, shell):
    ended = asession("completion", shell)
    assert ended.status == 0
    assert "_ASESSION_COMPLETE" in ended.out


def test_commands_options_and_profiles_are_completed(home):
    home.write_config("[profile dev]\n[profile data]\n[profile ops]\n")

    def offered(*words: str) -> list[str]:
        complete = BashComplete(cli, {}, "asession", "_ASESSION_COMPLETE")
        return [item.value for item in complete.get_completions(list(words[:-1]), words[-1])]

    assert offered("") == ["completion", "demo", "explain", "profiles", "whoami"]
    assert offered("explain", "--profile", "d") == ["dev", "data"]
    assert "--json" in offered("whoami", "--")
    assert "--backend" not in offered("whoami", "--")
    home.write_config("[broken")
    assert offered("explain", "--profile", "") == []


def test_a_mistyped_option_is_no_finding(asession):
    ended = asession("explain", "--profil")
    assert ended.status == 2
    assert "--profile" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("command", ["explain", "whoami"])
def test_where_an_error_comes_from_is_there_for_who_asks(asession, command):
    ended = asession("--debug", command, "--profile", "nowhere")
    assert ended.status == 1
    assert "Traceback" in ended.err
    assert "select_profile" in ended.err
    quiet = asession(command, "--profile", "nowhere")
    assert ended.err.endswith(quiet.err)
    assert "Traceback" not in quiet.err


def test_the_console_script_is_the_same_program():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    module, _, name = project["scripts"]["asession"].partition(":")
    assert getattr(import_module(module), name) is import_module("asession._cli.main").main


HIDING = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("click", "rich"):
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Hidden())
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name in ("click", "rich") else find(name)
from asession._cli.main import main
sys.exit(main(["explain"]))
"""


def test_without_its_extra_the_command_line_says_in_one_line_how_to_get_it():
    done = subprocess.run(
        [sys.executable, "-c", HIDING], check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "needs click and rich: pip install 'asession[cli]'" in done.stderr


def test_a_process_of_its_own_fails_without_a_traceback_and_prints_tables(home):
    home.write_config("[profile dev]\nregion = eu-west-1\n")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "asession", "explain", "--profile", "dev"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env=dict(os.environ),
    )
    assert done.returncode == 1
    assert "eu-west-1" in done.stdout
    assert done.stderr.startswith("error: no credentials")
    assert done.stderr.count("\n") == 3, done.stderr


@pytest.mark.parametrize("command", ["profiles", "explain --offline --json"])
def test_a_terminal_of_ascii_gets_names_escaped_and_json_that_is_right(home, command):
    home.write_config("[profile caf\u00e9]\nregion = eu-west-1\n")
    done = subprocess.run(
        [sys.executable, "-m", "asession", *command.split()],
        check=False,
        capture_output=True,
        timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "AWS_PROFILE": "caf\u00e9"},
    )
    assert b"Traceback" not in done.stderr
    if "--json" in command:
        assert json.loads(done.stdout)["profile_name"] == "caf\u00e9"
    else:
        assert b"caf\\xe9" in done.stdout


def test_a_reader_who_goes_away_makes_no_noise(home):
    home.write_config("[profile dev]\nregion = eu-west-1\n")
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "asession", "profiles", "--json"],
            check=False,
            stdout=closed,
            stderr=subprocess.PIPE,
            timeout=60,
            env=dict(os.environ),
        )
    assert (done.returncode, done.stderr) == (1, b"")

"""Each broken set-up is told on the command line as the library tells it, and without secrets."""

from __future__ import annotations

import json

import anyio
import pytest

from asession._cli.render import spoken
from setups import SETUPS
from setups.making import GOOD, PASSWORD, REGION, SECRET, TOKEN, Broken

BRIEF = [setup for setup in SETUPS if not setup.patient]


def text_of(findings):
    """Findings as the standard error has them."""
    lines = []
    for it in findings:
        lines.append(f"{it['severity']}: {it['cause']}")
        lines += [f"  where: {it['where']}"] if it["where"] else []
        lines.append(f"  fix: {it['fix']}")
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    ("setup", "backend"),
    [(setup, ("asyncio", "trio")[at % 2]) for at, setup in enumerate(BRIEF)],
    ids=[setup.name for setup in BRIEF],
)
def test_a_broken_set_up_is_told_in_words_in_json_and_without_secrets(
    setup, backend, stage, asession
):
    staged = stage(setup)
    arguments = ("explain", *staged.arguments(), "--backend", backend)
    words = asession(*arguments)
    programs = asession("--debug", *arguments, "--json")
    status = 0 if setup.ok else 1
    assert (words.status, programs.status) == (status, status), words
    assert "Traceback" not in words.out + words.err
    findings = programs.document["findings"]
    first = findings[0]
    for name, bits in (("cause", setup.cause), ("fix", setup.fix), ("where", (setup.where,))):
        assert [it for it in bits if spoken(staged.fill(it)) not in first[name]] == []
    assert words.err == text_of(findings)
    assert programs.document["ok"] is setup.ok
    issued = [text for it in staged.server.mint.issued for text in (it.secret_key, it.token)]
    for secret in (SECRET, TOKEN, PASSWORD, *issued):
        for ended in (words, programs):
            assert secret not in ended.out + ended.err


def test_the_command_line_prints_what_the_library_tells(stage, asession):
    staged = stage(next(it for it in SETUPS if it.name == "role refused"))
    document = asession("explain", *staged.arguments(), "--json").document

    async def explain():
        return (await staged.session().explain(check=True)).to_dict()

    told = json.loads(json.dumps(anyio.run(explain)))
    assert document == told


def test_whoami_tells_the_errors_of_a_set_up_and_no_warnings(stage, asession, backend):
    stage(Broken(name="", environ={"AWS_REGION": "us_east_1"}, config="", cause=(), fix=()))
    ended = asession("whoami", "--backend", backend)
    assert ended.status == 1
    assert "'us_east_1' (from AWS_REGION)" in ended.err
    assert "where: AWS_REGION" in ended.err


def test_profiles_tells_of_sections_that_count_for_nothing(stage, asession, backend):
    setup = Broken(
        name="",
        config=f"{REGION}[dev]\nregion = us-east-1\n[plugins]\nregion = x\n",
        credentials=f"{GOOD}[profile ops]\n",
        cause=(),
        fix=(),
    )
    staged = stage(setup)
    ended = asession("profiles", "--json", "--backend", backend)
    assert ended.status == 0
    assert [it["where"] for it in ended.document["findings"]] == [
        staged.fill("{home}/.aws/config, line 3 [dev]"),
        staged.fill("{home}/.aws/credentials, line 4 [profile ops]"),
    ]


def test_profiles_tells_of_a_file_that_cannot_be_parsed(stage, asession, backend):
    staged = stage(next(it for it in SETUPS if it.name == "bad section"))
    ended = asession("profiles", "--backend", backend)
    assert (ended.status, ended.out) == (1, "")
    assert f"where: {staged.fill('{home}/.aws/config')}, line 3" in ended.err
    assert SECRET not in ended.err


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
    ended = asession("explain", "--json", "--backend", backend)
    [finding] = ended.document["findings"]
    assert ended.status == 1
    assert code in finding["cause"]
    assert step in finding["fix"]

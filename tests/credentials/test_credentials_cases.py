"""Every source of credentials, in every order, on both event loops, and as botocore has it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from credentials.cases import Case, Stage, all_cases
from credentials.oracle import Oracle
from credentials.run_case import link_local, run

CASES = all_cases()


def check(stage: Stage, found: dict[str, Any], expected: dict[str, Any]) -> None:
    """The outcome, the calls and the files are as expected."""
    if "error" in expected:
        error = found.get("error")
        assert error, found
        wanted = expected["error"]["class"]
        wanted = {wanted} if isinstance(wanted, str) else set(wanted)
        assert wanted & set(error["classes"]), error
        message = stage.without_places(error["message"])
        assert [word for word in expected["error"]["words"] if word not in message] == [], message
    elif "bearer" in expected:
        assert stage.bearer() == expected["bearer"], found
    else:
        wanted = expected["credentials"]
        if wanted is not None and wanted["expires"] == "*":
            wanted = wanted | {"expires": found["credentials"]["expires"]}
            assert wanted["expires"], "no end"
        assert found == {"credentials": wanted}
    assert stage.calls() == expected.get("calls", [])
    for name, wanted in expected.get("files", {}).items():
        kept = json.loads((stage.home / name).read_text("utf-8"))
        assert kept | wanted == kept


@pytest.mark.anyio
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_case_has_the_outcome_and_the_calls_it_says(
    case: Case, stage: Callable[[Case], Stage]
) -> None:
    if case.missing:
        pytest.skip(case.missing)
    staged = stage(case)
    with link_local(staged):
        found = await run(staged)
    check(staged, found, case.expected())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_botocore_agrees_with_a_case(
    case: Case, stage: Callable[[Case], Stage], oracle: Oracle
) -> None:
    if case.missing:
        pytest.skip(case.missing)
    expected = case.expected()
    differs = expected.pop("botocore", {})
    if "skip" in differs:
        pytest.skip(differs["skip"])
    staged = stage(case)
    found = oracle.ask(staged)
    if differs:
        assert differs["why"]
        expected = {k: v for k, v in expected.items() if k in ("calls", "files")} | differs
    check(staged, found, expected)


def test_there_are_cases_of_every_source() -> None:
    methods = set()
    for case in CASES:
        credentials = case.read("expect.json").get("credentials") or {}
        methods.add(credentials.get("method"))
    methods.discard(None)
    assert methods == {
        "explicit",
        "env",
        "assume-role",
        "assume-role-with-web-identity",
        "sso",
        "shared-credentials-file",
        "login",
        "custom-process",
        "config-file",
        "ec2-credentials-file",
        "boto-config",
        "container-role",
        "iam-role",
    }
    assert len(CASES) >= 60

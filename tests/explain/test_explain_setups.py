"""Each broken set-up is told with its cause, its place and what to do, and without secrets."""

from __future__ import annotations

import json
import logging

import pytest

from setups import SETUPS
from setups.making import PASSWORD, SECRET, TOKEN

pytestmark = pytest.mark.anyio

NAMES = [setup.name for setup in SETUPS]


@pytest.mark.parametrize("setup", SETUPS, ids=NAMES)
async def test_a_session_tells_what_is_wrong_where_and_what_to_do(setup, stage, caplog):
    staged = stage(setup)
    with caplog.at_level(logging.DEBUG, "asession"):
        told = await staged.session().explain(check=True)
    staged.check(told)
    document = json.dumps(told.to_dict())
    assert json.loads(document)["findings"][0]["cause"] == told.findings[0].cause
    assert f"fix: {told.findings[0].fix}" in str(told)
    assert "\n" not in repr(told)
    issued = [text for keys in staged.server.mint.issued for text in (keys.secret_key, keys.token)]
    for secret in (SECRET, TOKEN, PASSWORD, *issued):
        assert secret not in f"{told}{told!r}{document}"


def test_no_two_set_ups_have_one_name():
    assert len(set(NAMES)) == len(NAMES) > 50

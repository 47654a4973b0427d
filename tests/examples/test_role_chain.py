"""The example of a chain of roles, seen from the server's side: who asked for what, with what."""

from __future__ import annotations

from typing import Any

import pytest

from examples.test_examples import load
from servers.identity import IdentityServer, access_key_for

pytestmark = pytest.mark.anyio

GATE = "arn:aws:iam::111111111111:role/gate"
DEPLOY = "arn:aws:iam::222222222222:role/deploy"
READ_ONLY = "arn:aws:iam::222222222222:role/read-only"


async def test_the_code_goes_with_the_first_role_once_and_each_role_asks_for_the_next(
    identity: IdentityServer, capsys: pytest.CaptureFixture[str]
) -> None:
    await load("role_chain_with_mfa").main(identity.url, "654321")
    asked: list[Any] = [call for call in identity.calls if call.operation == "sts:AssumeRole"]
    assert [(call.parameters["RoleArn"], call.signer) for call in asked] == [
        (GATE, "AKIAANN"),
        (DEPLOY, access_key_for(GATE)),
        (READ_ONLY, access_key_for(DEPLOY)),
    ]
    codes = [(c.parameters.get("SerialNumber"), c.parameters.get("TokenCode")) for c in asked]
    assert codes == [("arn:aws:iam::111111111111:mfa/ann", "654321"), (None, None), (None, None)]
    signers = [call.signer for call in identity.calls if call.operation == "sts:GetCallerIdentity"]
    assert signers == [access_key_for(DEPLOY)] * 3 + [access_key_for(READ_ONLY)]
    assert capsys.readouterr().out.count("a code is asked for") == 1

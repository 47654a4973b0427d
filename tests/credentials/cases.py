"""Cases of credentials: directories that say what a machine has, and what must come of it.

    cases/<name>/env.json      {"variables": {...}, "session": {...}, "needs": [...], "ask": {...}}
                 home/         the home directory of the case
                 http.json     how the identity server is set, and where it fails
                 expect.json   {"credentials": {...} | null} or {"error": {...}} or {"bearer": ...},
                               "calls": [...], "files": {...}, "botocore": {...}

`variables` go over `BASE`; `null` takes one away. `session` are arguments of `Session`. `needs`
are modules without which the case is skipped, ``"!name"`` modules with which it is. `ask` is a
request whose bearer token is looked at. In `expect.json`, `calls` has each call that arrives, in
order, `files` what files in the home hold afterwards (keys that are not named do not matter), and
`botocore` what botocore gives where it differs, with a reason under ``"why"``. The class of an
error is that or a base of it, one of several in a list.

In all files ``@URL@`` is the server, ``@PORT@`` its port (which tells link-local addresses of cases
apart), ``@HOME@`` the home directory and ``@PEM@`` a private key; ``@KEY:source@``,
``@SECRET:source@`` and ``@TOKEN:source:n@`` are what the server hands out.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from servers.calls import Call
from servers.identity import IdentityServer, Reply, access_key_for
from servers.mint import Mint

CASES = Path(__file__).parent / "cases"
BASE: Mapping[str, str] = {
    "HOME": "@HOME@",
    "PATH": "/usr/bin:/bin",
    "AWS_ENDPOINT_URL": "@URL@",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "1",
}
MFA_CODE = "123456"
FAR = "2099-01-01T00:00:00Z"

_NAMES = re.compile(r"@(KEY|SECRET|TOKEN):([^@]+?)(?::(\d+))?@")
_DEFAULT_SESSION_NAME = re.compile(r"^botocore-session-\d+$")


@dataclass(frozen=True, slots=True)
class Case:
    """One directory of `CASES`; a value."""

    name: str

    @property
    def missing(self) -> str | None:
        """Why the case cannot run here, or `None`."""
        for module in self.read("env.json", {}).get("needs", ()):
            wanted = not module.startswith("!")
            if (importlib.util.find_spec(module.removeprefix("!")) is not None) != wanted:
                return f"needs {module}"
        return None

    def read(self, name: str, default: Any = None) -> Any:
        """A file of the case as JSON, placeholders as they are."""
        path = CASES / self.name / name
        return json.loads(path.read_text("utf-8")) if path.exists() else default

    def expected(self) -> dict[str, Any]:
        """`expect.json`, with the names of what the server hands out resolved."""
        found: dict[str, Any] = json.loads(
            _NAMES.sub(_handed_out, (CASES / self.name / "expect.json").read_text("utf-8"))
        )
        return found


@dataclass(frozen=True, slots=True)
class Stage:
    """A case set up in a home directory, with a server; for one run.

    Attributes:
        environ: The environment of the case.
        session: The arguments of `Session`.
        ask: The service and operation to ask for, whose bearer token counts.
    """

    case: Case
    home: Path
    server: IdentityServer
    environ: dict[str, str]
    session: dict[str, Any]
    ask: dict[str, str] | None

    def without_places(self, text: str) -> str:
        """The text with the server and the home directory as placeholders again."""
        return text.replace(self.server.url, "@URL@").replace(str(self.home), "@HOME@")

    def bearer(self) -> str | None:
        """The bearer token of the last request."""
        last = self.server.requests[-1].headers.get("authorization") if self.server.requests else ""
        return last.removeprefix("Bearer ") if last and last.startswith("Bearer ") else None

    def calls(self) -> list[dict[str, Any]]:
        """What arrived at the server, in order, as `expect.json` words it."""
        found = [_described(call) for call in self.server.calls]
        for call in found:
            if "path" in call["parameters"]:
                path = call["parameters"]["path"].replace(str(self.server.port), "@PORT@")
                call["parameters"]["path"] = path
        return found


def set_up(case: Case, home: Path, server: IdentityServer) -> Stage:
    """Fill an empty home directory, and set the server."""
    source = CASES / case.name / "home"
    if source.exists():
        shutil.copytree(source, home, dirs_exist_ok=True)
        for path in home.rglob("*"):
            if path.is_file():
                path.write_text(_filled(path.read_text("utf-8"), home, server), "utf-8")
    set_server(server, case.read("http.json", {}))
    given = case.read("env.json")
    variables = {**BASE, **given.get("variables", {})}
    environ = {k: _filled(v, home, server) for k, v in variables.items() if v is not None}
    return Stage(case, home, server, environ, given.get("session", {}), given.get("ask"))


def _filled(text: str, home: Path, server: IdentityServer) -> str:
    text = text.replace("@URL@", server.url).replace("@HOME@", str(home))
    text = text.replace("@PORT@", str(server.port))
    if "@PEM@" in text:
        text = text.replace("@PEM@", json.dumps(_private_key())[1:-1])
    return text


def set_server(server: IdentityServer, settings: Mapping[str, Any]) -> None:
    """Set an identity server as an ``http.json`` says."""
    server.mint.expires_at = datetime.fromisoformat(settings.get("expires", FAR))
    for part in ("metadata", "containers", "portal", "signin", "sts"):
        for name, value in settings.get(part, {}).items():
            assert hasattr(getattr(server, part), name), f"{part} has no {name}"
            setattr(getattr(server, part), name, set(value) if isinstance(value, list) else value)
    for failure in settings.get("failures", ()):
        server.fail(failure.pop("operation"), **failure)
    for reply in settings.get("replies", ()):
        body = reply["body"] if isinstance(reply["body"], str) else json.dumps(reply["body"])
        answer = Reply(reply.get("status", 200), {}, body.encode())
        server.reply(reply["operation"], answer, times=reply.get("times"))
    for pattern, seconds in settings.get("delays", {}).items():
        server.delay(pattern, seconds)
    for pattern in settings.get("drops", ()):
        server.drop(pattern)


def all_cases() -> list[Case]:
    """Every case, by name."""
    return [Case(path.name) for path in sorted(CASES.iterdir()) if path.is_dir()]


def _described(call: Call) -> dict[str, Any]:
    parameters = {k: v for k, v in sorted(call.parameters.items()) if k != "ttl"}
    if _DEFAULT_SESSION_NAME.match(parameters.get("RoleSessionName", "")):
        parameters["RoleSessionName"] = "botocore-session-*"
    found = {"operation": call.operation, "parameters": parameters}
    found |= {"signer": call.signer} if call.signer else {}
    return found | ({"token": call.token} if call.token else {})


def _handed_out(found: re.Match[str]) -> str:
    kind, source, serial = found.groups()
    if kind == "KEY":
        return access_key_for(source)
    mint = Mint()
    keys = [mint.issue(source) for _ in range(int(serial or 1))]
    return keys[-1].secret_key if kind == "SECRET" else keys[-1].token


@cache
def _private_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    ).decode()

"""Sessions over each kind of source that costs a call, and how often the sources were asked."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from asession import Session
from home import Home
from servers.identity import EKS_PATH, IdentityServer

ROLE = "arn:aws:iam::123456789012:role/app"
KINDS = ("container", "imds", "roles", "web", "process", "sso")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of source, set up; a value.

    Attributes:
        arguments: Those of sessions over it.
        counts: How often each of its operations was asked for.
    """

    arguments: dict[str, Any]
    counts: Callable[[], list[int]]

    def session(self, **more: Any) -> Session:
        """A new session over it."""
        return Session(**{**self.arguments, **more})

    @property
    def most(self) -> int:
        """How often the operation was asked for that was asked for most."""
        return max(self.counts())


def set_up(name: str, aws: IdentityServer, home: Home) -> Kind:
    """A kind of source over a server, with its files below a home directory."""
    environ = {
        "HOME": str(home.path),
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    profiles: dict[str, Any] = {}
    asked: tuple[str, ...] = ()
    runs = home.path / "runs"
    if name == "container":
        environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = aws.url + EKS_PATH
        asked = ("container:*",)
    elif name == "imds":
        environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = aws.url
        environ["AWS_EC2_METADATA_DISABLED"] = "false"
        asked = ("imds:GetToken", "imds:GetRole", "imds:GetCredentials")
    elif name == "roles":
        profiles = {
            "default": {"role_arn": ROLE, "source_profile": "first"},
            "first": {"role_arn": ROLE + "1", "source_profile": "user"},
            "user": {"aws_access_key_id": "AKIAUSER", "aws_secret_access_key": "user-secret"},
        }
    elif name == "web":
        token = home.path / "token"
        token.write_text("web-identity-token")
        profiles = {"default": {"role_arn": ROLE, "web_identity_token_file": str(token)}}
        asked = ("sts:AssumeRoleWithWebIdentity",)
    elif name == "process":
        script = home.path / "keys.py"
        script.write_text(_SCRIPT.format(runs=str(runs)))
        runs.write_text("")
        profiles = {"default": {"credential_process": f"{sys.executable} -I -S {script}"}}
    else:
        start = "https://corp.example/start"
        cache = home.path / ".aws" / "sso" / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        token = {"accessToken": "a", "expiresAt": "2099-01-01T00:00:00Z"}
        file = hashlib.sha1(start.encode(), usedforsecurity=False).hexdigest()
        (cache / f"{file}.json").write_text(json.dumps(token))
        profiles = {
            "default": {
                "sso_start_url": start,
                "sso_region": "us-east-1",
                "sso_account_id": "123456789012",
                "sso_role_name": "reader",
            }
        }
        asked = ("sso:GetRoleCredentials",)

    def counts() -> list[int]:
        if name == "process":
            return [runs.read_text().count("run")]
        if name == "roles":
            roles = [c.parameters["RoleArn"] for c in aws.calls if c.operation == "sts:AssumeRole"]
            return [roles.count(role) for role in (ROLE, ROLE + "1")]
        return [aws.count(pattern) for pattern in asked]

    arguments = {"environ": environ, "profiles": profiles, "region_name": "us-east-1"}
    return Kind(arguments, counts)


_SCRIPT = """
import json, time
with open({runs!r}, "a") as runs:
    runs.write("run\\n")
time.sleep(0.3)
keys = {{"AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "process-secret", "SessionToken": "t"}}
print(json.dumps({{"Version": 1, **keys, "Expiration": "2099-01-01T00:00:00Z"}}))
"""

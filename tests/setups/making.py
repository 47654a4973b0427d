"""A broken set-up, what an explanation of it must name, and how it is made in a home."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path

from asession import Session
from asession.credentials import Explanation
from servers.identity import IdentityServer

ROLE = "arn:aws:iam::123456789012:role/app"
SECRET = "wJalrXUtnFEMIhiddenKEYbPxRfiCYEXAMPLEKEY"
TOKEN = "hidden-session-token-FwoGZXIvYXdzEBYaD"
PASSWORD = "hidden-password"
DEAD = "http://127.0.0.1:1"
KEYS = f"aws_access_key_id = AKIADEFAULTDEFAULT1\naws_secret_access_key = {SECRET}\n"
GOOD = f"[default]\n{KEYS}"
REGION = "[default]\nregion = us-east-1\n"
CREDENTIALS = "{home}/.aws/credentials"
CONFIG = "{home}/.aws/config"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """One broken set-up; ``{home}`` and ``{url}`` (the server) are filled in everywhere.

    Attributes:
        name: Its name.
        config: The config file.
        credentials: The credentials file.
        environ: Environment variables, next to the endpoint of the server.
        profile: The profile given as an argument.
        region: The region given as an argument.
        endpoint_url: The endpoint given as an argument.
        prepare: Does what else there is to do to the home and the server.
        cause: What the cause of the first finding says.
        where: What its place says.
        fix: What its fix says.
        ok: Whether the session works all the same: the finding is a warning.
        more: How many findings there may be after the first.
        patient: Whether upstream asks again for seconds, so that one look is enough.
    """

    name: str
    config: str = REGION
    credentials: str = GOOD
    environ: Mapping[str, str] = field(default_factory=dict)
    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    prepare: Callable[[Path, IdentityServer], None] = lambda _home, _server: None
    cause: tuple[str, ...]
    where: str = ""
    fix: tuple[str, ...]
    ok: bool = False
    more: int = 0
    patient: bool = False


@dataclass(frozen=True, slots=True)
class Staged:
    """One set-up, made: its home, its server, and what is expected of it."""

    setup: Broken
    home: Path
    server: IdentityServer

    def fill(self, text: str) -> str:
        """The text with the home and the server in their places."""
        return text.replace("{home}", str(self.home))

    def session(self) -> Session:
        """The session."""
        it = self.setup
        return Session(profile_name=it.profile, region_name=it.region, endpoint_url=it.endpoint_url)

    def arguments(self) -> list[str]:
        """The same session on the command line."""
        it = self.setup
        given = {
            "--profile": it.profile,
            "--region": it.region,
            "--endpoint-url": it.endpoint_url,
        }
        return [word for name, value in given.items() if value for word in (name, value)]

    def check(self, told: Explanation) -> None:
        """Cause, place and fix are those expected, and nothing else is found."""
        it, first = self.setup, told.findings[0]
        assert [bit for bit in it.cause if self.fill(bit) not in first.cause] == [], first
        assert [bit for bit in it.fix if self.fill(bit) not in first.fix] == [], first
        assert first.where == self.fill(it.where)
        assert told.ok == it.ok
        assert len(told.findings) <= 1 + it.more, told.findings


def stage_in(home: Path, server: IdentityServer, environ: MutableMapping[str, str]) -> Stage:
    """What makes set-ups in a home; the variables of each go into `environ`."""

    def make(setup: Broken) -> Staged:
        staged = Staged(setup, home, server)
        (home / ".aws").mkdir(exist_ok=True)
        (home / ".aws" / "config").write_text(staged.fill(setup.config))
        if setup.credentials:
            (home / ".aws" / "credentials").write_text(setup.credentials)
        environ["AWS_ENDPOINT_URL"] = server.url
        environ.update({name: staged.fill(value) for name, value in setup.environ.items()})
        setup.prepare(home, server)
        return staged

    return make


Stage = Callable[[Broken], Staged]

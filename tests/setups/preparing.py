"""What there is to do to a home and a server beside files and variables."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha1
from pathlib import Path

from servers.identity import IdentityServer, Reply
from setups.making import TOKEN

Prepare = Callable[[Path, IdentityServer], None]


def sso_login(expires: timedelta | None) -> Callable[[Path, IdentityServer], None]:
    def prepare(home: Path, _server: IdentityServer) -> None:
        if expires is None:
            return
        cache = home / ".aws" / "sso" / "cache"
        cache.mkdir(parents=True)
        end = (datetime.now(UTC) + expires).strftime("%Y-%m-%dT%H:%M:%SZ")
        token = {
            "startUrl": "https://corp/start",
            "region": "us-east-1",
            "accessToken": TOKEN,
            "expiresAt": end,
        }
        (cache / f"{sha1(b'corp').hexdigest()}.json").write_text(json.dumps(token))

    return prepare


def unreadable(home: Path, _server: IdentityServer) -> None:
    path = home / ".aws" / "config"
    path.unlink()
    path.symlink_to(path)  # for everybody, whatever their rights


def refused(code: str, message: str = "", ahead: timedelta | None = None):
    def prepare(_home: Path, server: IdentityServer) -> None:
        body = (
            "<ErrorResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><Error>"
            f"<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            "<RequestId>1</RequestId></ErrorResponse>"
        )
        headers = {"Content-Type": "text/xml"}
        if ahead is not None:
            headers["Date"] = format_datetime(datetime.now(UTC) + ahead, usegmt=True)
        server.reply("sts:*", Reply(403, headers, body.encode()))

    return prepare

"""Secrets of a set-up, masked wherever they turn up: programs and services quote what they got."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from asession._options import SessionOptions
from asession._settings.settings import Resolution

_USERINFO = re.compile(r"(\w+://)\S*@")
_PASSWORD = re.compile(r"\w+://(\S*)@")
_SECRET_NAME = re.compile(r"secret|token|password|passphrase", re.IGNORECASE)
_NO_SECRET = re.compile(r"file|path|url|uri|endpoint|pointer", re.IGNORECASE)
# An address without its scheme, which is no address; its password is one all the same.
_ADDRESS_NAME = re.compile(r"url|uri|endpoint|proxy", re.IGNORECASE)
_USER = re.compile(r"[^/@\s:]*:(\S+)@")
_ACCESS_KEY = re.compile(r"[A-Z0-9]{13,128}")
# Shorter ones would be found in ordinary words.
_SHORTEST = 8
_MASK = "***"


class Secrets:
    """The secrets known of one session; lives for one explanation, and is never shown."""

    __slots__ = ("_arguments", "_texts")

    def __init__(self) -> None:
        self._texts: set[str] = set()
        self._arguments: set[str] = set()

    @classmethod
    def of(cls, options: SessionOptions, resolution: Resolution) -> Secrets:
        """The secrets of the arguments, the environment and the files."""
        secrets = cls()
        secrets.add(options.aws_secret_access_key, options.aws_session_token)
        secrets.add_all({"endpoint_url": options.endpoint_url or ""})
        secrets.add_all(resolution.environ)
        snapshot = resolution.snapshot
        for sections in (snapshot.profiles, snapshot.credentials, *snapshot.config.values()):
            secrets.add_sections(sections)
        return secrets

    def add(self, *texts: str | None) -> None:
        """Mask these too."""
        self._texts.update(text for text in texts if text and len(text) >= _SHORTEST)

    def add_sections(self, sections: Mapping[str, Any]) -> None:
        """Mask what in these sections is secret by its name."""
        for section in sections.values():
            if isinstance(section, Mapping):
                self.add_all(section)

    def add_all(self, values: Mapping[str, Any]) -> None:
        """Mask those of these values that are secret by their names, and passwords in addresses."""
        for name, value in values.items():
            if isinstance(value, Mapping):
                self.add_all(value)
                continue
            if _SECRET_NAME.search(name) and not _NO_SECRET.search(name):
                self.add(value, value.strip().strip("\"'"))
            self.add(*_passwords(value))
            if _ADDRESS_NAME.search(name) and (user := _USER.match(value)):
                self.add(user[1])
                self._texts.add(user[0])
            if name == "credential_process":
                self._arguments.update(_arguments(value))

    def mask(self, text: str) -> str:
        """The text without secrets."""
        text = without_passwords(text)
        texts = self._texts | self._arguments if "custom-process" in text else self._texts
        for secret in sorted(texts, key=len, reverse=True):
            text = text.replace(secret, _MASK)
        return text

    def __repr__(self) -> str:
        return f"<Secrets: {len(self._texts)}>"


def without_passwords(text: str) -> str:
    """A text, the users and passwords in its addresses masked."""
    return _USERINFO.sub(rf"\1{_MASK}@", text)


def masked(access_key: str) -> str:
    """Enough of an access key id to recognise it; nothing of what can be none."""
    if _ACCESS_KEY.fullmatch(access_key) is None:
        return _MASK
    return f"{access_key[:4]}{_MASK}{access_key[-4:]}"


def _passwords(text: str) -> Iterator[str]:
    for user in _PASSWORD.findall(text):
        yield user.partition(":")[2]


def _arguments(command: str) -> Iterable[str]:
    """The arguments of a program that may be secret."""
    try:
        words = shlex.split(command)[1:]
    except ValueError:
        words = command.split()[1:]
    for word in words:
        for value in (word, word.partition("=")[2]):
            if len(value) >= _SHORTEST and not value.startswith("-"):
                yield value

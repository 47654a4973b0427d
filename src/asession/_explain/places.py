"""On which line of the profile files a section or a key stands."""

from __future__ import annotations

import re
from collections.abc import Mapping

from asession._profiles.parse import heading
from asession._profiles.snapshot import ProfileSnapshot
from asession._runtime.files import read_file

# As `configparser` sees them.
_HEADING = re.compile(r"\[(?P<title>.+)\]")
_KEY = re.compile(r"(?P<key>[^\s=:#;][^=:]*?)\s*[=:]")
_INNER = re.compile(r"\s+(?P<key>[^\s=#;][^=]*?)\s*=")

# "path [title]" -> key -> line; the empty key is the section itself.
_Lines = Mapping[str, Mapping[str, int]]


class Places:
    """Where sections and keys stand in the files of one snapshot; lives for one explanation."""

    def __init__(self, snapshot: ProfileSnapshot, texts: Mapping[str, str]) -> None:
        self._snapshot = snapshot
        self._lines: dict[str, dict[str, int]] = {}
        for path, text in texts.items():
            self._lines.update(lines_of(path, text))

    @classmethod
    async def of(cls, snapshot: ProfileSnapshot) -> Places:
        """The places of a snapshot; a file that cannot be read any more has none."""
        texts = {}
        for file in snapshot.files:
            if file.status == "read":
                try:
                    texts[file.path] = (await read_file(file.path)).decode("utf-8-sig")
                except (OSError, UnicodeDecodeError):  # it has changed: there are no lines to tell
                    continue
        return cls(snapshot, texts)

    def line(self, origin: str, key: str | tuple[str, str] = "") -> int | None:
        """The line of a key, from 1.

        Args:
            origin: The file and the section, as settings tell it: ``"path [profile dev]"``.
            key: The key, nested section and key, or nothing for the section.
        """
        name = key if isinstance(key, str) else ".".join(key)
        return self._lines.get(origin, {}).get(name)

    def where(self, origin: str, key: str | tuple[str, str] = "") -> str:
        """A place for people: ``"path, line 3 [profile dev]"``."""
        line = self.line(origin, key)
        path, bracket, title = origin.partition(" [")
        return origin if line is None else f"{path}, line {line}{bracket}{title}"

    def of_key(self, profile: str, key: str | tuple[str, str]) -> str:
        """Where a key of a profile stands, or an empty string."""
        origin = self._snapshot.origin_of(profile, key)
        return "" if origin is None else self.where(origin, key)

    def of_profile(self, profile: str) -> str:
        """Where a profile begins, or an empty string."""
        return self.of_section("profiles", profile) or self._known(
            f"{self._credentials_path()} [{profile}]"
        )

    def of_section(self, table: str, name: str, key: str = "") -> str:
        """Where a section of the config file stands, or a key in it, or an empty string."""
        prefix = f"{self._snapshot.config_path} ["
        for origin in self._lines:
            title = origin.removeprefix(prefix).removesuffix("]")
            if origin.startswith(prefix) and heading(title) == (table, name):
                return self.where(origin, key)
        return ""

    def of_title(self, kind: str, title: str) -> str:
        """Where a section stands by its heading, in the file of a kind."""
        path = self._snapshot.config_path if kind == "config" else self._credentials_path()
        return self.where(f"{path} [{title}]")

    def _known(self, origin: str) -> str:
        return self.where(origin) if origin in self._lines else ""

    def _credentials_path(self) -> str:
        files = self._snapshot.files
        return next((file.path for file in files if file.kind == "credentials"), "")


def lines_of(path: str, text: str) -> dict[str, dict[str, int]]:
    """The lines of a file, by ``"path [title]"`` and key; keys of nested sections as ``s3.key``."""
    found: dict[str, dict[str, int]] = {}
    section: dict[str, int] = {}
    outer = ""
    for number, line in enumerate(text.splitlines(), 1):
        if title := _HEADING.match(line):
            section = found.setdefault(f"{path} [{title['title']}]", {})
            section.setdefault("", number)
            outer = ""
        elif key := _KEY.match(line):
            outer = key["key"].rstrip().lower()
            section.setdefault(outer, number)
        elif outer and (inner := _INNER.match(line)):
            section.setdefault(f"{outer}.{inner['key']}", number)
    return found

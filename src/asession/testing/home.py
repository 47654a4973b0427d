"""The home directory of one test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """The HOME of one test, empty at its start; pytest deletes it."""

    path: Path

    def write_config(self, text: str) -> Path:
        """Write ``~/.aws/config``."""
        return self._write("config", text)

    def write_credentials(self, text: str) -> Path:
        """Write ``~/.aws/credentials``."""
        return self._write("credentials", text)

    def _write(self, name: str, text: str) -> Path:
        file = self.path / ".aws" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
        return file

"""The two profile files of one test."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from asession._profiles.load import load_profiles
from asession._profiles.snapshot import ProfileSnapshot

LONG_AGO_NS = 1_600_000_000_123_456_789


@dataclass
class Files:
    """Both files of one test, made long ago as far as their times tell."""

    config: Path
    credentials: Path

    def write(
        self, config: str | bytes | None = None, credentials: str | bytes | None = None
    ) -> None:
        for path, text in ((self.config, config), (self.credentials, credentials)):
            if text is not None:
                path.write_bytes(text if isinstance(text, bytes) else text.encode())
                set_time(path, LONG_AGO_NS)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "AWS_CONFIG_FILE": str(self.config),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.credentials),
        }

    async def load(self) -> ProfileSnapshot:
        return await load_profiles(self.environ)


def set_time(path: Path, time_ns: int) -> None:
    os.utime(path, ns=(time_ns, time_ns))

"""The home of the demo: profile files of its own, and a process environment that names them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_AWS_PREFIXES = ("AWS_", "BOTO")
_AWS_NAMES = frozenset({"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """A pair of keys; immutable. Its `repr` shows no secret."""

    access_key: str
    secret_key: str

    def __repr__(self) -> str:
        return f"Keys(access_key={self.access_key!r}, secret_key='***')"


@dataclass(frozen=True, slots=True)
class DemoHome:
    """A temporary home directory, from the entry of `demo_home` to its exit, which deletes it."""

    path: Path

    def write_profiles(self, *, dev: Keys, role_arn: str, role_session_name: str) -> None:
        """Write the three profiles: `dev` with keys, `ops` with a role, an empty `default`.

        Args:
            dev: The keys of `dev`, which is also the source of `ops`.
            role_arn: The role of `ops`.
            role_session_name: What that role's sessions are called.
        """
        folder = self.path / ".aws"
        folder.mkdir()
        (folder / "config").write_text(
            "[default]\n"
            "[profile dev]\n"
            "region = eu-west-1\n"
            "[profile ops]\n"
            "region = us-west-2\n"
            "source_profile = dev\n"
            f"role_arn = {role_arn}\n"
            f"role_session_name = {role_session_name}\n",
            "utf-8",
        )
        (folder / "credentials").write_text(
            "[dev]\n"
            f"aws_access_key_id = {dev.access_key}\n"
            f"aws_secret_access_key = {dev.secret_key}\n",
            "utf-8",
        )


@contextmanager
def demo_home() -> Iterator[DemoHome]:
    """Puts this process into a home of its own for the block, then everything back.

    The settings of the machine (AWS variables, proxies, CA bundles) are out of the way meanwhile.
    """
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="asession-demo-") as folder:
        try:
            for name in before:
                if _is_private(name.upper()):
                    del os.environ[name]
            os.environ.update(
                HOME=folder,
                USERPROFILE=folder,
                AWS_CONFIG_FILE=os.path.join("~", ".aws", "config"),
                AWS_SHARED_CREDENTIALS_FILE=os.path.join("~", ".aws", "credentials"),
                AWS_EC2_METADATA_DISABLED="true",
            )
            yield DemoHome(Path(folder))
        finally:
            os.environ.clear()
            os.environ.update(before)


def _is_private(name: str) -> bool:
    return name.startswith(_AWS_PREFIXES) or name in _AWS_NAMES or name.endswith("_PROXY")

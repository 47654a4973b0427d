"""An environment without the user's AWS settings, for the length of a block."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asession.testing.home import Home

_PREFIXES = ("AWS_", "BOTO")
_NAMES = frozenset(
    {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "ALL_PROXY"}
)


def is_private(name: str) -> bool:
    """Whether an environment variable is an AWS, proxy or certificate setting of the user."""
    upper = name.upper()
    return upper.startswith(_PREFIXES) or upper in _NAMES or upper.endswith("_PROXY")


@contextmanager
def isolated_environment(home: str | os.PathLike[str] | None = None) -> Iterator[Home]:
    """Give this process a HOME of its own and no AWS, proxy or certificate settings.

    `os.environ` belongs to the whole process: threads and tasks that run meanwhile see the same.
    What the block itself changes in it is undone as well.

    Args:
        home: An existing directory; by default a temporary one, deleted afterwards.

    Yields:
        The home directory, empty unless it was given.
    """
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="asession-home-") as temporary:
        path = Path(temporary if home is None else home)
        try:
            for name in before:
                if is_private(name):
                    del os.environ[name]
            os.environ["HOME"] = os.environ["USERPROFILE"] = str(path)
            os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
            yield Home(path)
        finally:
            for name in set(os.environ) - set(before):
                del os.environ[name]
            for name, value in before.items():
                if os.environ.get(name) != value:
                    os.environ[name] = value

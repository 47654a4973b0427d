"""Where the two profile files are, as botocore finds them, but from any environment mapping."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

_WINDOWS = os.name == "nt"
_VARIABLE = re.compile(
    r"\$(?:(?P<plain>\w+)|\{(?P<braced>[^}]*)\})" + (r"|%(?P<percent>[^%]+)%" if _WINDOWS else ""),
    re.ASCII,
)
_SEPARATORS = "/\\" if _WINDOWS else "/"
_HOME = "USERPROFILE" if _WINDOWS else "HOME"


@dataclass(frozen=True, slots=True)
class FilePaths:
    """The paths of both files as they will be opened; a value.

    Attributes:
        config: The config file.
        credentials: The credentials file.
    """

    config: str
    credentials: str


def expand(path: str | os.PathLike[str], environ: Mapping[str, str]) -> str:
    """Expand variables, then a leading ``~``, with the given environment.

    A value is put in as it stands, and an unknown variable is left alone. ``~user``, and ``~``
    where the environment has no home, read the password database: call this in a worker thread.

    Args:
        path: The path as the user wrote it.
        environ: Stands for `os.environ`.
    """

    def value(match: re.Match[str]) -> str:
        name = next((name for name in match.groups() if name is not None), "")
        return environ.get(name, match.group())

    expanded = _VARIABLE.sub(value, os.fspath(path))
    if not expanded.startswith("~"):
        return expanded
    rest = expanded[1:]
    if rest and rest[0] not in _SEPARATORS:
        return os.path.expanduser(expanded)
    home = environ.get(_HOME)
    if home is None:
        home = _home_of_user()
    if _WINDOWS:
        return home + rest
    return home.rstrip("/") + rest or "/"


def locate(
    environ: Mapping[str, str],
    *,
    config_file: str | os.PathLike[str] | None = None,
    credentials_file: str | os.PathLike[str] | None = None,
) -> FilePaths:
    """Find the paths of both files.

    An argument wins over ``AWS_CONFIG_FILE`` and ``AWS_SHARED_CREDENTIALS_FILE``, and these over
    ``~/.aws/config`` and ``~/.aws/credentials``. An empty variable counts, as in botocore: it
    names no file. May read the password database, see `expand`.

    Args:
        environ: Stands for `os.environ`.
        config_file: The config file, before expansion.
        credentials_file: The credentials file, before expansion.
    """
    if config_file is None:
        config_file = environ.get("AWS_CONFIG_FILE", "~/.aws/config")
    if credentials_file is None:
        credentials_file = environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")
    return FilePaths(expand(config_file, environ), expand(credentials_file, environ))


def _home_of_user() -> str:
    # `os.path.expanduser("~")` would read HOME from the process, past the given environment.
    if _WINDOWS:
        return os.path.expanduser("~")
    import pwd

    return pwd.getpwuid(os.getuid()).pw_dir

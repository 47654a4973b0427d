"""Both profile files, read at the same time, parsed once per process until they change.

Nothing here touches the file system on the event loop's thread. A load goes: one hop to a worker
thread finds the paths and stats both files; a file whose stamp (inode, device, size, time) is known
is taken from the cache; any other is read through aiofiles, then stat again and parsed in a worker
thread. Two things make a stamp untrustworthy, and neither is cached as if it were fine:

- the file changed while it was read: it is read again, a few times;
- the file was written so shortly before it was read that a later write could get the same time: it
  is read again next time, and parsed again only if its content differs.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import anyio

from asession._logging import log
from asession._profiles.cache import Recent
from asession._profiles.parse import Section, parse_ini
from asession._profiles.paths import FilePaths, locate
from asession._profiles.snapshot import FileKind, FileState, FileStatus, ProfileSnapshot
from asession._runtime.files import read_file
from asession._runtime.threads import in_thread
from asession.exceptions import ConfigParseError

_log = logging.getLogger("asession.profiles")

_CACHED = 256
_ATTEMPTS = 3
# How coarse the times of files are: 10 ms at most on today's file systems, up to 2 s on those that
# know whole seconds only.
_TICK_NS = 20_000_000
_COARSE_TICK_NS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class _Stamp:
    inode: int
    device: int
    size: int
    mtime_ns: int

    def is_settled(self, at_ns: int) -> bool:
        """Whether a write after the given moment must change the stamp."""
        coarse = self.mtime_ns % 1_000_000_000 == 0
        return at_ns - self.mtime_ns >= (_COARSE_TICK_NS if coarse else _TICK_NS)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a stat said about one path; only a regular file has a stamp."""

    status: FileStatus
    detail: str = ""
    stamp: _Stamp | None = None


@dataclass(frozen=True, slots=True)
class _Content:
    """The sections of one file, `None` if there is no file. Equal if stamp and text are."""

    sections: Mapping[str, Section] | None = field(compare=False, repr=False)
    stamp: _Stamp | None = None
    digest: bytes = b""
    settled: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class _File:
    """What became of one file, and what is in it."""

    state: FileState
    content: _Content


@dataclass(frozen=True, slots=True)
class _Pair:
    """Both files, and the snapshot made of them. Equal if both files are."""

    config: _File
    credentials: _File
    snapshot: ProfileSnapshot = field(compare=False)


_EMPTY = _Content({}, digest=hashlib.sha256().digest())

# Shared by the whole process: parsed files by path, snapshots by both paths.
_contents: Recent[str, _Content] = Recent(_CACHED)
_pairs: Recent[FilePaths, _Pair] = Recent(_CACHED)


async def load_profiles(
    environ: Mapping[str, str],
    *,
    config_file: str | os.PathLike[str] | None = None,
    credentials_file: str | os.PathLike[str] | None = None,
) -> ProfileSnapshot:
    """Read both profile files.

    A missing file, a directory, or a file that cannot be read counts as empty, as in botocore; for
    the last there is a warning, again only after one of the files changed.

    Args:
        environ: Stands for `os.environ`; must not change during the call.
        config_file: The config file instead of that of the environment.
        credentials_file: The credentials file instead of that of the environment.

    Returns:
        The same object as before if neither file has changed.

    Raises:
        ConfigParseError: A file cannot be parsed; if neither can, it is about the config file.
    """
    paths, seen = await in_thread(_look, environ, config_file, credentials_file)
    config = _cached("config", paths.config, seen[0])
    credentials = _cached("credentials", paths.credentials, seen[1])
    if config is None or credentials is None:
        config, credentials = await _read_both(paths, seen)
    known = _pairs.get(paths)
    if known is not None and (known.config, known.credentials) == (config, credentials):
        return known.snapshot
    made = await in_thread(_assemble, config, credentials)
    agreed = _pairs.agree(paths, made)
    if agreed is made:
        for state in made.snapshot.files:
            if state.status == "unreadable":
                log(
                    _log,
                    logging.WARNING,
                    "profiles.unreadable",
                    "cannot read %(path)s: %(error)s; it counts as empty",
                    path=str(state.path),
                    error=state.detail,
                )
    return agreed.snapshot


def _look(
    environ: Mapping[str, str],
    config_file: str | os.PathLike[str] | None,
    credentials_file: str | os.PathLike[str] | None,
) -> tuple[FilePaths, tuple[_Seen, _Seen]]:
    paths = locate(environ, config_file=config_file, credentials_file=credentials_file)
    return paths, (_stat(paths.config), _stat(paths.credentials))


def _stat(path: str) -> _Seen:
    try:
        result = os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a null character
        return _Seen("missing")
    except OSError as error:
        return _Seen("unreadable", _reason(error))
    if stat.S_ISDIR(result.st_mode):
        return _Seen("directory")
    if not stat.S_ISREG(result.st_mode):
        return _Seen("missing", "not a regular file")
    return _Seen(
        "read",
        stamp=_Stamp(result.st_ino, result.st_dev, result.st_size, result.st_mtime_ns),
    )


async def _read_both(paths: FilePaths, seen: tuple[_Seen, _Seen]) -> tuple[_File, _File]:
    results: dict[FileKind, _File | Exception] = {}

    async def read(kind: FileKind, path: str, seen: _Seen) -> None:
        # Kept, not raised, so that the error comes out bare and the config file's comes first.
        try:
            results[kind] = await _read(kind, path, seen)
        except Exception as error:
            results[kind] = error

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, "config", paths.config, seen[0])
        tasks.start_soon(read, "credentials", paths.credentials, seen[1])
    return _result(results["config"]), _result(results["credentials"])


def _result(result: _File | Exception) -> _File:
    if isinstance(result, ConfigParseError):
        # The frames it went through hold the text of the file, and error reporters send the
        # variables of frames home.
        raise result.with_traceback(None)
    if isinstance(result, Exception):
        raise result
    return result


def _cached(kind: FileKind, path: str, seen: _Seen) -> _File | None:
    """What is known without reading."""
    if seen.stamp is None:
        return _File(FileState(path, kind, seen.status, seen.detail), _Content(None))
    known = _contents.get(path)
    if known is not None and known.settled and known.stamp == seen.stamp:
        return _File(FileState(path, kind, "read"), known)
    return None


async def _read(kind: FileKind, path: str, seen: _Seen) -> _File:
    attempt = 0
    while True:
        attempt += 1
        cached = _cached(kind, path, seen)
        if cached is not None:
            return cached
        started = time.time_ns()
        try:
            data = await read_file(path)
        except FileNotFoundError:
            return _File(FileState(path, kind, "missing"), _Content(None))
        except OSError as error:
            # Empty, not absent: that is what botocore's parser makes of a file it cannot open.
            return _File(FileState(path, kind, "unreadable", _reason(error)), _EMPTY)
        last = attempt == _ATTEMPTS
        seen, content = await in_thread(_take, path, data, seen, started, last)
        if content is not None:
            return _File(FileState(path, kind, "read"), content)


def _take(
    path: str, data: bytes, seen: _Seen, started_ns: int, last: bool
) -> tuple[_Seen, _Content | None]:
    """Parse and cache what was read, unless the file has changed since it was seen."""
    now = _stat(path)
    digest = _digest(data)
    if now != seen:
        # A file that never rests must not hold up the caller for ever: the last try counts.
        return now, _Content(parse_ini(data, path), None, digest) if last else None
    assert seen.stamp is not None
    known = _contents.get(path)
    if known is not None and (known.stamp, known.digest) == (seen.stamp, digest):
        sections = known.sections
    else:
        sections = parse_ini(data, path)
    content = _Content(sections, seen.stamp, digest, seen.stamp.is_settled(started_ns))
    _contents.put(path, content)
    return now, content


def _assemble(config: _File, credentials: _File) -> _Pair:
    snapshot = ProfileSnapshot.from_files(
        config.content.sections, credentials.content.sections, (config.state, credentials.state)
    )
    return _Pair(config, credentials, snapshot)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__

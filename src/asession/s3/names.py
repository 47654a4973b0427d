"""Keys and file names: which file a key is, and which keys are no file's; plain functions."""

from __future__ import annotations

import os
import unicodedata

from asession.exceptions import TransferFailedError


def directory_prefix(prefix: str) -> str:
    """A prefix that names a directory: it ends with a slash unless it is empty."""
    return prefix if not prefix or prefix.endswith("/") else prefix + "/"


def file_name(location: str, name: str, *, windows: bool = os.name == "nt") -> str:
    """The relative path of the file for what follows the prefix in a key.

    Args:
        location: The object, for messages.
        name: The rest of its key, with slashes.
        windows: Whether the names must be fit for Windows.

    Raises:
        TransferFailedError: No file inside the directory has that name.
    """
    parts = name.split("/")
    for part in parts:
        wrong = ""
        if part in ("", ".", ".."):
            wrong = f"a part of its name is {part!r}"
        elif "\0" in part:
            wrong = "its name contains a NUL"
        elif windows and (set(part) & set('<>:"\\|?*') or part[-1] in " ."):
            wrong = "Windows has no such file names"
        if wrong:
            raise TransferFailedError(
                location=location,
                reason=f"{wrong}: it cannot be a file below the directory; download it with "
                "download_file and a name of your own",
            )
    return os.path.join(*parts)


class Names:
    """The files that one download makes; lives as long as the download.

    Two keys that differ in case or in their Unicode form alone are one file on many systems.
    """

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def claim(self, location: str, path: str) -> None:
        """Take a name.

        Raises:
            TransferFailedError: Another key has it.
        """
        folded = unicodedata.normalize("NFC", path).casefold()
        other = self._seen.setdefault(folded, location)
        if other != location:
            raise TransferFailedError(
                location=location,
                reason=f"its name differs from that of {other} in case alone, and on many systems "
                "both are the same file; give collisions='allow' where they are not",
            )

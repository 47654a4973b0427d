"""Whether what arrived is what the object's checksum is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asession.exceptions import ChecksumMismatchError
from asession.s3.checksums import (
    Checksum,
    can_combine,
    combined,
    composite,
    encode,
    new_checksum,
    stated_checksum,
)


class Verifier:
    """Compares a download with the checksum that S3 states; lives as long as the download.

    A checksum of the whole object is compared with that of all bytes, or, for CRCs, with that
    combined from the parts'; a composite with that of our own parts, which says something only if
    they are the parts in which the object was uploaded.

    Args:
        location: What is downloaded, for messages.
        response: What S3 says of the object.
        in_parts: Whether the bytes arrive as several parts.
    """

    def __init__(self, location: str, response: Mapping[str, Any], *, in_parts: bool) -> None:
        self._location = location
        self._algorithm, self._stated = stated_checksum(response) or ("", "")
        self._composite = "-" in self._stated
        self._digests: dict[int, tuple[bytes, int]] = {}
        by_parts = self._composite or (in_parts and can_combine(self._algorithm))
        self._by_parts = bool(self._algorithm) and (by_parts or not in_parts)

    @property
    def needs_whole(self) -> bool:
        """Whether only a second look at all bytes can tell."""
        return bool(self._algorithm) and not self._by_parts

    @property
    def first_size(self) -> int:
        """The bytes of our own first part."""
        return self._digests[min(self._digests)][1]

    def new(self) -> Checksum | None:
        """A checksum to take the bytes of one part, if that is of use."""
        return new_checksum(self._algorithm) if self._by_parts else None

    def new_whole(self) -> Checksum | None:
        """A checksum to take all bytes in order, if that is of use."""
        return new_checksum(self._algorithm) if self.needs_whole else None

    def done(self, number: int, checksum: Checksum | None, size: int) -> None:
        """A part is complete."""
        if checksum is not None:
            self._digests[number] = checksum.digest(), size

    def check_whole(self, digest: bytes) -> None:
        """Compare all bytes' checksum.

        Raises:
            ChecksumMismatchError: It is not the one that S3 states.
        """
        if encode(digest) != self._stated:
            raise self.mismatch(encode(digest))

    def check(self) -> str | None:
        """Compare the parts' checksums.

        Returns:
            A composite that is not the stated one: wrong if the parts are those of the upload.

        Raises:
            ChecksumMismatchError: They are not those of the object.
        """
        if not self._by_parts or not self._digests:
            return None
        parts = [self._digests[number] for number in sorted(self._digests)]
        if self._composite:
            found = composite(self._algorithm, (digest for digest, _ in parts))
            same_count = found.rpartition("-")[2] == self._stated.rpartition("-")[2]
            return found if same_count and found != self._stated else None
        self.check_whole(parts[0][0] if len(parts) == 1 else combined(self._algorithm, parts))
        return None

    def mismatch(self, found: str) -> ChecksumMismatchError:
        """The error for a checksum that is not the stated one."""
        return ChecksumMismatchError(
            location=self._location,
            reason=(
                f"the {self._algorithm} of what arrived is {found}, that of the object "
                f"{self._stated}: the bytes were damaged on their way; try again"
            ),
        )

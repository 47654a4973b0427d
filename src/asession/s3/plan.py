"""Which parts an object is sent, fetched and copied in: plain arithmetic.

The limits are those of S3's multipart uploads:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

MIN_PART = 5 * MIB
MAX_PART = 5 * GIB
MAX_PARTS = 10_000
# The most that one PutObject or CopyObject takes.
MAX_SINGLE = 5 * GIB
# A part of an upload of unknown length grows by one part size after so many parts.
_GROW_EVERY = 1_000


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of an object, and its place among the parts; a value.

    Attributes:
        number: From 1.
        start: The offset of its first byte.
        size: Its length in bytes, at least one, but for the only part of an empty object.
    """

    number: int
    start: int
    size: int

    @property
    def end(self) -> int:
        """The offset after its last byte."""
        return self.start + self.size

    @property
    def range(self) -> str:
        """Its bytes as HTTP and `CopySourceRange` name them: the last one is included."""
        return f"bytes={self.start}-{self.end - 1}"


def is_multipart(size: int, threshold: int) -> bool:
    """Whether an object of that size goes in parts."""
    return size >= threshold or size > MAX_SINGLE


def upload_part_size(wanted: int, size: int | None = None) -> int:
    """The size of the parts of an upload or copy, within S3's limits.

    It is doubled until the parts are few enough, as boto3 does, so that both make the same parts,
    and therefore the same ETag.

    Args:
        wanted: The configured part size in bytes.
        size: The size of the object in bytes, `None` if unknown.

    Raises:
        ValueError: No part size is large enough.
    """
    chosen = wanted
    if size is not None:
        while -(-size // chosen) > MAX_PARTS:
            chosen *= 2
    chosen = min(max(chosen, MIN_PART), MAX_PART)
    if size is not None and -(-size // chosen) > MAX_PARTS:
        raise ValueError(
            f"an object of {size} bytes is too large for S3, which takes {MAX_PARTS} parts of "
            f"{MAX_PART} bytes"
        )
    return chosen


def streamed_part_size(base: int, number: int) -> int:
    """The size of one part of an upload whose length nobody knows.

    It grows by `base` every 1,000 parts: 8 MiB at first are enough for 430 GiB, while the parts
    held in memory stay small.

    Args:
        base: The size of the first parts in bytes.
        number: The number of the part, from 1.

    Raises:
        ValueError: S3 takes no more parts.
    """
    if number > MAX_PARTS:
        raise ValueError(
            f"S3 takes {MAX_PARTS} parts, and the source has more: give a larger "
            "TransferConfig(multipart_chunksize=...)"
        )
    return min(base * (1 + (number - 1) // _GROW_EVERY), MAX_PART)


def parts(size: int, part_size: int) -> Iterator[Part]:
    """The parts of an object, in order; a single empty one for an empty object.

    Args:
        size: The size of the object in bytes.
        part_size: Of each part but the last, in bytes.
    """
    if not size:
        yield Part(1, 0, 0)
    for index in range(-(-size // part_size)):
        start = index * part_size
        yield Part(index + 1, start, min(part_size, size - start))

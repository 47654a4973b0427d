"""Whether a local file is what an object holds, by size, ETag and checksum."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from typing import Any, BinaryIO

from asession._runtime.threads import heed_cancellation, in_thread
from asession.exceptions import ClientError
from asession.s3.arguments import Arguments
from asession.s3.checksums import (
    Checksum,
    composite,
    encode,
    new_checksum,
    stated_checksum,
)
from asession.s3.multipart import Place
from asession.s3.plan import MIB, parts, upload_part_size


async def is_same(
    place: Place, asked: Arguments, path: str, size: int, etag: str, chunk: int
) -> bool:
    """Compare a file with an object.

    An ETag is the MD5 of the content, or, of an object uploaded in parts, that of the parts' MD5s
    and their number. With encryption by KMS or customer keys it is neither, and of parts of another
    size it says nothing: then S3 is asked for the checksum of the object. Where there is none, or
    we may not know it, the object counts as another.

    Args:
        place: Where the object is.
        asked: More arguments of a request for its head.
        path: The file; it need not exist.
        size: The object's, in bytes.
        etag: The object's, with or without quotes.
        chunk: The part size that uploads are configured with.
    """
    found = await in_thread(_etag, path, size, etag, chunk)
    if found is None or found == etag.strip('"'):
        return found is not None
    try:
        head: dict[str, Any] = await place.client.head_object(
            **place.names, **asked, ChecksumMode="ENABLED"
        )
    except ClientError:
        return False
    stated = stated_checksum(head)
    if stated is None or (head.get("ETag"), head.get("ContentLength")) != (etag, size):
        return False
    return await in_thread(_has_checksum, path, size, *stated, chunk)


def _etag(path: str, size: int, etag: str, chunk: int) -> str | None:
    """The ETag that a file would have; `None` if it is not of that size. For worker threads."""
    try:
        if os.stat(path).st_size != size:
            return None
        with open(path, "rb") as file:
            if "-" not in etag:
                return _digest(file, size, _md5()).hex()
            digests = b"".join(_by_parts(file, size, chunk, _md5))
            whole = hashlib.md5(digests, usedforsecurity=False).hexdigest()
            return f"{whole}-{len(digests) // 16}"
    except (OSError, ValueError):
        return None


def _has_checksum(path: str, size: int, algorithm: str, stated: str, chunk: int) -> bool:
    """Whether a file has the checksum that S3 states of an object. For worker threads."""

    def new() -> Checksum:
        checksum = new_checksum(algorithm)
        assert checksum is not None
        return checksum

    try:
        with open(path, "rb") as file:
            if "-" not in stated:
                return encode(_digest(file, size, new())) == stated
            return composite(algorithm, _by_parts(file, size, chunk, new)) == stated
    except (OSError, ValueError):
        return False


def _md5() -> Checksum:
    return hashlib.md5(usedforsecurity=False)


def _by_parts(file: BinaryIO, size: int, chunk: int, new: Any) -> Iterator[bytes]:
    for part in parts(size, upload_part_size(chunk, size)):
        yield _digest(file, part.size, new())


def _digest(file: BinaryIO, size: int, checksum: Checksum) -> bytes:
    while size and (piece := file.read(min(MIB, size))):
        heed_cancellation()
        checksum.update(piece)
        size -= len(piece)
    return checksum.digest()

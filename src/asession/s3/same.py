"""Whether a local file is what an object holds, by size and ETag."""

from __future__ import annotations

import hashlib
import os

from asession.s3.plan import MIB, parts, upload_part_size


def is_same(path: str, size: int, etag: str, chunk: int) -> bool:
    """Compare a file with an object, in a worker thread.

    An ETag is the MD5 of the content, or, of an object uploaded in parts, that of the parts' MD5s
    and their number. With encryption by KMS or customer keys it is neither: such an object counts
    as another.

    Args:
        path: The file; it need not exist.
        size: The object's, in bytes.
        etag: The object's, with or without quotes.
        chunk: The part size that uploads are configured with.
    """
    try:
        if os.stat(path).st_size != size:
            return False
        with open(path, "rb") as file:
            digest, _, count = etag.strip('"').partition("-")
            if not count:
                return _md5(file, size).hexdigest() == digest
            plan = list(parts(size, upload_part_size(chunk, size)))
            if len(plan) != int(count):
                return False
            whole = hashlib.md5(usedforsecurity=False)
            for part in plan:
                whole.update(_md5(file, part.size).digest())
            return whole.hexdigest() == digest
    except (OSError, ValueError):
        return False


def _md5(file: object, size: int) -> hashlib._Hash:
    digest = hashlib.md5(usedforsecurity=False)
    while size and (piece := file.read(min(MIB, size))):  # type: ignore[attr-defined]
        digest.update(piece)
        size -= len(piece)
    return digest

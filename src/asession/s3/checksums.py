"""Checksums of whole objects from those of their parts: the arithmetic of CRCs, and composites.

A CRC is a remainder of polynomials over GF(2); appending n bytes multiplies by x^8n and adds, so
that the CRC of two stretches follows from theirs and the length of the second. The method is
zlib's `crc32_combine`; the polynomials, bit-reversed, are those of
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

import base64
import functools
import hashlib
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

_POLYNOMIALS = {
    "CRC32": (0xEDB88320, 32),
    "CRC32C": (0x82F63B78, 32),
    "CRC64NVME": (0x9A6C9329AC4BC9B5, 64),
}
# In the order in which they are tried on a download: cheap ones first.
_ORDER = ("CRC32", "CRC64NVME", "CRC32C", "SHA256", "SHA1", "SHA512")
_HASHES = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}


class Checksum(Protocol):
    """Takes bytes, gives a digest."""

    def update(self, data: Any, /) -> Any:
        """Take the next bytes."""

    def digest(self) -> bytes:
        """The checksum of the bytes so far, big-endian."""


class Crc32:
    """zlib's CRC32 with the interface of hashlib."""

    __slots__ = ("_value",)

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: Any, /) -> None:
        """Take the next bytes."""
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        """Four bytes, big-endian."""
        return self._value.to_bytes(4, "big")


def new_checksum(algorithm: str) -> Checksum | None:
    """A new checksum; `None` where this Python has none: CRC32C and CRC64NVME need `awscrt`."""
    if algorithm == "CRC32":
        return Crc32()
    if algorithm in _HASHES:
        return _HASHES[algorithm]()
    from asession._aws.checksums import crt_checksum

    found: Checksum | None = crt_checksum(algorithm)
    return found


def stated_checksum(response: Mapping[str, Any]) -> tuple[str, str] | None:
    """The algorithm and the value of a checksum that S3 states of an object, if we know one."""
    for algorithm in _ORDER:
        value = response.get(f"Checksum{algorithm}")
        if value is not None and new_checksum(algorithm) is not None:
            return algorithm, value
    return None


def encode(digest: bytes) -> str:
    """A digest as S3 writes it."""
    return base64.b64encode(digest).decode()


def can_combine(algorithm: str) -> bool:
    """Whether the checksum of a whole follows from those of its parts."""
    return algorithm in _POLYNOMIALS


def combined(algorithm: str, parts: Iterable[tuple[bytes, int]]) -> bytes:
    """The checksum of a whole object.

    Args:
        algorithm: One that `can_combine`.
        parts: The digest and the size in bytes of each part, in order.
    """
    polynomial, width = _POLYNOMIALS[algorithm]
    whole = 0
    for digest, size in parts:
        shift = _power(size, polynomial, width)
        whole = _multiply(shift, whole, polynomial, width) ^ int.from_bytes(digest, "big")
    return whole.to_bytes(width // 8, "big")


def composite(algorithm: str, digests: Iterable[bytes]) -> str:
    """S3's composite checksum: that of the parts' digests in a row, and their number."""
    checksum = new_checksum(algorithm)
    assert checksum is not None
    count = 0
    for digest in digests:
        checksum.update(digest)
        count += 1
    return f"{encode(checksum.digest())}-{count}"


def _multiply(a: int, b: int, polynomial: int, width: int) -> int:
    """The product of two polynomials; their highest coefficient is the lowest bit."""
    product = 0
    bit = 1 << (width - 1)
    while a:
        if a & bit:
            product ^= b
            a ^= bit
        b = (b >> 1) ^ polynomial if b & 1 else b >> 1
        bit >>= 1
    return product


@functools.lru_cache(maxsize=64)
def _power(size: int, polynomial: int, width: int) -> int:
    """x to the power of the bits in `size` bytes."""
    result = 1 << (width - 1)  # 1
    base = 1 << (width - 9)  # x to the 8th
    while size:
        if size & 1:
            result = _multiply(base, result, polynomial, width)
        base = _multiply(base, base, polynomial, width)
        size >>= 1
    return result

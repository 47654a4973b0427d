"""The checksum of a whole object from those of its parts."""

import base64
import hashlib
import os
import zlib

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asession._runtime.threads import in_thread
from asession.s3.checksums import (
    Crc32,
    combined,
    composite,
    encode,
    new_checksum,
    stated_checksum,
)
from asession.s3.same import _digest
from asession.s3.tempfiles import TempFile


def crc32(data):
    return zlib.crc32(data).to_bytes(4, "big")


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=6))
def test_the_crc32_of_a_whole_follows_from_its_parts(pieces):
    whole = combined("CRC32", [(crc32(piece), len(piece)) for piece in pieces])
    assert whole == crc32(b"".join(pieces))


def bitwise(data, polynomial, width):
    """A CRC as the definition has it, bit by bit."""
    mask = (1 << width) - 1
    value = mask
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ polynomial if value & 1 else value >> 1
    return (value ^ mask).to_bytes(width // 8, "big")


@pytest.mark.parametrize(
    ("algorithm", "polynomial", "width", "check"),
    [
        ("CRC32", 0xEDB88320, 32, "cbf43926"),
        ("CRC32C", 0x82F63B78, 32, "e3069283"),
        ("CRC64NVME", 0x9A6C9329AC4BC9B5, 64, "ae8b14860a799888"),
    ],
)
def test_every_crc_can_be_combined(algorithm, polynomial, width, check):
    # The check values of the catalogue of CRCs, for "123456789".
    assert bitwise(b"123456789", polynomial, width).hex() == check
    pieces = [b"1", b"2345", b"", b"6789" * 50]
    digests = [(bitwise(piece, polynomial, width), len(piece)) for piece in pieces]
    assert combined(algorithm, digests) == bitwise(b"".join(pieces), polynomial, width)


def test_ten_thousand_parts_are_combined():
    part = bytes(1000)
    digest = crc32(part)
    assert combined("CRC32", [(digest, 1000)] * 10_000) == crc32(bytes(10_000_000))


def test_a_composite_is_the_checksum_of_the_digests_and_their_number():
    digests = [hashlib.sha256(b"a").digest(), hashlib.sha256(b"b").digest()]
    expected = base64.b64encode(hashlib.sha256(b"".join(digests)).digest()).decode()
    assert composite("SHA256", digests) == f"{expected}-2"


def test_our_crc32_is_zlibs():
    checksum = Crc32()
    checksum.update(b"abc")
    checksum.update(memoryview(b"def"))
    assert checksum.digest() == crc32(b"abcdef")
    assert encode(checksum.digest()) == base64.b64encode(crc32(b"abcdef")).decode()


def test_a_checksum_that_cannot_be_computed_is_passed_over():
    missing = new_checksum("CRC64NVME") is None
    response = {"ChecksumCRC64NVME": "x", "ChecksumSHA1": "y"}
    assert stated_checksum(response) == (("SHA1", "y") if missing else ("CRC64NVME", "x"))
    assert stated_checksum({"ETag": "z"}) is None


class Counting:
    """A checksum that counts, and says when it has begun."""

    def __init__(self, begun):
        self.begun = begun
        self.count = 0

    def update(self, data):
        self.count += len(data)
        anyio.from_thread.run_sync(self.begun.set)

    def digest(self):
        return b""


@pytest.mark.anyio
async def test_reading_a_whole_file_again_ends_when_it_is_cancelled(tmp_path):
    size = 1 << 30
    temp = TempFile(str(tmp_path / "file"), fsync=False)
    temp.open()
    os.truncate(temp._temp, size)  # nothing on the disk

    def again(checksum):
        with open(temp._temp, "rb") as file:
            _digest(file, size, checksum)

    for read in (temp.digest, again):
        checksum = Counting(anyio.Event())
        async with anyio.create_task_group() as group:
            group.start_soon(in_thread, read, checksum)
            await checksum.begun.wait()
            group.cancel_scope.cancel()
        assert 0 < checksum.count < size
    temp.discard()

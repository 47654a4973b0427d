"""Parts, ranges and part sizes: plain arithmetic, against boto3's where it has the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from s3transfer.utils import ChunksizeAdjuster

from asession.s3.plan import (
    GIB,
    KIB,
    MAX_PART,
    MAX_PARTS,
    MIB,
    MIN_PART,
    Part,
    is_multipart,
    parts,
    streamed_part_size,
    upload_part_size,
)

CHUNK = 8 * MIB


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, [(1, 0, 0)]),
        (1, [(1, 0, 1)]),
        (CHUNK - 1, [(1, 0, CHUNK - 1)]),
        (CHUNK, [(1, 0, CHUNK)]),
        (CHUNK + 1, [(1, 0, CHUNK), (2, CHUNK, 1)]),
        (5 * CHUNK, [(n + 1, n * CHUNK, CHUNK) for n in range(5)]),
    ],
)
def test_parts_at_every_threshold(size, expected):
    assert list(parts(size, CHUNK)) == [Part(*one) for one in expected]


@given(st.integers(0, 10 * MIB), st.integers(64 * KIB, 3 * MIB))
def test_parts_are_the_whole_object_without_gap_or_overlap(size, part_size):
    end = 0
    for number, part in enumerate(parts(size, part_size), 1):
        assert (part.number, part.start) == (number, end)
        assert part.size <= part_size
        end = part.end
    assert end == size


def test_a_range_includes_its_last_byte():
    assert Part(2, 8, 4).range == "bytes=8-11"


def test_ten_thousand_and_one_parts_become_half_as_many():
    size = CHUNK * MAX_PARTS + 1
    chosen = upload_part_size(CHUNK, size)
    assert chosen == 2 * CHUNK
    planned = list(parts(size, chosen))
    assert len(planned) == 5_001
    assert planned[-1] == Part(5_001, 5_000 * chosen, 1)
    assert upload_part_size(CHUNK, size - 1) == CHUNK


@given(st.integers(1, 6 * GIB), st.one_of(st.none(), st.integers(0, 40_000 * GIB)))
def test_part_sizes_are_those_of_boto3(wanted, size):
    assert upload_part_size(wanted, size) == ChunksizeAdjuster().adjust_chunksize(wanted, size)


def test_an_object_too_large_for_any_part_size_is_refused():
    with pytest.raises(ValueError, match="too large for S3"):
        upload_part_size(CHUNK, MAX_PART * MAX_PARTS + 1)


def test_parts_of_unknown_length_grow_slowly_and_end_with_a_clear_error():
    sizes = [streamed_part_size(CHUNK, number) for number in range(1, MAX_PARTS + 1)]
    assert sizes[:1000] == [CHUNK] * 1000
    assert sizes[1000] == 2 * CHUNK
    assert sizes == sorted(sizes)
    assert sum(sizes) > 400 * GIB
    assert max(sizes) <= 10 * CHUNK
    with pytest.raises(ValueError, match="multipart_chunksize"):
        streamed_part_size(CHUNK, MAX_PARTS + 1)


def test_parts_of_unknown_length_stay_within_the_limits_of_s3():
    assert streamed_part_size(MIN_PART, 1) == MIN_PART
    assert streamed_part_size(MAX_PART, MAX_PARTS) == MAX_PART


def test_what_one_request_cannot_take_goes_in_parts_whatever_the_threshold():
    assert not is_multipart(CHUNK - 1, CHUNK)
    assert is_multipart(CHUNK, CHUNK)
    assert is_multipart(5 * GIB + 1, 100 * GIB)
    assert not is_multipart(5 * GIB, 100 * GIB)

"""Row 5: the first client of a process, with its imports done, and with them."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchmarks.run import run
from benchmarks.studies import Mark, Scene, Study

PEERS = ("boto3", "aiobotocore", "asession", "aiobotocore-trio", "asession-trio")
SHOWN = ("cpu", "wall", "stall", "idle", "collector")
PAIRS = (("asession", "aiobotocore"), ("asession-trio", "aiobotocore-trio"))
# The longest stall that is aimed at, in milliseconds.
STALLS = {"s3": 15, "ec2": 30}


def _scenes(service: str) -> tuple[Scene, Scene]:
    name = f"first {service.upper()} client"
    with_imports = ("aiobotocore", "asession", "aiobotocore-trio", "asession-trio")
    return (
        Scene(name, "first", service, PEERS, rounds=5, shown=SHOWN),
        Scene(f"{name}, with imports", "imports", service, with_imports, rounds=3, shown=SHOWN),
    )


def _marks(service: str) -> Iterator[Mark]:
    name = _scenes(service)[0].name
    for ours, theirs in PAIRS:
        yield Mark(name, "cpu", ours, 1.8, 2.5, theirs)
        yield Mark(name, "stall", ours, 2, None, theirs)
        yield Mark(name, "stall", ours, None, STALLS[service])


ROW = Study(
    number=5,
    title="The first client of a process",
    scenes=(*_scenes("s3"), *_scenes("ec2")),
    marks=(*_marks("s3"), *_marks("ec2")),
    profiled={_scenes(service)[0].name: ("aiobotocore", "asession") for service in STALLS},
)

if __name__ == "__main__":
    run({"row05_first": ROW}, "benchmarks.row05_first", sys.argv[1:])

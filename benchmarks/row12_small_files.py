"""Row 12: a thousand files of 64 KiB up and down, ten at once."""

from __future__ import annotations

import sys

from benchmarks.run import run
from benchmarks.studies import Mark, Scene, Study

PEERS = ("boto3", "aioboto3", "asession", "asession-trio")
OURS = ("asession", "asession-trio")
SHOWN = ("cpu", "wall", "rate", "rss", "stall", "held")

UP = Scene("1000 x 64 KiB up", "transfer", "ups", PEERS, rounds=5, shown=SHOWN)
DOWN = Scene("1000 x 64 KiB down", "transfer", "downs", PEERS, rounds=5, shown=SHOWN)

ROW = Study(
    number=12,
    title="1000 files of 64 KiB up and down, ten at once",
    scenes=(UP, DOWN),
    marks=tuple(
        Mark(scene.name, "cpu", ours, 1.5, 2.5, "aioboto3") for scene in (UP, DOWN) for ours in OURS
    ),
    profiled={},
)

if __name__ == "__main__":
    run({"row12_small_files": ROW}, "benchmarks.row12_small_files", sys.argv[1:])

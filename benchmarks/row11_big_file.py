"""Row 11: one file of 256 MiB up and down."""

from __future__ import annotations

import sys

from benchmarks.run import run
from benchmarks.studies import Mark, Scene, Study

PEERS = ("boto3", "aioboto3", "asession", "asession-trio")
OURS = ("asession", "asession-trio")
SHOWN = ("wall", "rate", "cpu", "rss", "stall", "held")

UP = Scene("256 MiB up", "transfer", "up", PEERS, rounds=5, shown=SHOWN)
DOWN = Scene("256 MiB down", "transfer", "down", PEERS, rounds=5, shown=SHOWN)

ROW = Study(
    number=11,
    title="one file of 256 MiB up and down",
    scenes=(UP, DOWN),
    marks=(
        *(Mark(UP.name, "wall", ours, 1, None, "aioboto3") for ours in OURS),
        *(Mark(UP.name, "wall", ours, None, 1, "boto3") for ours in OURS),
        *(Mark(DOWN.name, "wall", ours, 1.2, None, "aioboto3") for ours in OURS),
        *(Mark(DOWN.name, "wall", ours, 1.2, None, "boto3") for ours in OURS),
        *(
            mark
            for scene in (UP, DOWN)
            for ours in OURS
            for mark in (
                Mark(scene.name, "stall", ours, 2, None, "aioboto3"),
                Mark(scene.name, "stall", ours, None, 20),
                Mark(scene.name, "rss", ours, 96 * 1024, None),
            )
        ),
    ),
    profiled={},
)

if __name__ == "__main__":
    run({"row11_big_file": ROW}, "benchmarks.row11_big_file", sys.argv[1:])

"""Row 3: a new session and client on trio, in a warm process."""

from __future__ import annotations

import sys

from benchmarks.run import run
from benchmarks.studies import Mark, Scene, Study

PEERS = ("aiobotocore-trio", "asession-trio")
SHOWN = ("cpu", "wall", "stall", "collector")
S3 = Scene("a session and S3 client", "warm", "s3", PEERS, times=3, rounds=8, shown=SHOWN)
EC2 = Scene("a session and EC2 client", "warm", "ec2", PEERS, times=3, rounds=8, shown=SHOWN)

ROW = Study(
    number=3,
    title="A new session and client, trio",
    scenes=(S3, EC2),
    marks=tuple(
        Mark(scene.name, "cpu", "asession-trio", 35, 80, "aiobotocore-trio") for scene in (S3, EC2)
    ),
    profiled={S3.name: PEERS},
)

if __name__ == "__main__":
    run({"row03_open_trio": ROW}, "benchmarks.row03_open_trio", sys.argv[1:])

"""Row 1: a new session and S3 client, asyncio, in a warm process."""

from __future__ import annotations

import sys

from benchmarks.run import run
from benchmarks.studies import Mark, Scene, Study

PEERS = ("boto3", "aioboto3", "aiobotocore", "asession")
SCENE = Scene(
    "a session and S3 client",
    "warm",
    "s3",
    PEERS,
    times=3,
    shown=("cpu", "wall", "stall", "collector"),
)

ROW = Study(
    number=1,
    title="A new session and S3 client, asyncio",
    scenes=(SCENE,),
    marks=(Mark(SCENE.name, "cpu", "asession", 25, 60, "aiobotocore"),),
    profiled={SCENE.name: ("aiobotocore", "asession")},
)

if __name__ == "__main__":
    run({"row01_open_s3": ROW}, "benchmarks.row01_open_s3", sys.argv[1:])

"""Row 2: a new session and EC2 client, asyncio, in a warm process."""

from __future__ import annotations

import sys

from benchmarks.run import run
from benchmarks.studies import Mark, Scene, Study

PEERS = ("boto3", "aioboto3", "aiobotocore", "asession")
SCENE = Scene(
    "a session and EC2 client",
    "warm",
    "ec2",
    PEERS,
    times=3,
    rounds=8,
    shown=("cpu", "wall", "stall", "collector"),
)

ROW = Study(
    number=2,
    title="A new session and EC2 client, asyncio",
    scenes=(SCENE,),
    marks=(Mark(SCENE.name, "cpu", "asession", 40, 100, "aiobotocore"),),
    profiled={SCENE.name: ("aiobotocore", "asession")},
)

if __name__ == "__main__":
    run({"row02_open_ec2": ROW}, "benchmarks.row02_open_ec2", sys.argv[1:])

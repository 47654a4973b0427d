"""Row 4: 50 tasks that each open a session and client of their own, in a warm process."""

from __future__ import annotations

import sys

from benchmarks.run import run
from benchmarks.studies import Mark, Scene, Study

TASKS = 50
SHOWN = ("wall", "cpu", "stall", "idle", "collector")


def _scene(loop: str, peers: tuple[str, str]) -> Scene:
    name = f"{TASKS} tasks, {loop}"
    return Scene(name, "crowd", "s3", peers, times=TASKS, rounds=3, shown=SHOWN)


ASYNCIO = _scene("asyncio", ("aiobotocore", "asession"))
TRIO = _scene("trio", ("aiobotocore-trio", "asession-trio"))

ROW = Study(
    number=4,
    title=f"{TASKS} tasks with a session and S3 client each",
    scenes=(ASYNCIO, TRIO),
    marks=(
        Mark(ASYNCIO.name, "wall", "asession", 30, 100, "aiobotocore"),
        Mark(ASYNCIO.name, "stall", "asession", 20, 5),
        Mark(TRIO.name, "wall", "asession-trio", 30, 100, "aiobotocore-trio"),
        Mark(TRIO.name, "stall", "asession-trio", 20, 5),
    ),
    profiled={},
)

if __name__ == "__main__":
    run({"row04_crowd": ROW}, "benchmarks.row04_crowd", sys.argv[1:])

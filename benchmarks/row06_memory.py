"""Row 6: memory of each further session and client that is held open."""

from __future__ import annotations

import sys

from benchmarks.run import run
from benchmarks.studies import Mark, Scene, Study

PEERS = ("aiobotocore", "asession", "asession-trio")
SHOWN = ("rss", "traced", "rss-left", "traced-left")


def _scene(service: str) -> Scene:
    name = f"sessions with {service.upper()} client"
    # Those of the peers take megabytes, and seconds to make under tracemalloc.
    return Scene(name, "held", service, PEERS, times=50, fewer=5, rounds=2, shown=SHOWN)


S3, EC2 = _scene("s3"), _scene("ec2")

ROW = Study(
    number=6,
    title="Memory of a further session and client held open",
    scenes=(S3, EC2),
    marks=tuple(
        Mark(scene.name, figure, ours, must, aim)
        for scene in (S3, EC2)
        for ours in ("asession", "asession-trio")
        for figure, must, aim in (("rss", 500, 60), ("traced", 500, 60), ("traced-left", 10, 1))
    ),
    profiled={},
)

if __name__ == "__main__":
    run({"row06_memory": ROW}, "benchmarks.row06_memory", sys.argv[1:])

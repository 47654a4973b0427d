"""Row 13: what importing takes, and what it loads."""

from __future__ import annotations

import sys

from benchmarks.run import run
from benchmarks.studies import Mark, Scene, Study

SCENE = Scene(
    "import",
    "module",
    "",
    ("boto3", "aioboto3", "aiobotocore", "asession"),
    rounds=15,
)

ROW = Study(
    number=13,
    title="Importing the package",
    scenes=(SCENE,),
    marks=(Mark(SCENE.name, "cpu", "asession", 2, 5, "boto3"),),
    profiled={},
)

if __name__ == "__main__":
    run({"row13_import": ROW}, "benchmarks.row13_import", sys.argv[1:])

"""Row 10: ListObjectsV2, pages of 1000 keys."""

from __future__ import annotations

import sys

from benchmarks.rows import Goal, Row, Workload
from benchmarks.run import run

PEERS = (
    "boto3",
    "aioboto3",
    "aiobotocore",
    "aiobotocore-trio",
    "asession",
    "asession-trio",
    "raw-transport",
)

ROW = Row(
    number=10,
    title="ListObjectsV2, pages of 1000 keys",
    workloads=(
        Workload("ListObjectsV2 over http", "list_objects", "http", PEERS, requests=10, rounds=10),
    ),
    goals=(
        Goal("asession", "aiobotocore", must=2.5, aim=4),
        Goal("asession-trio", "aiobotocore-trio", must=2.5, aim=4),
    ),
    profiled=("aiobotocore", "asession"),
)

if __name__ == "__main__":
    run({"row10_list_objects": ROW}, "benchmarks.row10_list_objects", sys.argv[1:])

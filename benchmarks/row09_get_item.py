"""Row 9: DynamoDB GetItem on asyncio and trio."""

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
    "asession-uvloop",
    "asession-trio",
    "raw-transport",
)

ROW = Row(
    number=9,
    title="DynamoDB GetItem, asyncio and trio",
    workloads=(Workload("GetItem over http", "get_item", "http", PEERS),),
    goals=(
        Goal("asession", "aiobotocore", must=1.5, aim=1.8),
        Goal("asession-trio", "aiobotocore-trio", must=2, aim=2.8),
    ),
    profiled=("aiobotocore", "asession"),
)

if __name__ == "__main__":
    run({"row09_get_item": ROW}, "benchmarks.row09_get_item", sys.argv[1:])

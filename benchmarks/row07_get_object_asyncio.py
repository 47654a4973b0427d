"""Row 7: GetObject of 1 KiB on asyncio, over http and TLS; PutObject for comparison."""

from __future__ import annotations

import sys

from benchmarks.rows import Goal, Row, Workload
from benchmarks.run import run

PEERS = (
    "boto3",
    "aioboto3",
    "aiobotocore",
    "aiobotocore-uvloop",
    "aiobotocore-httpx2",
    "asession",
    "asession-uvloop",
    "raw-aiohttp",
    "raw-transport",
)

ROW = Row(
    number=7,
    title="GetObject of 1 KiB, asyncio",
    workloads=(
        Workload("GetObject over http", "get_object", "http", PEERS),
        Workload("GetObject over TLS", "get_object", "https", PEERS),
        Workload(
            "PutObject over http",
            "put_object",
            "http",
            ("boto3", "aiobotocore", "asession"),
            judged=False,
        ),
    ),
    goals=(Goal("asession", "aiobotocore", must=1.6, aim=2.2),),
    profiled=("aiobotocore", "asession"),
)

if __name__ == "__main__":
    run({"row07_get_object_asyncio": ROW}, "benchmarks.row07_get_object_asyncio", sys.argv[1:])

"""Row 8: GetObject of 1 KiB on trio, over http and TLS."""

from __future__ import annotations

import sys

from benchmarks.rows import Goal, Row, Workload
from benchmarks.run import run

PEERS = ("aiobotocore-trio", "asession-trio", "raw-transport-trio")

ROW = Row(
    number=8,
    title="GetObject of 1 KiB, trio",
    workloads=(
        Workload("GetObject over http", "get_object", "http", PEERS),
        Workload("GetObject over TLS", "get_object", "https", PEERS),
    ),
    goals=(Goal("asession-trio", "aiobotocore-trio", must=2, aim=3),),
    profiled=("aiobotocore-trio", "asession-trio"),
)

if __name__ == "__main__":
    run({"row08_get_object_trio": ROW}, "benchmarks.row08_get_object_trio", sys.argv[1:])

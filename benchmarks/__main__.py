"""`python -m benchmarks` measures every row, or those whose names are given."""

from __future__ import annotations

import sys

from benchmarks.rows import all_rows
from benchmarks.run import run

if __name__ == "__main__":
    run(all_rows(), "benchmarks", sys.argv[1:])

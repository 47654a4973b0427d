"""The environments in which servers and peers run: nothing of the user's, and one for aioboto3."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
AIOBOTO3 = "aioboto3==15.5.0"
_HOME = ROOT / ".nox" / "bench-aioboto3"


def variables(home: Path) -> dict[str, str]:
    """Environment variables made from nothing: no AWS settings, no proxies, a HOME of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "USERPROFILE": str(home),
        "TMPDIR": str(home),
        "LC_ALL": "C.UTF-8",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def python(*, for_aioboto3: bool = False) -> str:
    """The interpreter of this environment, or of the one that aioboto3 needs, made if missing.

    aioboto3 pins an aiobotocore that cannot be installed next to ours.
    """
    if not for_aioboto3:
        return sys.executable
    found = _HOME / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (_HOME / "complete").exists():
        print(f"making an environment with {AIOBOTO3} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", _HOME], check=True)
        subprocess.run([found, "-m", "pip", "install", "--quiet", AIOBOTO3], check=True)
        (_HOME / "complete").touch()
    return str(found)

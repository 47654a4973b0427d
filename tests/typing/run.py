"""Runs mypy, basedpyright and ty, as strict as they can be, over code as users write it.

Called with a folder: ``python tests/typing/run.py tests/typing``. The lines that end in ``# wrong``
have to be reported by each of the checkers, and no other line may be.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# What all three print: where, and that it is an error, not a note or a warning.
ERROR = re.compile(r"^\s*(\S.*?\.py):(\d+)(?::\d+)?(?: -|:) error(.*)", re.MULTILINE)

Line = tuple[str, int]


def marked(files: list[Path]) -> set[Line]:
    """The lines that are wrong on purpose."""
    return {
        (str(path), number)
        for path in files
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if line.endswith("# wrong")
    }


def commands(files: list[Path], scratch: Path) -> dict[str, list[str]]:
    """How each checker is called; none of them reads the project's settings."""
    # A user's settings: those of the project skip botocore, and are not strict with pyright.
    strict = {
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "include": [str(path) for path in files],
        "reportUnusedImport": "none",
    }
    (scratch / "pyrightconfig.json").write_text(json.dumps(strict))
    (scratch / "ty.toml").touch()
    return {
        "mypy": [
            *("mypy", "--config-file=", "--strict", "--python-version=3.11"),
            *("--cache-dir", str(scratch / "mypy"), "--python-executable", sys.executable),
            *map(str, files),
        ],
        "basedpyright": ["basedpyright", "-p", str(scratch), "--pythonpath", sys.executable],
        "ty": [
            *("ty", "check", "--config-file", str(scratch / "ty.toml"), "--project", str(scratch)),
            *("--python", sys.executable, "--output-format=concise", *map(str, files)),
        ],
    }


def main(folder: str) -> int:
    """Run the checkers over the modules in a folder; the exit status."""
    files = sorted(path.resolve() for path in Path(folder).glob("*.py") if path.name != "run.py")
    expected = marked(files)
    status = 0
    with tempfile.TemporaryDirectory() as name:
        for checker, command in commands(files, Path(name)).items():
            # From elsewhere, so that what is installed is checked, not the source tree.
            done = subprocess.run(command, cwd=name, capture_output=True, text=True, check=False)
            reported = {
                (str(Path(name, path).resolve()), int(number)): message
                for path, number, message in ERROR.findall(done.stdout)
            }
            for path, number in sorted(expected ^ reported.keys()):
                status = 1
                told = reported.get((path, number), ": is wrong, and nobody says so")
                print(f"{checker}: {path}:{number}{told}")
            if done.returncode and not reported:
                status = 1
                print(done.stdout, done.stderr)
            print(f"{checker}: {len(files)} files, {len(reported)} lines reported")
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

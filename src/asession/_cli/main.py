"""The entry of the command line: it needs the extra `cli`, and says so where that is missing."""

from __future__ import annotations

import importlib.util
import io
import logging
import sys
from collections.abc import Sequence

# What the extra brings. This module must be importable without it.
_NEEDED = ("click", "rich")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: What follows the name of the program, by default `sys.argv`.

    Returns:
        The exit status: 0 if all went well, 1 if something is wrong with the set-up or the command
        failed, 2 if the command line was not understood, 130 if it was interrupted.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        needed = " and ".join(missing)
        print(
            f"asession's command line needs {needed}: pip install 'asession[cli]' "
            "(or 'asession[demo]' for the demo as well)",
            file=sys.stderr,
        )
        return 1
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names need not be of the terminal's alphabet
            stream.reconfigure(errors="backslashreplace")
    # What goes wrong is told in words; libraries that log tracebacks would tell it twice.
    logging.getLogger().addHandler(logging.NullHandler())
    from asession._cli.commands import run

    return run(arguments)

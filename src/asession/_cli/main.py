"""Which command was asked for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from asession._version import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: What follows the name of the program, by default `sys.argv`.

    Returns:
        The exit status: 0 if all went well, 1 if the command failed, 2 if it was not understood.
    """
    parser = argparse.ArgumentParser(
        prog="python -m asession", description="AWS sessions for async Python."
    )
    parser.add_argument("--version", action="version", version=f"asession {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser(
        "demo",
        help="use sessions against a local AWS server, on asyncio and on trio",
        description="Starts a server on 127.0.0.1, writes a home with three profiles, uses "
        "sessions on asyncio and on trio, and checks every result. Nothing of yours is read, "
        "and nothing leaves this machine.",
    )
    given = parser.parse_args(arguments)
    if given.command is None:
        parser.print_usage(sys.stderr)
        return 2
    # Only now: the demo imports what a usage message does not need.
    from asession._cli.demo import demo

    return demo()

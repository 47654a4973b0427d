"""``asession completion``: the script that teaches a shell the commands, options and profiles."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

PROGRAM = "asession"
COMPLETE_VARIABLE = "_ASESSION_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    """Print the completion script of a shell.

    For bash, put this into ~/.bashrc:  eval "$(asession completion bash)"
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(ctx.find_root().command, {}, PROGRAM, COMPLETE_VARIABLE).source())
    return 0

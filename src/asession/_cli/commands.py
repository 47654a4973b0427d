"""The commands by name, and what becomes of an error that one of them raises."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Any

import click

from asession._cli.completion import COMPLETE_VARIABLE, completion
from asession._cli.explain import explain
from asession._cli.profiles import profiles
from asession._cli.render import show_findings
from asession._cli.whoami import whoami
from asession._explain.errors import finding_of
from asession._logging import log
from asession._version import __version__

_log = logging.getLogger("asession.cli")


class _Commands(click.Group):
    """The commands; an error of a set-up ends in words, with its cause and what to do."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            status = super().invoke(ctx)
            sys.stdout.flush()
            return status
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise  # of the last click makes a silent end: whoever read has gone
        except Exception as error:
            log(
                _log,
                logging.DEBUG,
                "command.failed",
                "the command failed: %(error)s",
                exc_info=True,
                error=type(error).__name__,
            )
            finding = finding_of(error)
            as_json = bool(ctx.meta.get("asession.json"))
            show_findings([finding], as_json=as_json)
            return 1


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 all is well, 1 something is wrong, 2 the command was not understood.",
)
@click.option(
    "--debug", is_flag=True, help="Log what is done, and where in the code errors come from."
)
@click.version_option(__version__, prog_name="asession", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """AWS sessions for async Python: see what a session is made of, and who it is."""
    if debug:
        from asession._cli.debugging import debugging

        ctx.with_resource(debugging())


cli.add_command(explain)
cli.add_command(profiles)
cli.add_command(whoami)
cli.add_command(completion)


@cli.command()
def demo() -> int:
    """Use sessions against a local AWS server.

    Starts a server on 127.0.0.1, writes a home with three profiles, uses sessions on asyncio and on
    trio, and checks every result. Nothing of yours is read, and nothing leaves this machine.
    """
    from asession._cli.demo import demo as run_demo

    return run_demo()


def run(arguments: Sequence[str] | None) -> int:
    """Run the command asked for; see `asession._cli.main.main`."""
    given = None if arguments is None else list(arguments)
    try:
        status = cli.main(given, complete_var=COMPLETE_VARIABLE, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("interrupted", err=True)
        return 130
    return status if isinstance(status, int) else 0

"""The options that commands share, and the session that they describe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from asession.session import Session

Command = Callable[..., int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What was given on the command line about the session; a value.

    Attributes:
        profile: The profile, or `None`.
        region: The region, or `None`.
        endpoint_url: The endpoint of all services, or `None`.
        backend: The event loop.
    """

    profile: str | None
    region: str | None
    endpoint_url: str | None
    backend: str

    def session(self) -> Session:
        """The session described, which does not wait for long."""
        from asession._explain.examine import patience
        from asession.session import Session

        return Session(
            profile_name=self.profile,
            region_name=self.region,
            endpoint_url=self.endpoint_url,
            config=patience(),
        )


def about_session(command: Command) -> Command:
    """Add the options that describe a session; the command gets them as `given`."""

    @wraps(command)
    def gathered(
        *,
        profile: str | None,
        region: str | None,
        endpoint_url: str | None,
        backend: str,
        **rest: Any,
    ) -> int:
        given = Given(profile=profile, region=region, endpoint_url=endpoint_url, backend=backend)
        return command(given=given, **rest)

    options = (
        click.option(
            "--profile",
            metavar="NAME",
            help="The profile, before AWS_PROFILE.",
            shell_complete=_complete_profile,
        ),
        click.option("--region", metavar="NAME", help="The region, before AWS_REGION."),
        click.option("--endpoint-url", metavar="URL", help="The endpoint of every service."),
    )
    wrapped: Command = on_a_loop(gathered)
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped


def on_a_loop(command: Command) -> Command:
    """Add the hidden option that chooses the event loop, as `backend`."""
    choice = click.Choice(["asyncio", "trio"])
    wrapped: Command = click.option("--backend", type=choice, default="asyncio", hidden=True)(
        command
    )
    return wrapped


def as_json(command: Command) -> Command:
    """Add the option for JSON, as `as_json`; errors are then JSON too."""

    def remember(ctx: click.Context, _: click.Parameter, value: bool) -> bool:
        ctx.meta["asession.json"] = value
        return value

    wrapped: Command = click.option(
        "--json",
        "as_json",
        is_flag=True,
        callback=remember,
        help="One JSON document, for programs.",
    )(command)
    return wrapped


def _complete_profile(
    _ctx: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    import os

    import anyio

    from asession._profiles.load import load_profiles

    try:
        names = anyio.run(load_profiles, dict(os.environ)).available_profiles
    except Exception:  # whoever presses the tabulator key wants no message
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]

"""Which endpoints are not AWS's own, and who gave them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from asession._cli.options import Given
from asession.credentials.explanation import Setting, without_passwords

if TYPE_CHECKING:
    from asession._settings.settings import Resolution
    from asession.session import Session

_VARIABLE = "AWS_ENDPOINT_URL"
NAME = "endpoint_url"


def endpoints(resolution: Resolution, given: Given) -> list[Setting]:
    """The endpoints in force, as settings: ``endpoint_url`` for all services, others for one.

    Args:
        resolution: What the session found out.
        given: What was given on the command line, which goes before everything.
    """
    if given.endpoint_url is not None:
        return [Setting(NAME, without_passwords(given.endpoint_url), "--endpoint-url")]
    if resolution.settings["ignore_configured_endpoint_urls"].value:
        return []
    found: dict[str, Setting] = {}
    for name, value, origin in _configured(resolution):
        found.setdefault(name, Setting(name, without_passwords(value), origin))
    return list(found.values())


def for_sts(settings: list[Setting]) -> Setting | None:
    """The one that STS is asked at, if it is not AWS's own."""
    by_name = {setting.name: setting for setting in settings}
    return by_name.get(f"{NAME}.sts", by_name.get(NAME))


async def endpoint_of(session: Session, given: Given) -> tuple[str | None, str | None]:
    """Who gave the endpoint of STS, and the profile in force; `None` for what is not known."""
    try:
        resolution = await session._connector.resolved()
    except Exception:  # what is wrong there is being told already
        return None, given.profile
    chosen = for_sts(endpoints(resolution, given))
    return None if chosen is None else chosen.origin, resolution.profile.section


def _configured(resolution: Resolution) -> Iterator[tuple[str, str, str]]:
    """Name, value and origin, in botocore's order."""
    environ, snapshot, profile = resolution.environ, resolution.snapshot, resolution.profile
    for variable in sorted(environ):
        if variable.startswith(f"{_VARIABLE}_") and environ[variable]:
            service = variable.removeprefix(f"{_VARIABLE}_").lower()
            yield f"{NAME}.{service}", environ[variable], variable
    section = profile.values.get("services")
    services = snapshot.config["services"].get(section, {}) if isinstance(section, str) else {}
    for service, values in services.items():
        if isinstance(values, Mapping) and NAME in values:
            yield f"{NAME}.{service}", values[NAME], f"[services {section}]"
    if environ.get(_VARIABLE):
        yield NAME, environ[_VARIABLE], _VARIABLE
    value = profile.values.get(NAME)
    if isinstance(value, str):
        yield NAME, value, snapshot.origin_of(profile.section, NAME) or profile.section

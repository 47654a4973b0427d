"""Which endpoints are not AWS's own, and who gave them, in botocore's order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from asession._settings.resolved import Origin, Resolved
from asession._settings.settings import Resolution

NAME = "endpoint_url"
_VARIABLE = "AWS_ENDPOINT_URL"


def endpoints_of(resolution: Resolution, given: str | None) -> dict[str, Resolved]:
    """The endpoints in force: ``endpoint_url`` for all services, ``endpoint_url.s3`` for one.

    Args:
        resolution: The session's files, environment and settings.
        given: The session's argument, which goes before everything.
    """
    if given is not None:
        return {NAME: Resolved(given, Origin("argument", f"{NAME}="))}
    try:
        ignored = resolution.settings["ignore_configured_endpoint_urls"].value
    except ValueError:  # which is told as what it is: a setting that cannot be used
        ignored = False
    found: dict[str, Resolved] = {}
    if not ignored:
        for name, value in _configured(resolution):
            found.setdefault(name, value)
    return found


def endpoint_of(service: str, endpoints: Mapping[str, Resolved]) -> Resolved | None:
    """The endpoint of a service, or `None` if it is AWS's own."""
    return endpoints.get(f"{NAME}.{service}", endpoints.get(NAME))


def _configured(resolution: Resolution) -> Iterator[tuple[str, Resolved]]:
    environ, snapshot, profile = resolution.environ, resolution.snapshot, resolution.profile
    for variable in sorted(environ):
        if variable.startswith(f"{_VARIABLE}_") and environ[variable]:
            service = variable.removeprefix(f"{_VARIABLE}_").lower()
            origin = Origin("environment", variable)
            yield f"{NAME}.{service}", Resolved(environ[variable], origin)
    if environ.get(_VARIABLE):  # goes before everything in the files
        yield NAME, Resolved(environ[_VARIABLE], Origin("environment", _VARIABLE))
        return
    section = profile.values.get("services")
    services = snapshot.config["services"].get(section, {}) if isinstance(section, str) else {}
    for service, values in services.items():
        value = values.get(NAME) if isinstance(values, Mapping) else None
        if isinstance(value, str) and value:
            where = f"{snapshot.config_path} [services {section}]"
            yield f"{NAME}.{service}", Resolved(value, Origin("file", where))
    value = profile.values.get(NAME)
    if isinstance(value, str) and value:
        where = snapshot.origin_of(profile.section, NAME) or profile.section
        yield NAME, Resolved(value, Origin("file", where))

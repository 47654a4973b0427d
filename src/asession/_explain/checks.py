"""Settings that cannot be used, that keep each other from having an effect, or name nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import anyio

from asession._explain.mistakes import zone_of
from asession._explain.situation import Situation
from asession.credentials.explanation import Finding
from asession.exceptions import InvalidSettingError

# Of two names for one thing, the one that is read first, and the other.
_PAIRS = (("AWS_DEFAULT_PROFILE", "AWS_PROFILE"), ("AWS_DEFAULT_REGION", "AWS_REGION"))
_CA_VARIABLE = "REQUESTS_CA_BUNDLE"
_LONGEST_PATH = 100
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@dataclass(frozen=True, slots=True)
class Known:
    """A finding, and the text by which errors that it explains are known; a value."""

    finding: Finding
    subject: str = ""

    def explains(self, other: Finding) -> bool:
        """Whether another finding is only what comes of this one."""
        return bool(self.subject) and self.subject in other.cause


def of_settings(at: Situation) -> Iterator[Known]:
    """Settings whose value cannot be used."""
    if at.resolution is None:
        return
    for name in at.resolution.settings:
        try:
            at.resolution.settings[name]
        except InvalidSettingError as error:
            where = at.places.where(error.origin, name.rpartition(".")[2])
            fix = f"mend or remove that {name!r}"
            yield Known(Finding("error", str(error), fix, where), f"{error.value!r}")
        except ValueError as error:
            yield Known(Finding("error", str(error), f"mend or remove that {name!r}"))


async def of_ca_bundle(at: Situation) -> list[Known]:
    """A CA bundle that is not there, or that this process may not see."""
    found = at.setting("ca_bundle")
    if found is None:
        path: object = at.environ.get(_CA_VARIABLE)
        origin = where = _CA_VARIABLE
    else:
        path, origin, where = found.value, str(found.origin), at.where_set("ca_bundle")
    if not isinstance(path, str):
        return []
    try:
        if await anyio.Path(path).exists():
            return []
        trouble = "does not exist"
    except (OSError, ValueError) as error:
        trouble = f"cannot be looked at: {getattr(error, 'strerror', None) or error}"
    # Where the path should be, some have put what the file should hold.
    shown = path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}..."
    finding = Finding(
        "error",
        f"the CA bundle {shown!r} (from {origin}) {trouble}",
        f"mend or remove {origin}: without it the usual certificates are trusted",
        where,
    )
    return [Known(finding, path)]


def of_clashes(method: str | None, at: Situation) -> Iterator[Known]:
    """Settings that keep each other from having an effect.

    Args:
        method: The source of credentials in use.
        at: What is known of the session.
    """
    profile = at.setting("profile")
    if method == "env" and profile is not None and profile.origin.kind == "environment":
        name = profile.value
        yield Known(
            Finding(
                "warning",
                f"the keys of AWS_ACCESS_KEY_ID are used, not those of the profile {name!r} (from "
                f"{profile.origin}): keys in the environment go before a profile named there",
                "unset AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or give "
                f"profile_name={name!r}, which goes first",
                f"AWS_ACCESS_KEY_ID and {profile.origin}",
            )
        )
    for first, second in _PAIRS:
        one, other = at.environ.get(first), at.environ.get(second)
        if one is not None and other is not None and one != other:
            yield Known(
                Finding(
                    "warning",
                    f"{first} is {one!r} and {second} is {other!r}: {first} goes first",
                    f"unset one of them, or set both to the same (AWS CLI and SDKs read {second})",
                    f"{first} and {second}",
                )
            )
    given = [name for name in _KEYS if at.environ.get(name)]
    if len(given) == 1 and (profile is None or profile.origin.kind != "argument"):
        missing = next(name for name in _KEYS if name not in given)
        finding = Finding(
            "error",
            f"{given[0]} is set and {missing} is not",
            f"set both, or unset {given[0]}",
            given[0],
        )
        yield Known(finding, "Partial credentials found in env" if given[0] == _KEYS[0] else "")


def of_region(at: Situation, known: Sequence[str], *, works: bool) -> Iterator[Known]:
    """A region that does not exist as far as anybody knows.

    Args:
        at: What is known of the session.
        known: The regions of all partitions.
        works: Whether a service answered there.
    """
    found = at.setting("region")
    if found is None or not known or found.value in known:
        return
    region = str(found.value)
    zone = zone_of(region)
    if zone in known:
        meant, fix = f": it is an availability zone of {zone!r}", f"put {zone} there"
    else:
        close = difflib.get_close_matches(region, known, n=2, cutoff=0.7)
        meant = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
        fix = "or give region_name=; if the region is new, upgrade botocore"
    yield Known(
        Finding(
            "warning" if works else "error",
            f"there is no region {region!r} (from {found.origin}) as far as botocore knows{meant}",
            f"mend {found.origin}, {fix}" if zone not in known else f"mend {found.origin}: {fix}",
            at.where_set("region"),
        ),
        region,
    )

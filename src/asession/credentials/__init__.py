"""Credentials: the keys a session signs with, and how to bring your own."""

from typing import TYPE_CHECKING, Any

from asession.credentials.caller import CallerIdentity
from asession.credentials.providers import CredentialProvider, CredentialSource, Insert
from asession.credentials.trail import SOURCES, Attempt
from asession.credentials.values import Credentials, FrozenCredentials

if TYPE_CHECKING:
    from asession.credentials.explanation import Explanation, Finding, Setting

__all__ = [
    "SOURCES",
    "Attempt",
    "CallerIdentity",
    "CredentialProvider",
    "CredentialSource",
    "Credentials",
    "Explanation",
    "Finding",
    "FrozenCredentials",
    "Insert",
    "Setting",
]


def __getattr__(name: str) -> Any:
    if name in (
        "Explanation",
        "Finding",
        "Setting",
    ):  # what few need is not imported with every session
        from asession.credentials import explanation

        return getattr(explanation, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

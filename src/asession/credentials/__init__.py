"""Credentials: the keys a session signs with, and how to bring your own."""

from asession.credentials.caller import CallerIdentity
from asession.credentials.explanation import Explanation, Setting
from asession.credentials.providers import CredentialProvider, CredentialSource, Insert
from asession.credentials.trail import SOURCES, Attempt
from asession.credentials.values import Credentials, FrozenCredentials

__all__ = [
    "SOURCES",
    "Attempt",
    "CallerIdentity",
    "CredentialProvider",
    "CredentialSource",
    "Credentials",
    "Explanation",
    "FrozenCredentials",
    "Insert",
    "Setting",
]

"""Credentials: the keys a session signs with, and how to bring your own."""

from asession.credentials.providers import CredentialProvider, CredentialSource
from asession.credentials.values import Credentials, FrozenCredentials

__all__ = ["CredentialProvider", "CredentialSource", "Credentials", "FrozenCredentials"]

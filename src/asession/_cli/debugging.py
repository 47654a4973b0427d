"""``--debug``: what the library does, with the secrets of the set-up masked."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from asession._explain.masking import Secrets
from asession._logging import RedactingFormatter
from asession._profiles.load import load_profiles

_LOGGER = logging.getLogger("asession")


class _Formatter(RedactingFormatter):
    """Masks secrets by their names, and those of the files and the environment by their values."""

    def __init__(self, secrets: Secrets) -> None:
        super().__init__("%(name)s [%(levelname)s] %(message)s")
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        return self._secrets.mask(super().format(record))


@contextmanager
def debugging() -> Iterator[None]:
    """Log for the length of a block."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(_secrets()))
    level = _LOGGER.level
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        _LOGGER.removeHandler(handler)
        _LOGGER.setLevel(level)


def _secrets() -> Secrets:
    environ = dict(os.environ)
    secrets = Secrets()
    secrets.add_all(environ)
    try:
        snapshot = anyio.run(load_profiles, environ)
    except Exception:  # the command will tell; errors of files quote nothing of them
        return secrets
    for sections in (snapshot.profiles, snapshot.credentials, *snapshot.config.values()):
        secrets.add_sections(sections)
    return secrets

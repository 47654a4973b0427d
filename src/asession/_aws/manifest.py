"""Each private or overridden symbol of the layers below in use, with a digest of its source.

An upgrade that changes one of them fails a test that names the file to open: read what changed
there, adapt the file, and put the new digest here.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_suffix(".json")

# file of ours -> symbol of theirs ("module:qualified.name") -> digest of its source
MANIFEST: Mapping[str, Mapping[str, str]] = json.loads(_FILE.read_text(encoding="utf-8"))


def digest(symbol: str) -> str:
    """A short digest of a symbol's source; of the `repr` for constants.

    Raises:
        LookupError: The symbol is gone.
    """
    source = _source(find(symbol))
    return hashlib.sha256(source.encode()).hexdigest()[:12]


def find(symbol: str) -> Any:
    """The object that a symbol names.

    Raises:
        LookupError: The symbol is gone.
    """
    module_name, _, path = symbol.partition(":")
    try:
        found: Any = import_module(module_name)
        for name in path.split("."):
            found = inspect.getattr_static(found, name)
    except (ImportError, AttributeError):
        raise LookupError(symbol) from None
    return found


def _source(found: Any) -> str:
    if isinstance(found, property):
        found = found.fget
    if isinstance(found, classmethod | staticmethod):
        found = found.__func__
    found = inspect.unwrap(getattr(found, "_fget", found))  # of botocore's cached properties
    if "<locals>" in getattr(found, "__qualname__", ""):  # a wrapper that does not say of what
        cells = [cell.cell_contents for cell in getattr(found, "__closure__", None) or ()]
        found = next(filter(inspect.isfunction, cells), found)
    try:
        return inspect.getsource(found)
    except TypeError:
        return repr(found)


def changes() -> dict[str, dict[str, str | None]]:
    """The symbols whose source differs, by the file of ours that uses them, with the new digests.

    A symbol that is gone has the digest `None`.
    """
    changed: dict[str, dict[str, str | None]] = {}
    for file, symbols in MANIFEST.items():
        for symbol, known in symbols.items():
            try:
                now = digest(symbol)
            except LookupError:
                now = None
            if now != known:
                changed.setdefault(file, {})[symbol] = now
    return changed

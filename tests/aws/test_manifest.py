"""What we use of the layers below beyond their public names is listed, and has not changed."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

import asession
from asession._aws import manifest

ROOT = Path(asession.__file__).parent
UPSTREAM = ("aiobotocore", "boto3", "botocore")
FILES = sorted(
    str(path.relative_to(ROOT).as_posix())
    for room in ("_aws", "_resources")
    for path in (ROOT / room).glob("*.py")
    if path.name not in ("__init__.py", "manifest.py")
)


def test_no_symbol_in_use_has_changed():
    text = [
        f"src/asession/{file}: {symbol} changed upstream; adapt the file, then note {new!r}"
        for file, symbols in manifest.changes().items()
        for symbol, new in symbols.items()
    ]
    assert not text, "\n".join(text)


def test_a_changed_or_lost_symbol_is_reported(monkeypatch):
    file, symbols = next(iter(manifest.MANIFEST.items()))
    symbol = next(iter(symbols))
    planted = {file: {symbol: "0" * 12, "botocore.session:Gone.away": "0" * 12}}
    monkeypatch.setattr(manifest, "MANIFEST", planted)
    changed = manifest.changes()[file]
    assert changed[symbol] == manifest.digest(symbol)
    assert changed["botocore.session:Gone.away"] is None


@pytest.mark.parametrize("file", FILES)
def test_every_private_import_and_override_is_listed(file):
    listed = set(manifest.MANIFEST.get(file, {}))
    assert not (_private_imports(file) | _overrides(file)) - listed


def test_every_listed_file_exists():
    assert set(manifest.MANIFEST) <= set(FILES)


def _private_imports(file):
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return {
        f"{node.module}:{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in UPSTREAM
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    }


def _overrides(file):
    module = importlib.import_module("asession." + file.removesuffix(".py").replace("/", "."))
    found = set()
    for cls in vars(module).values():
        if inspect.isclass(cls) and cls.__module__ == module.__name__:
            for name in vars(cls):
                origin = _origin(cls, name)
                if not name.startswith("__") and name != "_abc_impl" and origin:
                    found.add(origin)
    return found


def _origin(cls, name):
    for base in cls.__mro__[1:]:
        if name in vars(base):
            if base.__module__.split(".")[0] in UPSTREAM:
                return f"{base.__module__}:{base.__qualname__}.{name}"
            return None
    return None

"""Every attribute of the upstream packages, taken at one moment and compared at another.

Run as a script it snapshots them, uses asession against a server, and prints what differs::

    python upstream_snapshot.py BACKEND URL
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from collections.abc import Mapping
from types import FunctionType, ModuleType
from typing import Any

UPSTREAM = ("botocore", "aiobotocore", "boto3")

# Written by Python itself, not by whoever patches.
_BY_PYTHON = {"__warningregistry__", "__annotations__", "__annotations_cache__", "__builtins__"}

# Memory that upstream fills as it works: what is in there says nothing about patches.
_CACHES = {"botocore._xform_cache"}

Snapshot = dict[str, Any]


def import_everything(packages: tuple[str, ...] = UPSTREAM) -> None:
    """Import every module of the packages that can be, so that later imports change nothing."""
    for name in packages:
        package = importlib.import_module(name)
        for found in pkgutil.walk_packages(package.__path__, f"{name}.", onerror=lambda _: None):
            try:
                importlib.import_module(found.name)
            except ImportError:
                continue  # it needs an optional package


def take(packages: tuple[str, ...] = UPSTREAM) -> Snapshot:
    """The attributes of every imported module of the packages, by path, as the objects themselves.

    Goes into classes that the packages define (their attributes), functions (code and defaults),
    module-level instances of their classes, and one level into dicts, lists and sets. Holding the
    objects keeps their identities from being used again.
    """
    snapshot: Snapshot = {}
    seen: set[int] = set()
    for name, module in sorted(sys.modules.items()):
        if isinstance(module, ModuleType) and name.partition(".")[0] in packages:
            _attributes(snapshot, seen, name, vars(module), packages)
    return snapshot


def _attributes(
    snapshot: Snapshot,
    seen: set[int],
    path: str,
    attributes: Mapping[str, Any],
    packages: tuple[str, ...],
) -> None:
    for name, value in list(attributes.items()):
        if name not in _BY_PYTHON:
            _value(snapshot, seen, f"{path}.{name}", value, packages)


def _value(
    snapshot: Snapshot, seen: set[int], path: str, value: Any, packages: tuple[str, ...]
) -> None:
    snapshot[path] = value
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    if isinstance(value, FunctionType):
        snapshot[f"{path}()"] = value.__code__
        snapshot[f"{path}(defaults)"] = (value.__defaults__, value.__kwdefaults__)
    elif path in _CACHES:
        return
    elif isinstance(value, dict):
        snapshot[f"{path}[]"] = dict(value)
    elif isinstance(value, (list, set)):
        snapshot[f"{path}[]"] = list(value)
    elif not isinstance(value, ModuleType) and _is_of(value, packages) and id(value) not in seen:
        seen.add(id(value))
        _attributes(snapshot, seen, path, getattr(value, "__dict__", {}), packages)


def _is_of(value: Any, packages: tuple[str, ...]) -> bool:
    owner = value if isinstance(value, type) else type(value)
    return str(getattr(owner, "__module__", "")).partition(".")[0] in packages


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """What was added, removed or replaced between two snapshots."""
    found = [f"added: {path}" for path in after.keys() - before.keys()]
    found += [f"removed: {path}" for path in before.keys() - after.keys()]
    found += [
        f"replaced: {path}"
        for path in before.keys() & after.keys()
        if not _same(path, before[path], after[path])
    ]
    return sorted(found)


def _same(path: str, one: Any, other: Any) -> bool:
    if not path.endswith(("[]", "(defaults)")):
        return one is other
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(one[key] is other[key] for key in one)
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


def _main(backend: str, url: str) -> None:
    import_everything()
    import anyio
    from upstream_use import plain_aiobotocore, plain_boto3, use_asession

    # Once before the snapshot: caches that upstream itself fills at first use are filled.
    plain_boto3(url)
    behaviour = anyio.run(plain_aiobotocore, url)
    before = take()
    anyio.run(use_asession, url, backend=backend)
    after = take()
    again = anyio.run(plain_aiobotocore, url)
    print(
        json.dumps(
            {
                "size": len(before),
                "differences": differences(before, after),
                "plain_before": behaviour,
                "plain_after": again,
            }
        )
    )


if __name__ == "__main__":
    _main(*sys.argv[1:])

"""Every public name is there once, documented and typed."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import asession

# Public sub-packages; those that are not built yet are not listed in `asession.__all__`.
PUBLIC_PACKAGES = ("credentials", "s3", "dynamodb", "observe", "testing", "web")


def public_modules() -> list[ModuleType]:
    """The root and every public module that exists."""
    found = [asession, importlib.import_module("asession.exceptions")]
    for name in PUBLIC_PACKAGES:
        try:
            found.append(importlib.import_module(f"asession.{name}"))
        except ModuleNotFoundError as error:
            if error.name != f"asession.{name}":
                raise
    return found


def is_ours(thing: Any) -> bool:
    """Whether it is defined in asession, not passed on from upstream."""
    return str(getattr(thing, "__module__", "")).partition(".")[0] == "asession"


def public_things() -> Iterator[tuple[str, Any]]:
    """Every function and class of ours that a public module exports, and their public members."""
    for module in public_modules():
        for name in module.__all__:
            thing = getattr(module, name)
            if not is_ours(thing) or not (inspect.isclass(thing) or inspect.isroutine(thing)):
                continue
            yield f"{module.__name__}.{name}", thing
            if inspect.isclass(thing):
                for member, value in vars(thing).items():
                    if not member.startswith("_") and is_member(value):
                        yield f"{module.__name__}.{name}.{member}", value


def is_member(value: Any) -> bool:
    """Whether a class attribute is a method or a property."""
    return inspect.isroutine(value) or isinstance(value, (property, staticmethod, classmethod))


def function_of(value: Any) -> Any:
    """The function behind a method or property, or `None`."""
    if isinstance(value, property):
        return value.fget
    if isinstance(value, (staticmethod, classmethod)):
        return value.__func__
    return value if inspect.isfunction(value) else None


def test_every_exported_name_is_there_and_listed_once() -> None:
    for module in public_modules():
        names = list(module.__all__)
        assert len(names) == len(set(names)), module.__name__
        assert set(names) <= set(dir(module)), module.__name__
        for name in names:
            getattr(module, name)


def test_a_name_that_is_not_there_raises_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = asession.no_such_name  # type: ignore[attr-defined]


def test_the_promised_names_are_public() -> None:
    promised = {
        "Config",
        "Credentials",
        "Session",
        "__version__",
        "client",
        "current_session",
        "exceptions",
        "fan_out",
        "resource",
        "set_stream_logger",
        "setup_default_session",
        "use_session",
        "warm_up",
    }
    assert promised <= set(asession.__all__)
    from asession.session import Session

    assert asession.Session is Session


def test_every_public_name_is_documented() -> None:
    bare = [name for name, thing in public_things() if not (thing.__doc__ or "").strip()]
    assert bare == []


def test_every_parameter_and_result_is_typed() -> None:
    bare = []
    for name, thing in public_things():
        function = function_of(thing)
        if function is None:
            continue
        signature = inspect.signature(function)
        missing = [
            parameter.name
            for parameter in signature.parameters.values()
            if parameter.annotation is parameter.empty and parameter.name not in {"self", "cls"}
        ]
        if signature.return_annotation is signature.empty:
            missing.append("return")
        if missing:
            bare.append(f"{name}: {', '.join(missing)}")
    assert bare == []


def test_importing_the_package_imports_nothing_from_upstream() -> None:
    script = (
        "import sys, asession; print([name for name in "
        "('botocore', 'aiobotocore', 'boto3', 'aiohttp', 'httpx2', 'trio') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"

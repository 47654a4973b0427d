"""DynamoDB: conditions and type conversion, boto3's own objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boto3.dynamodb.conditions import Attr, Key
    from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer

__all__ = ["Attr", "Binary", "Key", "TypeDeserializer", "TypeSerializer"]

_HOMES = {
    "Attr": "boto3.dynamodb.conditions",
    "Binary": "boto3.dynamodb.types",
    "Key": "boto3.dynamodb.conditions",
    "TypeDeserializer": "boto3.dynamodb.types",
    "TypeSerializer": "boto3.dynamodb.types",
}


def __getattr__(name: str) -> Any:
    # Importing anything of boto3 loads all of it: only when one of these names is asked for.
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

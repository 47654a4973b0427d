"""DynamoDB beyond the client: batches, conditions, type conversion.

The conditions and the type conversion are boto3's own objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boto3.dynamodb.conditions import Attr, Key
    from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer

    from asession.dynamodb.backoff import Backoff
    from asession.dynamodb.get import batch_get
    from asession.dynamodb.writer import BatchWriter

__all__ = [
    "Attr",
    "Backoff",
    "BatchWriter",
    "Binary",
    "Key",
    "TypeDeserializer",
    "TypeSerializer",
    "batch_get",
]

_HOMES = {
    "Attr": "boto3.dynamodb.conditions",
    "Backoff": "asession.dynamodb.backoff",
    "BatchWriter": "asession.dynamodb.writer",
    "Binary": "boto3.dynamodb.types",
    "Key": "boto3.dynamodb.conditions",
    "TypeDeserializer": "boto3.dynamodb.types",
    "TypeSerializer": "boto3.dynamodb.types",
    "batch_get": "asession.dynamodb.get",
}


def __getattr__(name: str) -> Any:
    # Importing anything of boto3 loads all of it: only when one of these names is asked for.
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

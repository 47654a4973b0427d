"""Copies of what callers put into a batch, so that they may go on changing theirs."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from boto3.dynamodb.types import Binary


def copy_of(value: Any) -> Any:
    """A copy of a value that DynamoDB has a type for, in plain containers.

    Not `copy.deepcopy`, which refuses containers that boto3's `TypeSerializer` takes, such as the
    views of a mapping.

    Args:
        value: What `TypeSerializer` takes.
    """
    if isinstance(value, Mapping):
        return {name: copy_of(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [copy_of(inner) for inner in value]
    if isinstance(value, Set):
        return set(value)  # its members are hashable, and so do not change
    if isinstance(value, bytearray):
        return bytes(value)
    if isinstance(value, Binary):
        return Binary(bytes(value.value))
    return value

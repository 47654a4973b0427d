"""Primary keys as values that can be compared, whatever Python type they were given in."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

Key: TypeAlias = Mapping[str, Any]
Identity: TypeAlias = Hashable


def identity_of(key: Key) -> Identity:
    """What tells one key from another: equal for keys that are one key to DynamoDB.

    Args:
        key: All of a primary key, with Python values or in DynamoDB's own form (``{"S": "a"}``).
    """
    return tuple(sorted((name, _comparable(value)) for name, value in key.items()))


def identity_in(item: Mapping[str, Any], names: Iterable[str]) -> Identity:
    """What tells the primary key of an item from others.

    Args:
        item: An item, or its key.
        names: The attributes that make the primary key.

    Raises:
        ValueError: The item lacks one of them.
    """
    try:
        return tuple(_comparable(item[name]) for name in names)
    except KeyError as error:
        raise ValueError(
            f"an item has no attribute {error.args[0]!r}, which overwrite_by_pkeys names: give all "
            "attributes of the table's primary key, and no others"
        ) from None


def _comparable(value: Any) -> Identity:
    if isinstance(value, Mapping):
        # DynamoDB's own form has one entry: the type and the value, numbers being strings.
        return tuple(
            (kind, Decimal(inner) if kind == "N" else _comparable(inner))
            for kind, inner in value.items()
        )
    # boto3's Binary, and what else wraps bytes, is equal to the bytes themselves.
    value = getattr(value, "value", value)
    return bytes(value) if isinstance(value, bytearray | memoryview) else value

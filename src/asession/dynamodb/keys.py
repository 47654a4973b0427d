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

    Raises:
        TypeError: It is no mapping, or has a value that no key can have.
    """
    if not isinstance(key, Mapping):
        raise TypeError(
            f"a key is a mapping of attribute names to values, not {type(key).__name__}"
        )
    return tuple(sorted((name, _comparable_in(key, name)) for name in key))


def identity_in(item: Mapping[str, Any], names: Iterable[str]) -> Identity:
    """What tells the primary key of an item from others.

    Args:
        item: An item, or its key.
        names: The attributes that make the primary key.

    Raises:
        TypeError: One of them has a value that no key can have.
        ValueError: The item lacks one of them.
    """
    try:
        return tuple(_comparable_in(item, name) for name in names)
    except KeyError as error:
        raise ValueError(
            f"an item has no attribute {error.args[0]!r}, which overwrite_by_pkeys names: give all "
            "attributes of the table's primary key, and no others"
        ) from None


def _comparable_in(item: Mapping[str, Any], name: str) -> Identity:
    comparable = _comparable(item[name])
    try:
        hash(comparable)
    except TypeError:
        raise TypeError(
            f"the key attribute {name!r} is a {type(item[name]).__name__}: keys of DynamoDB are "
            "strings, numbers or bytes"
        ) from None
    return comparable


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

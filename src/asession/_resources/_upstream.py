"""The functions this room takes from boto3's modules that its type stubs do not list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from boto3.resources import action as _action
from boto3.resources import collection as _collection

_untyped_action: Any = _action
_untyped_collection: Any = _collection

xform_name: Callable[[str], str] = _untyped_action.xform_name
"""``"CreateBucket"`` -> ``"create_bucket"``."""

merge_dicts: Callable[..., None] = _untyped_collection.merge_dicts
"""Merge the second mapping into the first, lists appended with ``append_lists=True``."""

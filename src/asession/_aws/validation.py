"""Checks of a call's parameters, planned once per shape: they say yes, botocore says what is wrong.

botocore walks the model at each call, to collect every error with its place. Here a shape becomes a
chain of closures at its first use, which tell whether there is nothing to report. Where they do not
know, botocore's own validator is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary, proxy

from botocore.utils import is_json_value_header
from botocore.validate import ParamValidationDecorator, ParamValidator, ValidationErrors

# Whether botocore would accept a value; `False` also where that is not known.
Accepts = Callable[[Any], bool]


class Validator(ParamValidator):
    """botocore's validator, asked only if something may be wrong. One serves the whole process."""

    def __init__(self) -> None:
        self._plans: WeakKeyDictionary[Any, Accepts] = WeakKeyDictionary()

    def validate(self, params: Any, shape: Any) -> Any:
        """What is wrong with the parameters of a call."""
        accepts = self._plans.get(shape)
        if accepts is None:
            # A plan that held its shape would keep it for ever.
            accepts = self._plans[shape] = _plan(proxy(shape))
        return ValidationErrors() if accepts(params) else super().validate(params, shape)


def use_planned(serializer: Any) -> None:
    """Have a client's new serializer ask our validator, if botocore's is what it asks."""
    if (
        type(serializer) is ParamValidationDecorator
        and type(serializer._param_validator) is ParamValidator
    ):
        serializer._param_validator = _validator


_validator = Validator()


def _plan(shape: Any) -> Accepts:
    kind = shape.type_name
    if is_json_value_header(shape) or (kind == "structure" and shape.is_document_type):
        return _unknown
    plan = _PLANS.get(kind)
    return _unknown if plan is None else plan(shape)


def _later(shape: Any) -> Accepts:
    """The plan of a member, made at first use, for shapes may recur."""
    if shape.type_name not in ("structure", "list", "map"):
        return _plan(shape)
    accepts: Accepts | None = None

    def planned(value: Any) -> bool:
        nonlocal accepts
        if accepts is None:
            accepts = _plan(shape)
        return accepts(value)

    return planned


def _structure(shape: Any) -> Accepts:
    members = {name: _later(member) for name, member in shape.members.items()}
    required = tuple(shape.metadata.get("required", ()))
    is_union = shape.is_tagged_union

    def accepts(value: Any) -> bool:
        if type(value) is not dict or (is_union and len(value) != 1):
            return False
        for name in required:
            if name not in value:
                return False
        for name, item in value.items():
            accepts_member = members.get(name)
            if accepts_member is None or not accepts_member(item):
                return False
        return True

    return accepts


def _list(shape: Any) -> Accepts:
    least = _least(shape)
    accepts_member = _later(shape.member)

    def accepts(value: Any) -> bool:
        if type(value) is not list or (least is not None and len(value) < least):
            return False
        return all(map(accepts_member, value))

    return accepts


def _map(shape: Any) -> Accepts:
    accepts_key, accepts_value = _later(shape.key), _later(shape.value)

    def accepts(value: Any) -> bool:
        if type(value) is not dict:
            return False
        return all(accepts_key(key) and accepts_value(item) for key, item in value.items())

    return accepts


def _string(shape: Any) -> Accepts:
    least = _least(shape)
    if least is None:
        return _is_text

    def accepts(value: Any) -> bool:
        return type(value) is str and len(value) >= least

    return accepts


def _number(shape: Any) -> Accepts:
    least = _least(shape)
    kinds = (int,) if shape.type_name in ("integer", "long") else (int, float)

    def accepts(value: Any) -> bool:
        return type(value) in kinds and (least is None or value >= least)

    return accepts


def _least(shape: Any) -> Any:
    """The least length or value, or `None`."""
    if "min" in shape.metadata:
        return shape.metadata["min"]
    return 1 if shape.serialization.get("hostLabel") else None


def _blob(shape: Any) -> Accepts:
    return _is_blob


def _boolean(shape: Any) -> Accepts:
    return _is_boolean


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_boolean(value: Any) -> bool:
    return type(value) is bool


def _is_blob(value: Any) -> bool:
    return isinstance(value, bytes | bytearray | str) or hasattr(value, "read")


def _unknown(value: Any) -> bool:
    return False


# Timestamps are not among them: they are parsed to be checked.
_PLANS: dict[str, Callable[[Any], Accepts]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "blob": _blob,
    "boolean": _boolean,
    "integer": _number,
    "long": _number,
    "float": _number,
    "double": _number,
}

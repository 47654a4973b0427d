"""Plans of shapes: how nodes of a response become values, worked out once per shape.

botocore's parsers ask a shape for its members, names and locations at each node of each response.
Here a shape becomes a chain of closures at its first use, which yields what botocore's own methods
yield. What is rare (errors, unions in XML, attributes, documents, maps in XML, event streams) is
left to those methods.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary, proxy
from xml.etree.ElementTree import Element

from botocore.parsers import BaseJSONParser, BaseRestParser, BaseXMLResponseParser, ResponseParser
from botocore.utils import is_json_value_header

Decode = Callable[[Any], Any]
_NESTED = frozenset({"structure", "list", "map"})
# A member, the index of its node among the children (all of them if it is repeated), its decoder:
# none for a text.
_Place = tuple[str, Any, Any]
# A member, its key in JSON, its decoder.
_Member = tuple[str, str, Decode]
_NO_MEMBERS: list[_Member] = []
# Bounds of what is remembered: a structure with more children has a flattened list, whose length
# varies; one with more layouts, or more names than a service has, is made up.
_TAGS = 64
_LAYOUTS = 64
_NAMES = 4096


class Planned(ResponseParser):
    """What the parsers below share: plans, by shape. Lives as long as its factory.

    A parser holds nothing of the response it parses, so that one serves any number of tasks.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plans: WeakKeyDictionary[Any, Decode] = WeakKeyDictionary()
        self._located: WeakKeyDictionary[Any, list[tuple[str, str, Any]]] = WeakKeyDictionary()

    def _parse_shape(self, shape: Any, node: Any) -> Any:
        if shape.type_name not in _NESTED:
            return self._handler(shape)(node)
        decode = self._plans.get(shape)
        if decode is None:
            # A plan that held its shape would keep it for ever.
            decode = self._plans[shape] = self._plan(proxy(shape))
        return decode(node)

    def _handler(self, shape: Any) -> Decode:
        handler: Any = getattr(self, f"_handle_{shape.type_name}", self._default_handle)
        return partial(handler, shape)

    def _plan(self, shape: Any) -> Decode:
        kind, decode = shape.type_name, None
        if kind not in _NESTED:
            decode = self._scalar(shape)
        elif shape.serialization.get("location") is None:
            plan = {"structure": self._structure, "list": self._list, "map": self._map}[kind]
            decode = plan(shape)
        return decode or self._handler(shape)

    def _later(self, shape: Any) -> Decode:
        """The plan of a member; of structures and lists at first use, for shapes may recur."""
        if shape.type_name not in _NESTED:
            return self._plan(shape)
        decode: Decode | None = None

        def planned(node: Any) -> Any:
            nonlocal decode
            if decode is None:
                decode = self._plan(shape)
            return decode(node)

        return planned

    # A protocol plans what it can; `None` leaves a shape to botocore's method.

    def _structure(self, shape: Any) -> Decode | None:
        return None

    def _list(self, shape: Any) -> Decode | None:
        return None

    def _map(self, shape: Any) -> Decode | None:
        return None

    def _scalar(self, shape: Any) -> Decode | None:
        return None


class PlannedRest(Planned, BaseRestParser):
    """Headers: the members that are absent, nearly all, cost one look into a set."""

    def _parse_non_payload_attrs(
        self, response: Any, shape: Any, member_shapes: Any, final_parsed: Any
    ) -> None:
        located = self._located.get(shape)
        if located is None:
            located = self._located[shape] = list(_locations(member_shapes.items()))
        headers = response["headers"]
        for name, header, member in located:
            if header:
                if header in headers:
                    final_parsed[name] = self._parse_shape(member, headers[header])
            elif member.serialization["location"] == "headers":
                final_parsed[name] = self._parse_header_map(member, headers)
            elif member.serialization["location"] == "statusCode":
                final_parsed[name] = self._parse_shape(member, response["status_code"])


def _locations(members: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, str, Any]]:
    for name, member in members:
        location = member.serialization.get("location")
        if location is not None:
            header = member.serialization.get("name", name) if location == "header" else ""
            yield name, header.lower(), member


class PlannedXml(Planned, BaseXMLResponseParser):
    """Structures by the layout of their children: which tags, in which order. Lists, scalars."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._names: dict[str, str] = {}

    def _node_tag(self, node: Any) -> str:
        tag: str = node.tag
        name = self._names.get(tag)
        if name is None:
            name = super()._node_tag(node)
            if len(self._names) < _NAMES:
                self._names[tag] = name
        return name

    def _structure(self, shape: Any) -> Decode | None:
        if shape.metadata.get("exception") or shape.is_tagged_union:
            return None
        members = []
        for name, member in shape.members.items():
            where = member.serialization
            if where.get("location") in self.KNOWN_LOCATIONS or where.get("eventheader"):
                continue
            if where.get("xmlAttribute"):
                return None
            key = self._member_key_name(member, name)
            members.append((name, key, self._later(member)))
        layouts: dict[tuple[str, ...], list[_Place]] = {}

        def decode(node: Any) -> Any:
            while type(node) is list:
                node = node[0]
            nodes = list(node)
            tags = tuple([item.tag for item in nodes])
            layout = layouts.get(tags)
            if layout is None:
                layout = self._layout(members, nodes)
                if len(tags) <= _TAGS and len(layouts) < _LAYOUTS:
                    layouts[tags] = layout
            parsed = {}
            for name, place, decode_member in layout:
                if type(place) is int:
                    item = nodes[place]
                    parsed[name] = decode_member(item) if decode_member else item.text or ""
                else:  # repeated: all of them in a list
                    parsed[name] = decode_member([nodes[index] for index in place])
            return parsed

        return decode

    def _layout(self, members: list[tuple[str, str, Decode]], nodes: list[Any]) -> list[_Place]:
        """Where the members of a structure are among the children of its node."""
        places: dict[str, list[int]] = {}
        for index, node in enumerate(nodes):
            places.setdefault(self._node_tag(node), []).append(index)
        layout: list[_Place] = []
        for name, key, decode in members:
            found = places.get(key)
            if found is None:
                continue
            if len(found) > 1:
                layout.append((name, found, decode))
            else:
                layout.append((name, found[0], None if isinstance(decode, _Text) else decode))
        return layout

    def _list(self, shape: Any) -> Decode:
        decode_member = self._later(shape.member)
        flattened = shape.serialization.get("flattened")

        def decode(node: Any) -> list[Any]:
            if flattened and type(node) is not list:
                node = (node,)
            return [None if item is None else decode_member(item) for item in node]

        return decode

    def _scalar(self, shape: Any) -> Decode | None:
        kind, slow = shape.type_name, self._handler(shape)
        if kind == "string":
            return None if is_json_value_header(shape) else _Text(slow)
        if kind == "timestamp":
            return _converted(self._timestamp_parser, slow)
        if kind in ("integer", "long"):
            return _converted(int, slow)
        if kind == "boolean":
            return _converted("true".__eq__, slow)
        return None


class _Text:
    """The text of a node. A class, so that structures know it and need not call it."""

    __slots__ = ("_slow",)

    def __init__(self, slow: Decode) -> None:
        self._slow = slow

    def __call__(self, node: Any) -> Any:
        return (node.text or "") if type(node) is Element else self._slow(node)


def _converted(convert: Decode, slow: Decode) -> Decode:
    def decode(node: Any) -> Any:
        return convert(node.text or "") if type(node) is Element else slow(node)

    return decode


class PlannedJson(Planned, BaseJSONParser):
    """Structures, unions, lists and maps; scalars that JSON already reads are not touched."""

    def _structure(self, shape: Any) -> Decode | None:
        if shape.is_document_type:
            return None
        members: list[_Member] = [
            (name, member.serialization.get("name", name), self._later(member))
            for name, member in shape.members.items()
        ]
        slow = self._handler(shape)
        if shape.is_tagged_union:
            return _union({key: (name, decode) for name, key, decode in members}, slow)

        by_key: dict[str, list[_Member]] = {}
        for member in members:
            by_key.setdefault(member[1], []).append(member)

        def decode(value: Any) -> Any:
            if type(value) is not dict:
                return slow(value)
            chosen = members
            if len(value) == 1:  # as the values of DynamoDB: one member of ten
                for key in value:
                    chosen = by_key.get(key, _NO_MEMBERS)
            parsed = {}
            for name, key, decode_member in chosen:
                raw = value.get(key)
                if raw is not None:
                    parsed[name] = raw if decode_member is _same else decode_member(raw)
            return parsed

        return decode

    def _list(self, shape: Any) -> Decode:
        decode_member = self._later(shape.member)

        def decode(node: Any) -> list[Any]:
            return [None if item is None else decode_member(item) for item in node]

        return decode

    def _map(self, shape: Any) -> Decode | None:
        decode_key, decode_value = self._later(shape.key), self._later(shape.value)

        def decode(value: Any) -> dict[Any, Any]:
            return {decode_key(key): decode_value(item) for key, item in value.items()}

        def decode_values(value: Any) -> dict[Any, Any]:
            return {key: decode_value(item) for key, item in value.items()}

        return decode_values if decode_key is _same else decode

    def _scalar(self, shape: Any) -> Decode | None:
        kind = shape.type_name
        handler = getattr(self, f"_handle_{kind}", self._default_handle)
        plain_text = kind == "string" and not is_json_value_header(shape)
        return _same if plain_text or handler == self._default_handle else None


def _same(value: Any) -> Any:
    return value


def _union(members: dict[str, tuple[str, Decode]], slow: Decode) -> Decode:
    def decode(value: Any) -> Any:
        if type(value) is dict and len(value) == 1:
            for key, raw in value.items():
                member = members.get(key)
                if member is not None and raw is not None:
                    name, decode_member = member
                    return {name: raw if decode_member is _same else decode_member(raw)}
        return slow(value)

    return decode

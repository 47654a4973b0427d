"""Model files whose large sections are decoded member by member, when a member is asked for."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Any

# The sections that hold almost all of a service's model: 4 MB in EC2's, of which a call needs 1 %.
_LARGE = ("operations", "shapes")
# As botocore ships its models: a member of a section begins on a line of its own, four spaces in,
# and ends there too, or on the same line.
_BEGINNING = re.compile(rb'\n    "([^"\\]+)" ?: ?(?=\{)')


class Section(Mapping[str, Any]):
    """A section of a model: name -> what was decoded, from its text, the first time.

    Immutable but for that, and safe on any thread. Several views over one text (`view`) share no
    decoded value, so that whoever changes one changes nobody else's. Lives as long as its model.
    """

    __slots__ = ("_data", "_decoded", "_spans")

    def __init__(self, data: bytes, spans: Mapping[str, tuple[int, int]]) -> None:
        self._data = data
        # Where in the file's content the text of each member begins and ends, in its order.
        self._spans = spans
        self._decoded: dict[str, Any] = {}

    def view(self) -> Section:
        """The same section with decoded values of its own."""
        return Section(self._data, self._spans)

    def merged(self, extras: Mapping[str, Any]) -> Section:
        """The same section with more in it: mappings are merged, other values replaced."""
        data, spans = bytearray(self._data), dict(self._spans)
        for name, extra in extras.items():
            member = _merge(self._decode(name), extra) if name in spans else extra
            start = len(data)
            data += json.dumps(member).encode()
            spans[name] = start, len(data)
        return Section(bytes(data), spans)

    def containing(self, text: bytes) -> list[str]:
        """The names of the members in whose text that text occurs."""
        order = sorted((start, end, name) for name, (start, end) in self._spans.items())
        starts = [start for start, *_ in order]
        found, at = [], self._data.find(text, starts[0])
        while at >= 0:
            _, end, name = order[bisect_right(starts, at) - 1]
            if at < end:
                found.append(name)
            at = self._data.find(text, max(end, at + 1))
        return found

    def __getitem__(self, name: str) -> Any:
        value = self._decoded.get(name)
        if value is None:
            # Two threads may both decode; both go on with the value that was there first.
            value = self._decoded.setdefault(name, self._decode(name))
        return value

    def _decode(self, name: str) -> Any:
        start, end = self._spans[name]
        return json.loads(self._data[start:end])

    def __contains__(self, name: object) -> bool:
        return name in self._spans

    def __iter__(self) -> Iterator[str]:
        return iter(self._spans)

    def __len__(self) -> int:
        return len(self._spans)

    def __deepcopy__(self, memo: Any) -> dict[str, Any]:
        return {name: self._decode(name) for name in self._spans}


def parse(data: bytes) -> dict[str, Any]:
    """A model from its file's content, with its large sections as `Section`.

    Files in another form than botocore's are decoded whole.

    Raises:
        ValueError: The content is not JSON.
    """
    cuts = sorted(cut for name in _LARGE if (cut := _cut(data, name)) is not None)
    rest, at = [], 0
    for start, end, *_ in cuts:
        rest.append(data[at:start])
        at = end
    model: dict[str, Any] = json.loads(b"".join([*rest, data[at:]]))
    for _, _, name, spans in cuts:
        model[name] = Section(data, spans)
    return model


def merge(model: dict[str, Any], extras: Mapping[str, Any]) -> dict[str, Any]:
    """A model with botocore's extras merged into it."""
    merged = dict(model)
    for name, extra in extras.items():
        present = merged.get(name)
        if isinstance(present, Section):
            merged[name] = present.merged(extra)
        else:
            merged[name] = extra if present is None else _merge(present, extra)
    return merged


def _merge(value: Any, extra: Any) -> Any:
    if not isinstance(value, dict) or not isinstance(extra, dict):
        return extra
    merged = dict(value)
    for name, more in extra.items():
        merged[name] = _merge(merged[name], more) if name in merged else more
    return merged


def _cut(data: bytes, section: str) -> tuple[int, int, str, dict[str, tuple[int, int]]] | None:
    """Where the members of a section begin and end, all and each; `None` if it is not sure."""
    opening = re.search(rb'\n  "%s" ?: ?\{(?=\n    ")' % section.encode(), data)
    if opening is None:
        return None
    start, end = opening.end(), data.find(b"\n  }", opening.end())
    members = list(_BEGINNING.finditer(data, start, max(end, start)))
    if not members or members[0].start() != start:
        return None
    spans: dict[str, tuple[int, int]] = {}
    following = [member.start() for member in members[1:]] + [end]
    for member, until in zip(members, following, strict=True):
        last = data.rfind(b"}", member.end(), until)
        line = data.rfind(b"\n", member.end(), last)
        # Cut in the wrong place, a text would not close where it opens.
        if data[last + 1 : until].strip() not in (b"", b",") or (
            line >= 0 and data[line:last] != b"\n    "
        ):
            return None
        spans[member[1].decode()] = (member.end(), last + 1)
    return (start, end, section, spans) if len(spans) == len(members) else None

"""Model files whose large sections are decoded member by member, when a member is asked for."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Where in a file's content the text of each member begins and ends, in the members' order.
Spans = Mapping[str, tuple[int, int]]


class Section(Mapping[str, Any]):
    """A section of a model: name -> what was decoded, from its text, the first time.

    Immutable but for that, and safe on any thread. Several views over one text (`view`) share no
    decoded value, so that whoever changes one changes nobody else's. Lives as long as its model.
    """

    __slots__ = ("_data", "_decoded", "_extras", "_spans")

    def __init__(
        self, data: bytes, spans: Spans, extras: Mapping[str, bytes] | None = None
    ) -> None:
        self._data = data
        self._spans = spans
        # The texts of members that are in no file as they are here.
        self._extras: Mapping[str, bytes] = extras or {}
        self._decoded: dict[str, Any] = {}

    def view(self) -> Section:
        """The same section with decoded values of its own."""
        return Section(self._data, self._spans, self._extras)

    def merged(self, extras: Mapping[str, Any]) -> Section:
        """The same section with more in it: mappings are merged, other values replaced."""
        texts = dict(self._extras)
        for name, extra in extras.items():
            member = _merge(self._decode(name), extra) if name in self else extra
            texts[name] = json.dumps(member).encode()
        spans = {**self._spans, **{name: (0, 0) for name in texts if name not in self._spans}}
        return Section(self._data, spans, texts)

    def containing(self, text: bytes) -> list[str]:
        """The names of the members in whose text that text occurs."""
        found = [name for name, member in self._extras.items() if text in member]
        spans = [(*span, name) for name, span in self._spans.items() if name not in self._extras]
        if not spans:
            return found
        at = self._data.find(text, spans[0][0], spans[-1][1])
        while at >= 0:
            _, end, name = spans[bisect_right(spans, at, key=_start) - 1]
            if at < end:
                found.append(name)
            at = self._data.find(text, max(end, at + 1), spans[-1][1])
        return found

    def __getitem__(self, name: str) -> Any:
        value = self._decoded.get(name)
        if value is None:
            # Two threads may both decode; both go on with the value that was there first.
            value = self._decoded.setdefault(name, self._decode(name))
        return value

    def _decode(self, name: str) -> Any:
        if name in self._extras:
            return json.loads(self._extras[name])
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


def _start(span: tuple[int, int, str]) -> int:
    return span[0]


def parse(data: bytes) -> dict[str, Any]:
    """A service's model from its file's content, its operations and shapes as `Section`.

    They are almost all of it: 4 MB in EC2's, of which a call needs 1 %. Files in another form than
    botocore's are decoded whole.

    Raises:
        ValueError: The content is not JSON.
    """
    cuts = _SERVICE.cut(data)
    model: dict[str, Any] = json.loads(_without(data, cuts))
    for cut in cuts:
        model[cut.name] = Section(data, cut.spans)
    return model


def parse_endpoints(data: bytes) -> dict[str, Any]:
    """The partitions from their file's content, with the services of each as `Section`.

    Raises:
        ValueError: The content is not JSON.
    """
    cuts = _PARTITIONS.cut(data)
    endpoints: dict[str, Any] = json.loads(_without(data, cuts))
    partitions = [part for part in endpoints.get("partitions", ()) if not part.get("services")]
    if len(cuts) != len(partitions):
        whole: dict[str, Any] = json.loads(data)
        return whole
    for partition, cut in zip(partitions, cuts, strict=True):
        partition["services"] = Section(data, cut.spans)
    return endpoints


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


@dataclass(frozen=True, slots=True)
class _Cut:
    """One section found in a file: its name, where its members begin and end, all and each."""

    name: str
    start: int
    end: int
    spans: Spans


def _without(data: bytes, cuts: list[_Cut]) -> bytes:
    starts = [0, *(cut.end for cut in cuts)]
    ends = [*(cut.start for cut in cuts), len(data)]
    return b"".join(data[start:end] for start, end in zip(starts, ends, strict=True))


class _Form:
    """How botocore writes sections of some names that begin so many spaces in.

    There each member begins on a line of its own, two spaces further in, and ends there too or on
    the same line. A section that is not surely so is left out.
    """

    def __init__(self, names: bytes, indent: int) -> None:
        self._margin = b"\n" + b" " * indent
        self._opening = re.compile(
            self._margin + rb'"(%s)" ?: ?\{(?=%s  ")' % (names, self._margin)
        )
        self._beginning = re.compile(self._margin + rb'  "([^"\\]+)" ?: ?(?=\{)')

    def cut(self, data: bytes) -> list[_Cut]:
        """The sections found."""
        cuts = []
        closing = self._margin + b"  }"
        for found in self._opening.finditer(data):
            start, end = found.end(), data.find(self._margin + b"}", found.end())
            members = list(self._beginning.finditer(data, start, max(start, end)))
            spans: dict[str, tuple[int, int]] = {}
            until = end
            for member in reversed(members):
                text_end = _end_of_member(data, member.end(), until, closing)
                if text_end is None:
                    break
                spans[member[1].decode()] = (member.end(), text_end)
                until = member.start()
            if members and until == start and len(spans) == len(members):
                cuts.append(_Cut(found[1].decode(), start, end, dict(reversed(spans.items()))))
        return cuts


_SERVICE = _Form(rb"operations|shapes", indent=2)
_PARTITIONS = _Form(rb"services", indent=4)


def _end_of_member(data: bytes, start: int, until: int, closing: bytes) -> int | None:
    """Where the text of a member ends; `None` if it does not close as it opens."""
    if data.endswith(closing + b",", start, until):
        return until - 1
    if data.endswith(closing, start, until):
        return until
    last = data.rfind(b"}", start, until)
    on_one_line = data.find(b"\n", start, last) < 0
    rest = data[last + 1 : until].strip()
    return last + 1 if on_one_line and rest in (b"", b",") else None

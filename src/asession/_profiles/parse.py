"""The text of a profile file to plain dicts, with botocore's results and errors without secrets.

The grammar is that of `configparser.RawConfigParser`, which botocore uses, so that whatever a
Python version makes of a file, both make the same of it. On top of it come botocore's rules: a
value that starts on an indented line is a nested section, and headings such as ``[profile dev]``
are sorted into tables (`botocore.configloader` is the oracle; the tests compare).
"""

from __future__ import annotations

import codecs
import configparser
import io
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, cast

from asession.exceptions import ConfigParseError

Section = dict[str, str | dict[str, str]]

_TABLES = {"profile": "profiles", "sso-session": "sso_sessions", "services": "services"}
_LINE_END = re.compile(rb"\r\n|\r|\n")


def parse_ini(data: bytes, path: str) -> dict[str, Section]:
    """Parse a whole file.

    A UTF-8 byte order mark is skipped (botocore fails on it). Lines end with LF, CRLF or CR.

    Args:
        data: The content of the file.
        path: Its path, for errors only.

    Returns:
        Each section by its heading as written, in file order; ``[DEFAULT]`` is not a section, its
        keys are in every other one. Keys are lower case, keys of nested sections as written.

    Raises:
        ConfigParseError: With the line; it holds nothing of the file but the name of a section
            or key that is there twice.
    """
    parsed = _parse(data)
    if isinstance(parsed, dict):
        return parsed
    # Raised here, not where it was found: configparser's errors quote the file, and decoding
    # errors hold all of it, so they must not hang on to ours as its context.
    line, error = parsed
    raise ConfigParseError(path=path, line=line, error=error)


def profile_map(sections: Mapping[str, Section]) -> dict[str, Any]:
    """Sort the sections of a config file into its tables.

    Args:
        sections: The result of `parse_ini`; it is copied.

    Returns:
        Every other section by its heading, and the tables ``profiles``, ``sso_sessions`` and
        ``services``, each section there by its name. Headings with such a prefix that do not have
        exactly one name are dropped.
    """
    tables: dict[str, dict[str, Section]] = {table: {} for table in _TABLES.values()}
    others: dict[str, Section] = {}
    for title, section in sections.items():
        table, name = heading(title)
        if name is not None:
            (others if table is None else tables[table])[name] = {
                key: dict(value) if isinstance(value, dict) else value
                for key, value in section.items()
            }
    return {**others, **tables}


def heading(title: str) -> tuple[str | None, str | None]:
    """What a heading of the config file means.

    Returns:
        The table the section belongs to, `None` for a section outside all tables; and its name
        there, `None` if the heading has not exactly one.
    """
    for prefix, table in _TABLES.items():
        # botocore asks for the prefix, not for the word: `[profiles x]` is the profile x, too.
        if title.startswith(prefix):
            try:
                words = shlex.split(title)
            except ValueError:
                return table, None
            return table, words[1] if len(words) == 2 else None
    return ("profiles" if title == "default" else None), title


class _Book:
    """The lines of one text, and on which line each part of each value stands; lives for one parse.

    `configparser` tells the line of its own errors only, so the line a value came from is noted
    while it stores that value: once per key, then once per continuation line.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._line = 0
        self._values: list[tuple[str, _Parts]] = []

    def lines(self) -> Iterator[str]:
        for line in io.StringIO(self._text, newline=None):
            self._line += 1
            yield line

    def new_section(self) -> dict[str, Any]:
        return _Recorder(self)

    def note(self, key: str, parts: list[str]) -> _Parts:
        noted = _Parts(self, parts)
        self._values.append((key, noted))
        return noted

    @property
    def line(self) -> int:
        return self._line

    def line_of(self, key: str, value: str, offset: int) -> int:
        """The line of one part of a value (two sections with the same value: of the first)."""
        for noted_key, parts in self._values:
            if noted_key == key and "\n".join(parts).rstrip() == value:
                return parts.lines[offset]
        return self._line


class _Recorder(dict[str, Any]):
    """A section while `configparser` fills it."""

    def __init__(self, book: _Book) -> None:
        super().__init__()
        self._book = book

    def __setitem__(self, key: str, value: Any) -> None:
        # A list holds the parts of a value; the joined string replaces it at the end.
        super().__setitem__(key, self._book.note(key, value) if isinstance(value, list) else value)


class _Parts(list[str]):
    """The parts of one value, one per line, with their line numbers."""

    def __init__(self, book: _Book, parts: list[str]) -> None:
        super().__init__(parts)
        self._book = book
        self.lines = [book.line] * len(parts)

    def append(self, part: str) -> None:
        super().append(part)
        self.lines.append(self._book.line)


class _NoEqualsSignError(Exception):
    """A line of a nested section is not ``key = value``; `offset` counts lines of the value."""

    def __init__(self, offset: int) -> None:
        self.offset = offset


def _parse(data: bytes) -> dict[str, Section] | tuple[int, str]:
    """The sections, or the line of the first error and what is wrong there."""
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        book = _Book(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = 1 + len(_LINE_END.findall(data, 0, error.start))
        return line, "the line is not valid UTF-8"
    parser = configparser.RawConfigParser(dict_type=cast(Any, book.new_section))
    try:
        parser.read_file(book.lines())
    except configparser.DuplicateSectionError as error:
        return error.lineno or book.line, f"the section [{error.section}] is there twice"
    except configparser.DuplicateOptionError as error:
        twice = f"the key {error.option!r} is in the section [{error.section}] twice"
        return error.lineno or book.line, twice
    except configparser.MissingSectionHeaderError as error:
        return error.lineno, "the line comes before the first [section]"
    except configparser.ParsingError as error:
        wrong = "the line is neither a [section], `key = value` nor an indented value"
        return error.errors[0][0], wrong
    sections: dict[str, Section] = {}
    for title in parser.sections():
        section = sections[title] = {}
        for key in parser.options(title):
            value = parser.get(title, key)
            try:
                section[key] = _nested(value) if value.startswith("\n") else value
            except _NoEqualsSignError as error:
                line = book.line_of(key, value, error.offset)
                return line, "the indented line is not `key = value`"
    return sections


def _nested(value: str) -> dict[str, str]:
    nested: dict[str, str] = {}
    for offset, row in enumerate(value.split("\n")):
        # botocore also breaks lines at form feeds, U+2028 and the like, which a file line may hold.
        for line in row.splitlines():
            if line.strip():
                key, equals, inner = line.partition("=")
                if not equals:
                    raise _NoEqualsSignError(offset)
                nested[key.strip()] = inner.strip()
    return nested

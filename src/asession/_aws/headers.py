"""Headers of requests and responses, as botocore's own but looked up without an object per name."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator
from typing import Any, Self

from botocore.awsrequest import HeadersDict
from botocore.compat import HTTPHeaders


class Headers(HeadersDict):
    """Names in any case and values, one for each name; botocore's own makes two objects for a look.

    Lives as long as the prepared request or the response that has it.
    """

    # By lower-case name: the name as it was first given, and the last value.
    _dict: dict[Any, tuple[Any, Any]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._dict = {}
        if args or kwargs:
            self.update(*args, **kwargs)

    @classmethod
    def of_response(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """Headers with lower-case names; values of one name are joined, as HTTP allows."""
        self = cls()
        entries = self._dict
        for pair in pairs:
            name = pair[0]
            if name in entries:
                entries[name] = (name, f"{entries[name][1]}, {pair[1]}")
            else:
                entries[name] = pair
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        lower = key.lower()
        present = self._dict.get(lower)
        self._dict[lower] = (key if present is None else present[0], value)

    def __getitem__(self, key: Any) -> Any:
        entries = self._dict
        # Most names are asked for as they are.
        entry = entries.get(key)
        if entry is None:
            entry = entries.get(key.lower())
            if entry is None:
                raise KeyError(key)
        return entry[1]

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of a header, or `default`."""
        entry = self._dict.get(key.lower())
        return default if entry is None else entry[1]

    def __contains__(self, key: Any) -> bool:
        return key.lower() in self._dict

    def __delitem__(self, key: Any) -> None:
        del self._dict[key.lower()]

    def __iter__(self) -> Iterator[Any]:
        return iter([name for name, _ in self._dict.values()])

    def items(self) -> ItemsView[Any, Any]:
        """Names and values, in order."""
        return _Items(self)

    def copy(self) -> HeadersDict:
        """Headers of their own with the same names and values."""
        return Headers(self.items())

    def __repr__(self) -> str:
        return repr(dict(self._dict.values()))


class _Items(ItemsView[Any, Any]):
    """A view of headers that looks none of them up."""

    _mapping: Any

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return iter(self._mapping._dict.values())


class RequestHeaders(HTTPHeaders):
    """The headers of a request that is still being made, in which a name may occur again.

    Lives as long as the request. Setting one adds to those of its name, as botocore expects.

    Attributes:
        encoded: Whether the prepared request is to have the values as bytes.
    """

    encoded: bool = False

    def __setitem__(self, name: str, val: Any) -> None:
        # The policy of these messages sets no limit to how often a name may occur.
        self._headers.append(self.policy.header_store_parse(name, val))

    def items(self) -> list[tuple[str, Any]]:
        """Names and values, in order."""
        fetch = self.policy.header_fetch_parse
        # A text of ASCII is what it is: nothing to look at.
        return [
            (name, value if type(value) is str and value.isascii() else fetch(name, value))
            for name, value in self._headers
        ]

"""What all errors of the package have in common: facts as attributes, messages made of them."""

from __future__ import annotations

from typing import Any


class AsessionError(Exception):
    """The root of all errors of this package.

    Every subclass takes keyword arguments only, keeps them as attributes, builds its message from
    them in `_message`, and survives pickling.
    """

    __module__ = "asession.exceptions"  # where its users find it

    def __init__(self, **facts: Any) -> None:
        self._facts = facts
        # botocore's errors keep their format arguments here, each class typed in its own way.
        self.kwargs: Any = facts
        self.__dict__.update(facts)
        Exception.__init__(self, self._message())

    def _message(self) -> str:
        return "; ".join(f"{name}: {value}" for name, value in self._facts.items())

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self._facts, self._notes())

    def _notes(self) -> tuple[str, ...]:
        return tuple(getattr(self, "__notes__", ()))


def _rebuild(
    kind: type[AsessionError], facts: dict[str, Any], notes: tuple[str, ...]
) -> AsessionError:
    error = kind(**facts)
    for note in notes:
        error.add_note(note)
    return error

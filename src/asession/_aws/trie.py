"""Which handlers an event has: a tree that copies share, because it is never changed in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

Handler = Callable[..., Any]

_WILDCARD = "*"


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One word of the names of events.

    Attributes:
        handlers: Those registered first, in between, and last, for events that end here.
        children: The nodes of the words that may follow.
    """

    handlers: tuple[tuple[Handler, ...], tuple[Handler, ...], tuple[Handler, ...]] = ((), (), ())
    children: Mapping[str, Node] = field(default_factory=dict)

    def with_child(self, word: str, child: Node) -> Node:
        """This node with one child added or replaced."""
        return Node(self.handlers, {**self.children, word: child})


_EMPTY = Node()


class HandlerTrie:
    """Handlers by event name, found for an event and all prefixes of its name, the longest first.

    ``*`` in a registered name stands for any one word. Behaves as botocore's trie does, but a copy
    shares everything with its original until one of them changes, which costs the nodes on the way
    to that event alone. Lives as long as its emitter.
    """

    __slots__ = ("_root",)

    def __init__(self) -> None:
        self._root = _EMPTY

    def append_item(self, key: str, value: Handler, section: int = 1) -> None:
        """Add a handler: `section` is 0 for first, 1 for in between, 2 for last."""

        def append(node: Node) -> Node:
            handlers = list(node.handlers)
            handlers[section] = (*handlers[section], value)
            return Node((handlers[0], handlers[1], handlers[2]), node.children)

        self._root = _changed(self._root, key.split("."), append)

    def remove_item(self, key: str, value: Handler) -> None:
        """Remove a handler once; nothing happens if it is not there."""

        def remove(node: Node) -> Node:
            handlers = list(node.handlers)
            for section, present in enumerate(handlers):
                if value in present:
                    index = present.index(value)
                    handlers[section] = (*present[:index], *present[index + 1 :])
                    return Node((handlers[0], handlers[1], handlers[2]), node.children)
            return node

        self._root = _changed(self._root, key.split("."), remove)

    def prefix_search(self, key: str) -> list[Handler]:
        """The handlers of an event, in the order in which they are called."""
        words = key.split(".")
        reached: list[Node] = []
        stack = [(self._root, 0)]
        while stack:
            node, depth = stack.pop()
            reached.append(node)
            if depth < len(words):
                for word in (_WILDCARD, words[depth]):
                    child = node.children.get(word)
                    if child is not None:
                        stack.append((child, depth + 1))
        return [
            handler
            for node in reversed(reached)
            for section in node.handlers
            for handler in section
        ]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HandlerTrie) and other._root is self._root

    __hash__ = None  # type: ignore[assignment]

    def __copy__(self) -> Self:
        copied = type(self)()
        copied._root = self._root
        return copied


def _changed(node: Node, words: list[str], change: Callable[[Node], Node]) -> Node:
    if not words:
        return change(node)
    child = node.children.get(words[0], _EMPTY)
    changed = _changed(child, words[1:], change)
    return node if changed is child else node.with_child(words[0], changed)

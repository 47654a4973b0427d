"""Async scripts without their awaiting, and the requests that both forms send."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any

from servers.messages import RecordedRequest

# Of the moment, the connection, the program, or the secret.
_VOLATILE = frozenset(
    {"amz-sdk-invocation-id", "authorization", "connection", "user-agent", "x-amz-date"}
)
# What servers make up: EC2's ids, receipt handles, UUIDs and the like.
_MADE_UP = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\b(?:[a-z]+-[0-9a-f]{8,17}|AKIA[A-Z0-9]{12,16}|[A-Za-z0-9_-]{50,200})\b"
)


class _Sync(ast.NodeTransformer):
    """What is left of a program when nothing is awaited."""

    def visit_Await(self, node: ast.Await) -> ast.AST:
        return self.visit(node.value)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        self.generic_visit(node)
        return ast.FunctionDef(**{name: getattr(node, name, None) for name in node._fields})

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        self.generic_visit(node)
        return ast.For(**{name: getattr(node, name, None) for name in node._fields})

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        self.generic_visit(node)
        return ast.With(**{name: getattr(node, name, None) for name in node._fields})

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        self.generic_visit(node)
        node.is_async = 0
        return node


def without_await(module: ModuleType, name: str) -> Callable[..., Any]:
    """A coroutine function of a module as a plain function."""
    tree = ast.fix_missing_locations(_Sync().visit(ast.parse(inspect.getsource(module))))
    names: dict[str, Any] = {"__name__": module.__name__}
    exec(compile(tree, f"{module.__file__} without await", "exec"), names)
    function: Callable[..., Any] = names[name]
    return function


def told(requests: Iterable[RecordedRequest]) -> list[str]:
    """What requests say, without what differs from run to run."""
    known: dict[str, str] = {}

    def number(match: re.Match[str]) -> str:
        return known.setdefault(match[0], f"<{len(known)}>")

    return [_MADE_UP.sub(number, "\n".join(_lines(request))) for request in requests]


def _lines(request: RecordedRequest) -> Iterator[str]:
    body = request.body.decode("latin-1")
    yield f"{request.method} {request.target}"
    for name, value in sorted(request.headers.items()):
        if name not in _VOLATILE:
            # The checksum of what a server made up is made up, too.
            differs = name.startswith("x-amz-checksum-") and _MADE_UP.search(body)
            yield f"{name}: {'a checksum' if differs else value}"
    yield body

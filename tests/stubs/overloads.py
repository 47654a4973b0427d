"""`_opens.pyi`, `_shortcuts.pyi` and `types/_openings.pyi`: what is opened, by service."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from asession._opens import Opens
from stubs.upstream import Client

# Services whose clients have more than aiobotocore's: the module here that has their class.
EXTENDED = {"s3": "asession.types.s3"}
IMPORTS = """\
from typing import Any, Literal, overload

from botocore.config import Config

from asession.types import _openings
"""
GENERIC = "Any"


def opening(client: Client, kind: str) -> str:
    """The name of the class for what `client()` or `resource()` of a service returns."""
    return f"{client.name.removesuffix('Client')}{kind.title()}Opening"


def resource_class(client: Client) -> str:
    """The name of the class of a service's resource."""
    return f"{client.name.removesuffix('Client')}ServiceResource"


def openings(clients: Sequence[Client], with_resources: Sequence[str]) -> Iterator[str]:
    """The lines of `_openings.pyi`: a class for each client and each resource."""
    yield from ("from asession.types._opening import TypedOpening",)
    for client in clients:
        yield f"from {client.module} import {client.name}"
        if client.service in EXTENDED:
            name = f"{client.name} as Extended{client.name}"
            yield f"from {EXTENDED[client.service]} import {name}"
        if client.service in with_resources:
            module = f"asession.types.{client.service}"
            yield f"from {module} import {resource_class(client)}"
    for client in clients:
        opened = f"Extended{client.name}" if client.service in EXTENDED else client.name
        yield f"class {opening(client, 'client')}(TypedOpening[{client.name}, {opened}]): ..."
        if client.service in with_resources:
            opened = resource_class(client)
            yield f"class {opening(client, 'resource')}(TypedOpening[{client.name}, {opened}]): ..."


def mixin(clients: Sequence[Client], with_resources: Sequence[str]) -> Iterator[str]:
    """The lines of `_opens.pyi`: the class `Opens` with an overload for each service."""
    yield IMPORTS
    yield "from asession._clients import LiveStates"
    yield "class Opens:"
    yield "    _live: LiveStates"
    for name, services in _asked(clients, with_resources):
        yield from (f"    {line}" for line in _overloads(name, services))


def functions(clients: Sequence[Client], with_resources: Sequence[str]) -> Iterator[str]:
    """The lines of `_shortcuts.pyi`: the same overloads as functions."""
    yield IMPORTS
    for name, services in _asked(clients, with_resources):
        yield from (line.replace("self, ", "") for line in _overloads(name, services))


def _asked(
    clients: Sequence[Client], with_resources: Sequence[str]
) -> Iterator[tuple[str, list[Client]]]:
    yield "client", list(clients)
    yield "resource", [client for client in clients if client.service in with_resources]


def _overloads(name: str, clients: Iterable[Client]) -> Iterator[str]:
    for client in clients:
        yield "@overload"
        yield _signature(name, f'Literal["{client.service}"]', f"_openings.{opening(client, name)}")
    yield "@overload"
    yield _signature(name, "str", GENERIC)


def _signature(name: str, service_name: str, returned: str) -> str:
    """The method's own signature, with another first parameter and result."""
    source = inspect.getsource(getattr(Opens, name))
    method = ast.parse(textwrap.dedent(source)).body[0]
    assert isinstance(method, ast.FunctionDef)
    arguments = method.args
    arguments.args[1].annotation = ast.parse(service_name, mode="eval").body
    arguments.defaults = [ast.Constant(...) for _ in arguments.defaults]
    return f"def {name}({ast.unparse(arguments)}) -> {returned}: ..."

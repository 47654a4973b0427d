"""What the stub packages `types-aiobotocore` and `types-aiobotocore-<service>` know."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import Distribution, distribution, version

NAME = "types-aiobotocore"


@dataclass(frozen=True, slots=True)
class Client:
    """The class of a service's clients.

    Attributes:
        service: For example ``"acm-pca"``.
        module: For example ``"types_aiobotocore_acm_pca.client"``.
        name: For example ``"ACMPCAClient"``.
    """

    service: str
    module: str
    name: str


def release() -> str:
    """The version of the stub packages; all have the same."""
    return version(NAME)


def clients() -> list[Client]:
    """The clients of all services: of those that the overloads of `create_client` list."""
    tree = _parse(distribution(NAME), "aiobotocore-stubs/session.pyi")
    homes = imports(tree)
    session = next(node for node in classes(tree) if node.name == "AioSession")
    found = []
    for method in session.body:
        if isinstance(method, ast.FunctionDef) and method.name == "create_client":
            literal, returned = method.args.args[1].annotation, method.returns
            assert isinstance(literal, ast.Subscript)
            assert isinstance(literal.slice, ast.Constant)
            assert isinstance(returned, ast.Subscript)
            assert isinstance(returned.slice, ast.Name)
            name = returned.slice.id
            found.append(Client(literal.slice.value, homes[name], name))
    return sorted(found, key=lambda client: client.service)


class ResourceStubs:
    """What the stubs of a service say of its resources, by class and member.

    They are of aioboto3's resources, in which attributes and constructors are awaited.
    """

    def __init__(self, service: str) -> None:
        self.package = f"types_aiobotocore_{service.replace('-', '_')}"
        self._tree = _parse(
            distribution(f"{NAME}-{service}"), f"{self.package}/service_resource.pyi"
        )

    @cached_property
    def homes(self) -> dict[str, str]:
        """Where each name that is imported comes from."""
        return {
            name: f"{self.package}{home}" if home.startswith(".") else home
            for name, home in imports(self._tree).items()
        }

    @cached_property
    def classes(self) -> dict[str, dict[str, ast.stmt]]:
        """The members of each class."""
        return {node.name: dict(_members(node)) for node in classes(self._tree)}


def imports(tree: ast.Module) -> dict[str, str]:
    """The module that each name is imported from, also inside `try` and `if`."""
    return {
        alias.asname or alias.name: "." * node.level + (node.module or "")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def classes(tree: ast.Module) -> list[ast.ClassDef]:
    """The classes of a module."""
    return [node for node in tree.body if isinstance(node, ast.ClassDef)]


def _members(node: ast.ClassDef) -> Iterator[tuple[str, ast.stmt]]:
    for member in node.body:
        if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
            yield member.name, member
        elif isinstance(member, ast.AnnAssign):
            yield ast.unparse(member.target), member


def _parse(package: Distribution, path: str) -> ast.Module:
    return ast.parse(package.locate_file(path).read_text("utf-8"))

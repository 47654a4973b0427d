"""What the import contracts cannot say: single upstream modules, imports by name at run time."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/asession"

# The package behind a door -> the rooms (or single modules) that may name it.
DOORS = {
    "asyncio": ("_runtime",),
    "trio": ("_runtime",),
    "sniffio": ("_runtime",),
    "aiofiles": ("_runtime",),
    "aiobotocore": ("_aws",),
    "botocore": ("_aws", "exceptions"),
    "boto3": ("_resources", "dynamodb", "exceptions"),
    "aiohttp": ("_aws",),
    "httpx": ("_aws",),
    "httpx2": ("_aws",),
    "s3transfer": (),
}
# All that these modules may name of upstream.
ONLY = {"exceptions": {"botocore.exceptions", "boto3.exceptions"}}
# A room -> its height, as the contract about the layers has it.
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
HEIGHT = {
    name: -depth
    for contract in CONTRACTS["contracts"]
    for depth, layer in enumerate(contract.get("layers", ()))
    for name in re.findall(r"\w+", layer)
}
IMPORTERS = {"import_module", "__import__", "in_thread"}


def imported_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every module named by an import statement or by a literal given to an importing function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            # `from botocore import exceptions` names a module as well as an attribute may.
            top = "." not in node.module
            for alias in node.names:
                yield (f"{node.module}.{alias.name}" if top else node.module), node.lineno
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in IMPORTERS:
                for argument in node.args:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        yield argument.value, node.lineno


def without_type_checking(tree: ast.Module) -> ast.Module:
    """The tree without the bodies of ``if TYPE_CHECKING:``, which never run."""

    class Strip(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
            if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
                return node.orelse
            return self.generic_visit(node)

    stripped: ast.Module = Strip().visit(tree)
    return stripped


def violations(room: str, source: str) -> list[str]:
    """What a module of a room names that is behind somebody else's door."""
    found = []
    for name, line in imported_names(without_type_checking(ast.parse(source))):
        door, _, rest = name.partition(".")
        if door == "asession" and rest:
            target = rest.partition(".")[0]
            if target != room and HEIGHT.get(target, 1) >= HEIGHT.get(room, 1):
                found.append(f"line {line}: {name} is not below {room}")
        elif door in DOORS and room not in DOORS[door]:
            found.append(f"line {line}: {name}")
        elif door in DOORS and room in ONLY and name not in ONLY[room]:
            found.append(f"line {line}: {name} (only {', '.join(sorted(ONLY[room]))})")
    return found


def test_every_module_keeps_to_its_doors() -> None:
    modules = sorted(PACKAGE.rglob("*.py"))
    assert modules
    found = {}
    for path in modules:
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if lines := violations(room, path.read_text("utf-8")):
            found[str(path.relative_to(ROOT))] = lines
    assert found == {}


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("session", "import_module('aiobotocore.session')"),
        ("session", "importlib.import_module('botocore')"),
        ("_cli", "__import__('trio')"),
        ("_aws", "await in_thread(importlib.import_module, 's3transfer')"),
        ("_aws", "await import_module('asession.session')"),
        ("_clients", "import_module('asession._scope')"),
        ("exceptions", "import botocore.session"),
        ("exceptions", "from botocore import session"),
        ("exceptions", "def f():\n    from boto3 import Session"),
    ],
)
def test_a_name_behind_a_door_is_found(room: str, source: str) -> None:
    assert violations(room, source)


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("_aws", "await import_module('aiobotocore.session')"),
        ("exceptions", "from botocore.exceptions import ClientError"),
        ("exceptions", "from botocore import exceptions"),
        ("session", "await import_module('asession._aws.backend')"),
        ("_aws", "await import_module('asession._aws.backend')"),
        ("session", "if TYPE_CHECKING:\n    from aiobotocore.session import AioSession"),
    ],
)
def test_a_name_behind_the_own_door_is_free(room: str, source: str) -> None:
    assert violations(room, source) == []

"""`types/<service>.pyi`: classes as they are at run time, with the types of the stub packages."""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import anyio

from stubs import runtime
from stubs.overloads import EXTENDED, resource_class
from stubs.upstream import Client, ResourceStubs, imports

BASES = "asession.types._resource"
LOADING = {"load", "reload"}
# Older Pythons have these elsewhere.
TYPING = {"Literal", "Unpack"}
ANY = ast.Name("Any")
# What is mixed into the clients of a service: the class and its module.
MIXED_IN = {"s3": ("TransferMethods", "asession.s3.methods")}

services = runtime.services


def shapes(client: Client) -> Iterator[str]:
    """The lines of a service's stubs."""
    return _Shapes(client).lines()


class _Shapes:
    """Puts the stubs of one service together; remembers what they import."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._stubs = ResourceStubs(client.service)
        self._resources = anyio.run(runtime.resources, client.service)
        self._service_class = resource_class(client)
        self._imports: dict[str, set[str]] = defaultdict(set)
        self._aliases: set[str] = set()

    def lines(self) -> Iterator[str]:
        body = list(self._body())
        for module, names in self._imports.items():
            yield f"from {module} import {', '.join(sorted(names))}"
        yield from body
        for alias in sorted(self._aliases):
            yield f"{alias} = {alias.removeprefix('_')}"

    def _body(self) -> Iterator[str]:
        self._import(BASES, "Resource", "ResourceMeta", "RootResource")
        self._import(self._client.module, self._client.name)
        if self._client.service in EXTENDED:
            yield from self._extended_client()
        for name, resource in self._resources.items():
            yield from self._collections(name, resource)
            yield from self._resource(name, resource)

    def _extended_client(self) -> Iterator[str]:
        mixin, module = MIXED_IN[self._client.service]
        self._imports[self._client.module] = {f"{self._client.name} as _{self._client.name}"}
        self._import(module, mixin)
        yield f"class {self._client.name}({mixin}, _{self._client.name}):"
        yield '    """A client with the transfers of this package."""'

    def _resource(self, name: str, resource: Any) -> Iterator[str]:
        bases = [self._base(base) for base in runtime.mixins(resource)]
        mixed = {member for base in runtime.mixins(resource) for member in vars(base)}
        bases.append(runtime.base_of(name))
        yield f"class {self._named(name)}({', '.join(bases)}):"
        yield f"    meta: ResourceMeta[{self._client.name}]"
        told = self._stubs.classes[self._named(name)]
        members = runtime.members(resource)
        for member in (*(m for m in told if m in members), *(m for m in members if m not in told)):
            if member in runtime.collections(resource):
                yield _property(member, f"{_collection(name, member)}Manager")
            elif member not in mixed:
                yield f"    {self._member(member, members[member], told.get(member))}"

    def _collections(self, name: str, resource: Any) -> Iterator[str]:
        for member, manager in runtime.collections(resource).items():
            self._import(BASES, "Collection", "CollectionManager")
            collection = _collection(name, member)
            item = self._named(manager._model.resource.type)
            told = self._stubs.classes[collection]
            yield f"class {collection}Manager(CollectionManager[{collection}, {item}]):"
            filtering = self._function(told["filter"], "def")
            yield f"    {filtering} -> {collection}: ..."
            for action, value in runtime.batch_actions(manager).items():
                yield f"    {self._member(action, value, told.get(action), batch=True)}"
            yield f"class {collection}({collection}Manager, Collection[{item}]): ..."

    def _member(self, name: str, value: Any, told: ast.stmt | None, *, batch: bool = False) -> str:
        """One member of a class, or one batch action of a collection."""
        if isinstance(value, property):
            annotation = told.annotation if isinstance(told, ast.AnnAssign) else ANY
            return _property(name, self._annotation(_unwrapped(annotation))).strip()
        keyword = "async def" if inspect.iscoroutinefunction(value) else "def"
        if runtime.is_own(value):
            return self._own(name, value, keyword)
        if not isinstance(told, ast.FunctionDef | ast.AsyncFunctionDef):
            self._import("typing", "Any")
            return f"{keyword} {name}(self, *args: Any, **kwargs: Any) -> Any: ..."
        if name in LOADING:
            self._import("typing", "Self")
            return f"{keyword} {name}(self) -> Self: ..."
        returned = told.returns or ANY
        if ast.unparse(returned) == "None" and (batch or name == "create_tags"):
            # Both return something that the stub packages do not mention: a list of responses, and
            # the tags.
            returned = ast.parse("list[Any]" if batch else "list[_Tag]", mode="eval").body
        return f"{self._function(told, keyword)} -> {self._annotation(returned)}: ..."

    def _function(self, told: ast.stmt, keyword: str) -> str:
        assert isinstance(told, ast.FunctionDef | ast.AsyncFunctionDef)
        self._annotation(told.args)
        return f"{keyword} {told.name}({ast.unparse(told.args)})"

    def _own(self, name: str, function: Any, keyword: str) -> str:
        """A function of this package, as its source has it."""
        module = inspect.getmodule(function)
        assert module is not None
        homes = imports(ast.parse(inspect.getsource(module)))
        node = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        node.args.posonlyargs[0].annotation = None
        node.args.defaults = [ast.Constant(...) for _ in node.args.defaults]
        node.args.kw_defaults = [ast.Constant(...) for _ in node.args.kw_defaults]
        returned = self._annotation(node.returns or ANY, homes, module.__name__)
        self._annotation(node.args, homes, module.__name__)
        return f"{keyword} {name}({ast.unparse(node.args)}) -> {returned}: ..."

    def _annotation(
        self, node: ast.AST, homes: Mapping[str, str] | None = None, home: str | None = None
    ) -> str:
        """An annotation's source; what it names is imported."""
        known = self._stubs.homes if homes is None else homes
        for name in {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}:
            if name in known:
                self._import("typing" if name in TYPING else known[name], name)
            elif name.startswith("_"):
                self._aliases.add(name)
            elif name == "Any":
                self._import("typing", name)
            elif home is not None and not hasattr(builtins, name):
                self._import(home, name)
        return ast.unparse(node)

    def _base(self, base: type) -> str:
        self._import(base.__module__, base.__name__)
        return base.__name__

    def _named(self, name: str) -> str:
        return self._service_class if name == runtime.SERVICE else name

    def _import(self, module: str, *names: str) -> None:
        self._imports[module].update(names)


def _collection(class_name: str, member: str) -> str:
    return f"{class_name}{member.title().replace('_', '')}Collection"


def _property(name: str, returned: str) -> str:
    return f"    @property\n    def {name}(self) -> {returned}: ..."


def _unwrapped(annotation: ast.expr) -> ast.expr:
    """What an attribute is once it is loaded, of what aioboto3's has to be awaited for."""
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Awaitable":
        return annotation.slice
    return annotation

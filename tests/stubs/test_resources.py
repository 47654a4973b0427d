"""The stubs of resources have the members that the classes have at run time, and no others."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

import asession
from asession._resources.base import AsyncRootResource, AsyncServiceResource
from stubs import runtime
from stubs.test_overloads import made_from_this_botocore

SOURCE = Path(asession.__file__).parent
pytestmark = pytest.mark.anyio

Members = dict[str, ast.stmt]


def classes_of(stub: str) -> dict[str, tuple[list[str], Members]]:
    """The classes in a stub: the names of their bases, and their members."""
    tree = ast.parse((SOURCE / "types" / f"{stub}.pyi").read_text("utf-8"))
    found = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            members: Members = {}
            for member in node.body:
                if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                    members[member.name] = member
                elif isinstance(member, ast.AnnAssign):
                    members[ast.unparse(member.target)] = member
            found[node.name] = [ast.unparse(base) for base in node.bases], members
    return found


def kind_of(value: Any) -> str:
    """How a member of a class is used."""
    if inspect.iscoroutinefunction(value):
        return "awaited"
    return "called" if inspect.isfunction(value) else "read"


def kind_of_stub(node: ast.stmt) -> str:
    """The same of a member in a stub."""
    if isinstance(node, ast.AsyncFunctionDef):
        return "awaited"
    assert isinstance(node, ast.FunctionDef)
    return "read" if "property" in map(ast.unparse, node.decorator_list) else "called"


def compare(stub: Members, runtime_members: dict[str, Any], where: str) -> None:
    for name in stub.keys() & runtime_members.keys():
        assert kind_of_stub(stub[name]) == kind_of(runtime_members[name]), f"{where}.{name}"
    if made_from_this_botocore():
        assert stub.keys() == runtime_members.keys(), where


@pytest.mark.parametrize("service", runtime.services())
async def test_a_stub_has_the_members_of_the_class(service: str) -> None:
    stubs = classes_of(service)
    for name, resource in (await runtime.resources(service)).items():
        found = [stub for stub in stubs if stub == name or stub.endswith(name)]
        bases, members = stubs[found[0] if name == runtime.SERVICE else name]
        mixins = list(runtime.mixins(resource))
        assert bases == [*(mixin.__name__ for mixin in mixins), runtime.base_of(name)]
        mixed = {member for mixin in mixins for member in vars(mixin)}
        expected = {
            member: value
            for member, value in runtime.members(resource).items()
            if member not in mixed
        }
        assert members.pop("meta")
        compare(members, expected, f"{service}.{name}")

        for attribute, collection in runtime.collections(resource).items():
            reading = members[attribute]
            assert isinstance(reading, ast.FunctionDef)
            manager = ast.unparse(reading.returns or ast.Constant(None))
            _, members_of_manager = stubs[manager]
            assert isinstance(members_of_manager.pop("filter"), ast.FunctionDef)
            compare(members_of_manager, runtime.batch_actions(collection), manager)
            view_bases, members_of_view = stubs[manager.removesuffix("Manager")]
            assert manager in view_bases
            assert not members_of_view


@pytest.mark.parametrize(
    ("name", "base"), [("Resource", AsyncServiceResource), ("RootResource", AsyncRootResource)]
)
async def test_the_bases_of_the_stubs_stand_for_ours(name: str, base: type) -> None:
    _, members = classes_of("_resource")[name]
    assert {member for member in members if not hasattr(base, member)} <= runtime.COMMON
    ours = {member for member in vars(base) if not member.startswith("_")}
    assert ours - members.keys() == set()
    for member in ours:
        assert kind_of_stub(members[member]) == kind_of(vars(base)[member])


@pytest.mark.parametrize("service", runtime.services())
async def test_the_types_can_be_imported_at_run_time(service: str) -> None:
    module = importlib.import_module(f"asession.types.{service}")
    for name in classes_of(service):
        assert getattr(module, name) is Any
    with pytest.raises(AttributeError):
        _ = module.__no_such_name__

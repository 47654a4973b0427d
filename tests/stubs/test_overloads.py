"""The overloads say what the methods say, and know the services that botocore has."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import botocore
import botocore.session
import pytest

import asession
from asession._opens import Opens

SOURCE = Path(asession.__file__).parent
NAMES = ("client", "resource")
# What nobody has made types of: a service under its old name.
WITHOUT_TYPES = {"sms-voice"}


def overloads(file: str, name: str) -> list[ast.FunctionDef]:
    """The overloads of a function, or of a method of `Opens`, in a stub."""
    nodes: list[ast.stmt] = ast.parse((SOURCE / file).read_text("utf-8")).body
    nodes += [member for node in nodes if isinstance(node, ast.ClassDef) for member in node.body]
    return [node for node in nodes if isinstance(node, ast.FunctionDef) and node.name == name]


def parameters_of(node: ast.FunctionDef) -> list[tuple[str, str | None, bool]]:
    """Name, annotation, and whether there is a default, of each parameter but `self`."""
    arguments = node.args
    assert not arguments.posonlyargs
    assert not arguments.kwonlyargs
    assert arguments.vararg is arguments.kwarg is None
    required = len(arguments.args) - len(arguments.defaults)
    return [
        (argument.arg, argument.annotation and ast.unparse(argument.annotation), number >= required)
        for number, argument in enumerate(arguments.args)
        if argument.arg != "self"
    ]


def signature_of(function: Any) -> list[tuple[str, str | None, bool]]:
    """The same of a function as it is at run time."""
    return [
        (name, parameter.annotation, parameter.default is not parameter.empty)
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "self"
    ]


def services_of(file: str, name: str) -> list[str]:
    """The services that the overloads name, in their order."""
    annotations = [str(parameters_of(node)[0][1]) for node in overloads(file, name)]
    assert annotations.pop() == "str"
    return [
        ast.literal_eval(annotation.removeprefix("Literal")[1:-1]) for annotation in annotations
    ]


def made_from_this_botocore() -> bool:
    """Whether the stubs are from the version of botocore that is installed."""
    found = re.search(r"botocore ([\d.]+);", (SOURCE / "_opens.pyi").read_text("utf-8"))
    assert found is not None
    return found[1] == botocore.__version__


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("file", ["_opens.pyi", "_shortcuts.pyi"])
def test_each_overload_has_the_parameters_of_the_method(file: str, name: str) -> None:
    service_name, *others = signature_of(getattr(Opens, name))
    assert service_name == ("service_name", "str", False)
    found = overloads(file, name)
    assert len(found) > 5
    for node in found:
        assert parameters_of(node)[0][::2] == ("service_name", False), ast.unparse(node)
        assert parameters_of(node)[1:] == others, ast.unparse(node)


@pytest.mark.parametrize("name", NAMES)
def test_the_functions_have_the_overloads_of_the_methods(name: str) -> None:
    assert services_of("_shortcuts.pyi", name) == services_of("_opens.pyi", name)


@pytest.mark.parametrize("name", NAMES)
def test_the_signatures_are_visible_at_run_time(name: str) -> None:
    assert signature_of(getattr(asession, name)) == signature_of(getattr(asession.Session, name))
    assert "self" not in inspect.signature(getattr(asession, name)).parameters


async def services_with(definition: str) -> list[str]:
    """The services that botocore, or boto3, has files of that kind for."""
    async with asession.Session(profiles={}, environ={}) as session:
        ask = {
            "client": session.get_available_services,
            "resource": session.get_available_resources,
        }
        return await ask[definition]()


@pytest.mark.anyio
@pytest.mark.parametrize("name", NAMES)
async def test_each_service_has_an_overload(name: str) -> None:
    known = set(services_of("_opens.pyi", name))
    available = set(await services_with(name))
    # Services come and go with every release of botocore; they do not wait for the next one here.
    if made_from_this_botocore():
        assert known == available - WITHOUT_TYPES
    else:
        assert len(known & available) > 0.9 * len(known)


@pytest.mark.anyio
async def test_a_session_with_a_client_method_of_its_own_serves_the_functions() -> None:
    class Recording(asession.Session):
        """One that takes fewer arguments."""

        def client(self, service_name: str, region_name: str = "eu-west-1") -> Any:
            return super().client(service_name, region_name)

    with asession.use_session(Recording("id", "secret", environ={}, profiles={})):
        async with asession.client("s3") as s3:
            assert s3.meta.region_name == "eu-west-1"

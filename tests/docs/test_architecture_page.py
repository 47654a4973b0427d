"""The architecture page describes the house as it stands."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explanation/architecture.md").read_text("utf-8")
SOURCE = ROOT / "src/asession"


def rooms() -> set[str]:
    """The packages and modules of the source tree, by their file names."""
    packages = {f"{path.parent.name}/" for path in SOURCE.glob("*/__init__.py")}
    return packages | {path.name for path in SOURCE.glob("*.py")}


def section(title: str) -> str:
    """What stands under a heading of the page."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def names(layer: str) -> set[str]:
    """The rooms of one layer."""
    return {name.strip(" ()") for name in layer.split("|")}


def enforced() -> list[set[str]]:
    """The layers that import-linter enforces, whose rooms may be missing."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = pyproject["tool"]["importlinter"]["contracts"]
    [contract] = [contract for contract in contracts if contract["type"] == "layers"]
    return [names(layer) for layer in contract["layers"]]


def described() -> set[str]:
    """The rooms that the page describes, by their file names."""
    first_columns = [line.split("|")[1] for line in section("Rooms").splitlines() if "|" in line]
    return set(re.findall(r"`([^`]+)`", " ".join(first_columns)))


def module(room: str) -> str:
    """The name by which a room is imported."""
    return room.removesuffix("/").removesuffix(".py")


def test_every_room_is_described() -> None:
    assert rooms() - described() == set()


def test_no_room_is_described_that_has_no_layer() -> None:
    unknown = {module(room) for room in described()} - set().union(*enforced())
    assert unknown == {"__init__"}


def test_the_layers_are_those_that_the_linter_enforces() -> None:
    there = {module(room) for room in described()}
    match = re.search(r"```text\n(.*?)```", section("Layers"), re.DOTALL)
    assert match is not None
    shown = [names(line) for line in match[1].splitlines()]
    assert shown == [layer & there for layer in enforced() if layer & there]

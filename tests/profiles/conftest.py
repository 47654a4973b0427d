"""Fixtures of the tests of profile files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asession._profiles import load
from asession._profiles.parse import Section, parse_ini
from asession._runtime.files import read_file
from profiles.files import Files


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "config", tmp_path / "credentials")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files read from now on."""
    names: list[str] = []

    async def counting(path: str) -> bytes:
        names.append(os.path.basename(path))
        return await read_file(path)

    monkeypatch.setattr(load, "read_file", counting)
    return names


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files parsed from now on."""
    names: list[str] = []

    def counting(data: bytes, path: str) -> dict[str, Section]:
        names.append(os.path.basename(path))
        return parse_ini(data, path)

    monkeypatch.setattr(load, "parse_ini", counting)
    return names

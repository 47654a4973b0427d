"""Checks an installed wheel: run by `nox -s wheel` with nothing else in the environment.

Called with the wheel's file name: ``python -I check_wheel.py asession-0.1.0-py3-none-any.whl``.
"""

from __future__ import annotations

import importlib
import importlib.metadata as metadata
import pkgutil
import sys
from pathlib import Path

# What extras bring; without `cli` the command line says so and ends with status 1.
EXTRA = {"click", "opentelemetry", "pytest", "rich"}
OPTIONAL = ("asession._cli.", "asession.observe.otel", "asession.testing.plugin")
SHOWN = ("asession", "aiobotocore", "botocore", "boto3", "anyio", "aiofiles", "httptools")


def number(version: str) -> tuple[int, ...]:
    """The numeric parts of a version, enough to compare releases."""
    return tuple(int(part) for part in version.split(".")[:3] if part.isdigit())


def check(wheel: str) -> None:
    """Assert that the package is whole, is the one built, and got the versions it asks for."""
    import asession
    from asession._version import __version__

    where = Path(asession.__file__).parent
    assert where.is_relative_to(sys.prefix), f"imported from {where}, not from the environment"
    assert (where / "py.typed").is_file(), "py.typed is missing: type checkers would see no types"

    distribution = metadata.distribution("asession")
    assert distribution.version == __version__ == asession.__version__
    assert wheel.startswith(f"asession-{__version__}-"), wheel
    tops = {file.parts[0] for file in distribution.files or () if file.parts[0] != ".."}
    assert tops == {"asession", f"asession-{__version__}.dist-info"}, tops
    assert distribution.metadata["License-Expression"] == "Apache-2.0"

    # The resolver picks the boto3 that goes with aiobotocore's botocore; pip check has compared
    # all three with what they ask of each other.
    assert (3, 10) <= number(metadata.version("aiobotocore")) < (4,)
    assert number(metadata.version("botocore"))[:2] == number(metadata.version("boto3"))[:2]

    # All of it imports with no extra installed, but for what the command line and the plugin of the
    # testing kit are made of, and every public name is there.
    for module in pkgutil.walk_packages(asession.__path__, "asession."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError as error:
                if error.name not in EXTRA or not module.name.startswith(OPTIONAL):
                    raise
    assert importlib.import_module("asession._cli.main").main(["explain"]) == 1
    for name in asession.__all__:
        getattr(asession, name)

    print(*(f"{name} {metadata.version(name)}" for name in SHOWN), sep="\n")


if __name__ == "__main__":
    check(*sys.argv[1:])

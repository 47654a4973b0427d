"""botocore's configuration variables, as ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from botocore.configprovider import (
    BOTOCORE_DEFAUT_SESSION_VARIABLES,
    DEFAULT_PROXIES_CONFIG_VARS,
    DEFAULT_S3_CONFIG_VARS,
)

from asession._settings.variables import Variable

# The sections of a profile whose keys are variables of their own.
SECTIONS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"s3": DEFAULT_S3_CONFIG_VARS, "proxies_config": DEFAULT_PROXIES_CONFIG_VARS}
)


def _variables() -> Iterable[Variable]:
    for name, row in BOTOCORE_DEFAUT_SESSION_VARIABLES.items():
        yield _variable(name, row)
    for section, rows in SECTIONS.items():
        for name, row in rows.items():
            yield _variable(f"{section}.{name}", row)


def _variable(name: str, row: tuple[Any, Any, Any, Any]) -> Variable:
    keys, environ, default, convert = row
    if name == "region":
        # Every other AWS SDK reads AWS_REGION; botocore does not.
        environ = [environ, "AWS_REGION"]
    return Variable(name, _listed(keys), _listed(environ), default, convert)


def _listed(names: Any) -> tuple[Any, ...]:
    if names is None:
        return ()
    return tuple(names) if isinstance(names, list) else (names,)


VARIABLES: Mapping[str, Variable] = MappingProxyType({v.name: v for v in _variables()})

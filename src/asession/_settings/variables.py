"""What can be configured: each variable's names in the environment and in the files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Key = str | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Variable:
    """One configuration variable.

    Attributes:
        name: Its logical name, for example ``"region"`` or ``"s3.addressing_style"``.
        keys: Its names in a profile, tried in order; a pair names a nested section and a key in it.
        environ: Its environment variables, tried in order.
        default: Its value when nothing else gives one, before conversion.
        convert: Turns a found value, or the default, into the final one; `None` leaves it alone.
    """

    name: str
    keys: tuple[Key, ...] = ()
    environ: tuple[str, ...] = ()
    default: Any = None
    convert: Callable[[Any], Any] | None = None

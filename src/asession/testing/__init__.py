"""What tests of AWS code need: a local server, an isolated environment, guards, cassettes."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asession.testing.blocking import BlockedLoopError as BlockedLoopError
    from asession.testing.blocking import never_blocking as never_blocking
    from asession.testing.capture import Capture as Capture
    from asession.testing.cassette import CassetteError as CassetteError
    from asession.testing.environment import isolated_environment as isolated_environment
    from asession.testing.guard import OutsideError as OutsideError
    from asession.testing.guard import OutsideGuard as OutsideGuard
    from asession.testing.guard import loopback_only as loopback_only
    from asession.testing.home import Home as Home
    from asession.testing.process import ServerFailedError as ServerFailedError
    from asession.testing.replay import Replay as Replay
    from asession.testing.replay import UnexpectedRequestError as UnexpectedRequestError
    from asession.testing.replay import UnusedExchangesError as UnusedExchangesError
    from asession.testing.server import LocalServer as LocalServer
    from asession.testing.server import ServerBlock as ServerBlock
    from asession.testing.server import aws_server as aws_server

# Loaded when first used: the pytest plugin is in this package and costs nothing.
_HOMES = {
    "BlockedLoopError": "blocking",
    "Capture": "capture",
    "CassetteError": "cassette",
    "Home": "home",
    "LocalServer": "server",
    "OutsideError": "guard",
    "OutsideGuard": "guard",
    "Replay": "replay",
    "ServerBlock": "server",
    "ServerFailedError": "process",
    "UnexpectedRequestError": "replay",
    "UnusedExchangesError": "replay",
    "aws_server": "server",
    "isolated_environment": "environment",
    "loopback_only": "guard",
    "never_blocking": "blocking",
}

__all__ = [
    "BlockedLoopError",
    "Capture",
    "CassetteError",
    "Home",
    "LocalServer",
    "OutsideError",
    "OutsideGuard",
    "Replay",
    "ServerBlock",
    "ServerFailedError",
    "UnexpectedRequestError",
    "UnusedExchangesError",
    "aws_server",
    "isolated_environment",
    "loopback_only",
    "never_blocking",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'asession.testing' has no attribute {name!r}")
    value = getattr(import_module(f"asession.testing.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""AWS sessions for async Python: boto3's Session, async-native, on asyncio and trio."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from asession._version import __version__

if TYPE_CHECKING:
    from botocore.config import Config as Config

    from asession import credentials as credentials
    from asession import dynamodb as dynamodb
    from asession import exceptions as exceptions
    from asession import observe as observe
    from asession import s3 as s3
    from asession import testing as testing
    from asession import web as web
    from asession._default import current_session as current_session
    from asession._default import setup_default_session as setup_default_session
    from asession._default import use_session as use_session
    from asession._default import warm_up as warm_up
    from asession._fan_out import FanOutResult as FanOutResult
    from asession._fan_out import fan_out as fan_out
    from asession._logging import set_stream_logger as set_stream_logger
    from asession._shortcuts import client as client
    from asession._shortcuts import resource as resource
    from asession.credentials import Credentials as Credentials
    from asession.s3 import TransferConfig as TransferConfig
    from asession.session import Session as Session

# Where each public name lives; loaded when first used, so that `import asession` is cheap.
_HOMES = {
    "Config": "asession._aws.config",
    "Credentials": "asession.credentials",
    "FanOutResult": "asession._fan_out",
    "Session": "asession.session",
    "TransferConfig": "asession.s3",
    "client": "asession._shortcuts",
    "current_session": "asession._default",
    "fan_out": "asession._fan_out",
    "resource": "asession._shortcuts",
    "set_stream_logger": "asession._logging",
    "setup_default_session": "asession._default",
    "use_session": "asession._default",
    "warm_up": "asession._default",
}
_PACKAGES = ("credentials", "dynamodb", "exceptions", "observe", "s3", "session", "testing", "web")

__all__ = [
    "Config",
    "Credentials",
    "FanOutResult",
    "Session",
    "TransferConfig",
    "__version__",
    "client",
    "credentials",
    "current_session",
    "dynamodb",
    "exceptions",
    "fan_out",
    "observe",
    "resource",
    "s3",
    "set_stream_logger",
    "setup_default_session",
    "testing",
    "use_session",
    "warm_up",
    "web",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    if name in _PACKAGES:
        return import_module(f"asession.{name}")
    raise AttributeError(f"module 'asession' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""What clients of single services have beyond their operations, and which room has it."""

from __future__ import annotations

import functools
from importlib import import_module
from typing import cast

from asession._aws.clients import add_to_clients
from asession._runtime import threads

# By service: the module whose `MIXIN` is put in front of the class of its clients.
_MODULES = {"s3": "asession.s3.extension"}


async def prepare(service_name: str) -> None:
    """Import what the clients of a service have, off the event loop."""
    if service_name in _MODULES:
        await threads.import_module(_MODULES[service_name])


def _mixin(module_name: str) -> type:
    return cast("type", import_module(module_name).MIXIN)


# Here, where every session passes, before any of them makes a client class.
for _service_name, _module_name in _MODULES.items():
    add_to_clients(_service_name, functools.partial(_mixin, _module_name))

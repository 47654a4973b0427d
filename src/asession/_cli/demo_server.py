"""The AWS server that the demo talks to: moto, in a thread of this process."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator
from contextlib import contextmanager

HOST = "127.0.0.1"
# What the extra brings, by the name of the package that is imported.
_NEEDED = {"moto": "moto", "flask": "moto's server", "trio": "trio"}


class DemoUnavailableError(Exception):
    """What the demo needs is not installed; the message says how to get it."""


@contextmanager
def demo_server() -> Iterator[str]:
    """Runs moto's server on a free port for the block.

    Yields:
        Its URL.

    Raises:
        DemoUnavailableError: moto's server or trio is not installed.
    """
    for module, name in _NEEDED.items():
        if importlib.util.find_spec(module) is None:
            raise DemoUnavailableError(
                f"the demo needs {name}, which is not installed: pip install 'asession[demo]'"
            )
    from moto.server import ThreadedMotoServer

    requests_log = logging.getLogger("werkzeug")
    level = requests_log.level
    requests_log.setLevel(logging.ERROR)  # it logs a line for each request
    server = ThreadedMotoServer(HOST, 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
        requests_log.setLevel(level)

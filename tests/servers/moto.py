"""moto's server: most services, quick to start, checks no signatures."""

from __future__ import annotations

import sys

from servers.process import HOST, ServerSpec

MOTO = ServerSpec(
    name="moto",
    command=lambda ports, directory: [
        *(sys.executable, "-m", "moto.server"),
        *("-H", HOST, "-p", str(ports[0])),
    ],
    ready=[(0, "/moto-api/")],
)

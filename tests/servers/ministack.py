"""ministack: an AWS emulator on an async server, without its SFTP and MQTT listeners."""

from __future__ import annotations

import sys

from servers.process import HOST, ServerSpec

MINISTACK = ServerSpec(
    name="ministack",
    command=lambda ports, directory: [sys.executable, "-m", "ministack"],
    ready=[(0, "/_ministack/health")],
    environ=lambda ports, directory: {
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(ports[0]),
        "MINISTACK_HOST": HOST,
        # Both would listen on every interface, whatever BIND_HOST says.
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "STATE_DIR": str(directory / "state"),
        "S3_DATA_DIR": str(directory / "s3"),
        "LOG_LEVEL": "WARNING",
    },
)

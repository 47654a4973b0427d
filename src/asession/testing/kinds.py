"""The kinds of server that the kit knows: moto, ministack, or any command."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping, Sequence

from asession.testing.process import HOST, ServerFailedError, ServerSpec

MOTO = ServerSpec(
    name="moto",
    command=lambda ports, directory: [
        *(sys.executable, "-m", "moto.server"),
        *("-H", HOST, "-p", str(ports[0])),
    ],
    ready=[(0, "/moto-api/")],
)
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
_KNOWN = {"moto": MOTO, "ministack": MINISTACK}
# What each needs to be installed, and what brings it.
_NEEDED = {
    "moto": (("moto", "flask"), "asession[testing]"),
    "ministack": (("ministack",), "ministack"),
}


def spec_of(
    kind: str | Sequence[str], ready: str = "/", environ: Mapping[str, str] | None = None
) -> ServerSpec:
    """How to start a server of this kind.

    Args:
        kind: ``"moto"``, ``"ministack"``, or a command line.
        ready: For a command: the path that answers 200 once it is ready.
        environ: For a command: what its environment has besides the isolated one.

    Raises:
        ServerFailedError: The kind is not known, or not installed.
    """
    if not isinstance(kind, str):
        return _spec_of_command(list(kind), ready, dict(environ or {}))
    spec = _KNOWN.get(kind)
    if spec is None:
        raise ServerFailedError(
            f"server: {kind!r} is none of {', '.join(map(repr, _KNOWN))}; give any other server "
            "as a command, a list with '{port}' where its port belongs"
        )
    modules, package = _NEEDED[kind]
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise ServerFailedError(
                f"server {kind!r} needs the module {module}, which is not installed: "
                f"pip install '{package}'"
            )
    return spec


def _spec_of_command(command: list[str], ready: str, environ: dict[str, str]) -> ServerSpec:
    if not command:
        raise ServerFailedError("server: the command is empty")
    if not any("{port}" in text for text in (*command, *environ.values())):
        raise ServerFailedError(
            f"server: neither the command of {command[0]!r} nor environ= says where its port "
            "belongs; write '{port}' there"
        )

    def filled(text: str, ports: Sequence[int]) -> str:
        return text.replace("{port}", str(ports[0])).replace("{host}", HOST)

    return ServerSpec(
        name="server",
        command=lambda ports, directory: [filled(text, ports) for text in command],
        ready=[(0, ready)],
        environ=lambda ports, directory: {
            name: filled(text, ports) for name, text in environ.items()
        },
    )

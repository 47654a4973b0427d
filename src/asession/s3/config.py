"""`TransferConfig`: how transfers are cut, how many run at once, and what they may use."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, fields
from typing import Any, Literal

from asession.s3.plan import KIB, MIB


@dataclass(frozen=True, slots=True)
class TransferConfig:
    """Settings of S3 transfers, with boto3's names, order and defaults; an immutable value.

    boto3's own `TransferConfig` objects are accepted wherever one of these is.

    Args:
        multipart_threshold: Objects of at least so many bytes go in parts.
        max_concurrency: How many requests one transfer makes at once.
        multipart_chunksize: Bytes of a part; raised to what S3 asks for where it is too small.
        num_download_attempts: How often a part of a download is begun; a new attempt goes on at
            the byte where the last one broke. botocore's own retries of requests come on top.
        max_io_queue: Without meaning here, where nothing is queued; accepted as boto3 does.
        io_chunksize: Bytes that a download gathers before it writes them, at least; also without
            much meaning: writes are of 1 MiB where that is more.
        use_threads: `False` makes one request at a time, as in boto3; files are read and written
            in worker threads all the same.
        max_bandwidth: Bytes per second of one transfer, or `None`.
        preferred_transfer_client: Without meaning here; accepted as boto3 does.
        max_memory: Bytes that the buffers of all transfers of a session on one event loop may
            take together before another part of this one is begun.
        fsync: Whether a downloaded file is on the disk, not only in the system's memory, before
            it gets its final name.

    Raises:
        ValueError: A number is not positive.

    Example:
        config = TransferConfig(multipart_chunksize=16 * 1024 * 1024, max_concurrency=20)
        await s3.upload_file("big.iso", "bucket", "big.iso", Config=config)
    """

    multipart_threshold: int = 8 * MIB
    max_concurrency: int = 10
    multipart_chunksize: int = 8 * MIB
    num_download_attempts: int = 5
    max_io_queue: int = 100
    io_chunksize: int = 256 * KIB
    use_threads: bool = True
    max_bandwidth: int | None = None
    preferred_transfer_client: Literal["auto", "classic", "crt"] = "auto"
    _: KW_ONLY
    max_memory: int = 64 * MIB
    fsync: bool = False

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(
                    f"TransferConfig({name}={value!r}): the value must be greater than 0"
                )

    @property
    def max_request_concurrency(self) -> int:
        """boto3's other name of `max_concurrency`."""
        return self.max_concurrency

    @property
    def max_io_queue_size(self) -> int:
        """boto3's other name of `max_io_queue`."""
        return self.max_io_queue

    @property
    def concurrency(self) -> int:
        """How many requests a transfer makes at once, `use_threads` considered."""
        return self.max_concurrency if self.use_threads else 1


_POSITIVE = (
    "multipart_threshold",
    "max_concurrency",
    "multipart_chunksize",
    "num_download_attempts",
    "max_io_queue",
    "io_chunksize",
    "max_bandwidth",
    "max_memory",
)


def config_of(given: Any) -> TransferConfig:
    """The settings that a caller gave: ours, boto3's, or `None`.

    Raises:
        TypeError: It is none of these.
    """
    if isinstance(given, TransferConfig):
        return given
    if given is None:
        return _DEFAULT
    if not hasattr(given, "multipart_threshold"):
        raise TypeError(
            f"Config must be a TransferConfig of asession or boto3, not {type(given).__name__}; "
            "a botocore Config belongs to the client"
        )
    # boto3's: attributes of the same names, but for what only ours has.
    return TransferConfig(
        **{
            field.name: getattr(given, field.name)
            for field in fields(TransferConfig)
            if hasattr(given, field.name)
        }
    )


_DEFAULT = TransferConfig()

"""S3 transfers: many parts side by side, bounded in memory, safe to cancel."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from asession.s3.arguments import (
    ALLOWED_COPY_ARGS,
    ALLOWED_DOWNLOAD_ARGS,
    ALLOWED_UPLOAD_ARGS,
    CopySource,
)
from asession.s3.config import TransferConfig

if TYPE_CHECKING:
    from asession.s3.directories import FileResult, download_directory, upload_directory
    from asession.s3.progress import Callback, Steps, rich_progress, tqdm_progress, watch_progress
    from asession.s3.reader import ObjectReader, open_object

__all__ = [
    "ALLOWED_COPY_ARGS",
    "ALLOWED_DOWNLOAD_ARGS",
    "ALLOWED_UPLOAD_ARGS",
    "Callback",
    "CopySource",
    "FileResult",
    "ObjectReader",
    "Steps",
    "TransferConfig",
    "download_directory",
    "open_object",
    "rich_progress",
    "tqdm_progress",
    "upload_directory",
    "watch_progress",
]

_HOMES = {
    "Callback": "asession.s3.progress",
    "FileResult": "asession.s3.directories",
    "ObjectReader": "asession.s3.reader",
    "Steps": "asession.s3.progress",
    "download_directory": "asession.s3.directories",
    "open_object": "asession.s3.reader",
    "rich_progress": "asession.s3.progress",
    "tqdm_progress": "asession.s3.progress",
    "upload_directory": "asession.s3.directories",
    "watch_progress": "asession.s3.progress",
}


def __getattr__(name: str) -> Any:
    # What transfers needs botocore's errors: `TransferConfig` alone should be cheap.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

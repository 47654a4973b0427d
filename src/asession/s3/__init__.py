"""S3 transfers: many parts side by side, bounded in memory, safe to cancel."""

from __future__ import annotations

from asession.s3.arguments import (
    ALLOWED_COPY_ARGS,
    ALLOWED_DOWNLOAD_ARGS,
    ALLOWED_UPLOAD_ARGS,
    CopySource,
)
from asession.s3.config import TransferConfig
from asession.s3.progress import Callback

__all__ = [
    "ALLOWED_COPY_ARGS",
    "ALLOWED_DOWNLOAD_ARGS",
    "ALLOWED_UPLOAD_ARGS",
    "Callback",
    "CopySource",
    "TransferConfig",
]

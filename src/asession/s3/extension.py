"""What a session hands down to S3's clients and resources: transfers."""

from __future__ import annotations

from typing import Any

from asession.s3.methods import TransferMethods

MIXIN = TransferMethods
CUSTOMISATIONS: dict[str, Any] = {}

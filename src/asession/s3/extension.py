"""What a session hands down to S3's clients and resources: transfers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from asession.s3.methods import TransferMethods
from asession.s3.resource_methods import BucketMethods, ObjectMethods


def _adding(mixin: type) -> Callable[..., None]:
    def add(base_classes: list[type], **_: Any) -> None:
        base_classes.insert(0, mixin)

    return add


MIXIN = TransferMethods
CUSTOMISATIONS: Mapping[str, Sequence[Callable[..., None]]] = {
    "s3.Bucket": (_adding(BucketMethods),),
    "s3.Object": (_adding(ObjectMethods),),
}

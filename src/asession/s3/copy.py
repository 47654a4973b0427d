"""Copies inside S3: one request for a small object, ranges side by side for a large one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from asession._logging import log
from asession.exceptions import ClientError, ObjectChangedError
from asession.s3 import arguments
from asession.s3.arguments import Arguments
from asession.s3.config import TransferConfig
from asession.s3.crew import Crew, work
from asession.s3.limits import LEAST, Limits
from asession.s3.multipart import Multipart, Place
from asession.s3.plan import Part, is_multipart, parts, upload_part_size
from asession.s3.progress import Meter

_logger = logging.getLogger("asession.s3")


def source_of(given: Any) -> dict[str, str]:
    """The bucket, key and version that a `CopySource` names.

    Raises:
        ValueError: Something is missing.
        TypeError: It is no mapping and no text.
    """
    if isinstance(given, Mapping):
        missing = [name for name in ("Bucket", "Key") if name not in given]
        if missing:
            raise ValueError(f"CopySource has no {' and no '.join(map(repr, missing))}")
        return dict(given)
    if not isinstance(given, str):
        raise TypeError(
            'CopySource must be {"Bucket": ..., "Key": ...} or "bucket/key", not '
            f"{type(given).__name__}"
        )
    path, _, version = given.partition("?versionId=")
    path = path.removeprefix("/")
    separator = "/object/" if path.startswith("arn:") else "/"
    bucket, _, key = path.partition(separator)
    if not bucket or not key:
        raise ValueError(f"CopySource {given!r} is not of the form bucket/key")
    return {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}


class Copying:
    """One copy; lives as long as it lasts.

    Attributes:
        meter: Told of the progress; the copy runs `beside` it.

    Args:
        source: What `source_of` gives.
        source_client: Asks for the source's size.
        place: Where the copy goes.
        limits: The session's.
        config: The settings.
        given: The caller's arguments.
        meter: Told of the progress.
    """

    def __init__(
        self,
        source: dict[str, str],
        source_client: Any,
        place: Place,
        limits: Limits,
        config: TransferConfig,
        given: Arguments,
        meter: Meter | None,
    ) -> None:
        self._source = source
        self._source_client = source_client
        self._place = place
        self._share = limits.memory.share()
        self._config = config
        self._given = given
        self.meter = meter

    async def run(self) -> None:
        """Do it.

        Raises:
            ClientError: S3 refused a request.
            ObjectChangedError: The source was replaced meanwhile.
        """
        head = await self._source_client.head_object(
            **self._source, **arguments.for_head_of_source(self._given)
        )
        size: int = head["ContentLength"]
        if is_multipart(size, self._config.multipart_threshold):
            await self._copy_parts(size, head)
            return
        async with self._share.held(LEAST, self._config.max_memory):
            await self._place.client.copy_object(
                **self._place.names, CopySource=self._source, **self._given
            )
        self._tell(size)

    async def _copy_parts(self, size: int, head: dict[str, Any]) -> None:
        given = self._given
        if given.get("AnnotationDirective") == "COPY":
            raise ValueError(
                "AnnotationDirective='COPY' works for objects that one request can copy: this one "
                f"has {size} bytes; give a TransferConfig with a larger multipart_threshold, or "
                "copy the annotations with the client's own operations"
            )
        part_size = upload_part_size(self._config.multipart_chunksize, size)
        asked = arguments.for_part_of_copy(given)
        if "ETag" in head:
            asked["CopySourceIfMatch"] = head["ETag"]

        async def feed(crew: Crew) -> None:
            for part in parts(size, part_size):
                crew.start(await crew.reserve(LEAST), self._copy_part, multipart, part, asked)

        async def send() -> None:
            await work(self._share, self._config, feed)
            if self.meter is not None:
                await self.meter.told()

        multipart = Multipart(
            self._place,
            arguments.for_create_of_copy(given, head) | await self._tagging(),
            arguments.for_complete_of_copy(given),
        )
        await multipart.run(send)

    async def _copy_part(self, multipart: Multipart, part: Part, asked: Arguments) -> None:
        try:
            answer = await self._place.client.upload_part_copy(
                **self._place.names,
                CopySource=self._source,
                CopySourceRange=part.range,
                UploadId=multipart.upload_id,
                PartNumber=part.number,
                **asked,
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "PreconditionFailed":
                raise ObjectChangedError(
                    location=f"s3://{self._source['Bucket']}/{self._source['Key']}",
                    reason="the object was replaced during the transfer; begin again",
                ) from error
            raise
        multipart.done(part.number, answer["CopyPartResult"], self._given.get("ChecksumAlgorithm"))
        self._tell(part.size)

    async def _tagging(self) -> Arguments:
        """The tags of a copy in parts: S3 takes over none by itself. Set as the copy is made."""
        directive = self._given.get("TaggingDirective")
        if directive == "REPLACE":
            return arguments.only(self._given, "Tagging")
        if directive != "COPY":
            return {}
        found = await self._source_client.get_object_tagging(
            **self._source, **arguments.only(self._given, "RequestPayer", "ExpectedBucketOwner")
        )
        tags = urlencode([(tag["Key"], tag["Value"]) for tag in found.get("TagSet", [])])
        return {"Tagging": tags} if tags else {}

    def _tell(self, count: int) -> None:
        if self.meter is not None and count:
            self.meter.add(count)


def check(given: Any, *buckets: str) -> Arguments:
    """The extra arguments of a copy, if all are known; warns of those that S3 ignores.

    Raises:
        ValueError: See `arguments.check`.
    """
    checked = arguments.check(given, arguments.ALLOWED_COPY_ARGS, *buckets)
    for name, directive in (("Metadata", "MetadataDirective"), ("Tagging", "TaggingDirective")):
        if checked.get(name) and directive not in checked:
            log(
                _logger,
                logging.WARNING,
                "copy.ignored",
                "%(argument)s was given without %(directive)s='REPLACE': the copy keeps that of "
                "the source",
                argument=name,
                directive=directive,
            )
    return checked

"""The life of a multipart upload: it ends complete, or aborted, whatever happens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import anyio

from asession.s3.arguments import Arguments, for_abort
from asession.s3.crew import to_the_end

# How long the creation may go on when it is cancelled, and how long an abort may take, in seconds.
GRACE = 10.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object goes, and with which client; a value."""

    client: Any
    bucket: str
    key: str

    @property
    def names(self) -> dict[str, str]:
        """The arguments that say so in every request."""
        return {"Bucket": self.bucket, "Key": self.key}

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(slots=True)
class Multipart:
    """One multipart upload, from its creation to its completion or abort; lives as long as `run`.

    A cancellation that comes during the creation is held back until S3 has said what is to be
    aborted, for `GRACE` seconds at most.

    Attributes:
        place: Where the object goes.
        create: More arguments of CreateMultipartUpload.
        complete: More arguments of CompleteMultipartUpload.
        upload_id: Its name, once S3 has given one.
        parts: What S3 said of each part, by its number.
    """

    place: Place
    create: Arguments
    complete: Arguments
    upload_id: str = ""
    parts: dict[int, dict[str, Any]] = field(default_factory=dict)

    async def run(self, send: Callable[[], Awaitable[None]]) -> dict[str, Any]:
        """Create it, let `send` do the parts, complete it.

        Returns:
            The response of CompleteMultipartUpload.

        Raises:
            Exception: What a request or `send` raised; the upload is aborted then.
        """
        client, names = self.place.client, self.place.names
        try:
            await to_the_end(self._create, GRACE)
            await send()
            found: dict[str, Any] = await client.complete_multipart_upload(
                **names,
                UploadId=self.upload_id,
                MultipartUpload={"Parts": [self.parts[number] for number in sorted(self.parts)]},
                **self.complete,
            )
        except BaseException as error:
            if self.upload_id:
                await self._abort(error)
            raise
        return found

    async def _create(self) -> None:
        answer = await self.place.client.create_multipart_upload(**self.place.names, **self.create)
        self.upload_id = answer["UploadId"]

    def done(self, number: int, answer: Arguments, algorithm: str | None) -> None:
        """A part has arrived.

        Args:
            number: Its number.
            answer: What S3 says of it.
            algorithm: That of its checksum, which is repeated in the completion.
        """
        said = {"PartNumber": number, "ETag": answer["ETag"]}
        if algorithm is not None:
            name = f"Checksum{algorithm.upper()}"
            if name in answer:
                said[name] = answer[name]
        self.parts[number] = said

    async def _abort(self, error: BaseException) -> None:
        reason = f"no answer within {GRACE:g} seconds"
        with anyio.move_on_after(GRACE, shield=True):
            try:
                await self.place.client.abort_multipart_upload(
                    **self.place.names, UploadId=self.upload_id, **for_abort(self.create)
                )
                return
            except Exception as failure:
                if getattr(failure, "response", {}).get("Error", {}).get("Code") == "NoSuchUpload":
                    return
                reason = repr(failure)
        error.add_note(
            f"the multipart upload {self.upload_id} to {self.place} could not be aborted "
            f"({reason}): its parts are kept, and paid for, until somebody aborts it"
        )

"""What an S3 client has beyond its operations: transfers, with boto3's names and arguments."""

from __future__ import annotations

import os
from typing import Any

from asession import exceptions
from asession._runtime.threads import in_thread
from asession.exceptions import ClientError
from asession.s3 import arguments
from asession.s3.arguments import ExtraArgs
from asession.s3.config import config_of
from asession.s3.crew import contained
from asession.s3.limits import Limits
from asession.s3.multipart import Place
from asession.s3.progress import Callback, meter_of
from asession.s3.upload import Sending


def limits_of(client: Any) -> Limits:
    """The limits that a client's transfers share with all others of its session."""
    shared: dict[Any, Any] = client._shared
    limits: Limits = shared.setdefault(Limits, Limits()) if Limits not in shared else shared[Limits]
    return limits


class TransferMethods:
    """Mixed into the class of each S3 client; lives as long as the client."""

    async def upload_file(
        self,
        Filename: str | os.PathLike[str],
        Bucket: str,
        Key: str,
        ExtraArgs: ExtraArgs | None = None,
        Callback: Callback | None = None,
        Config: Any = None,
    ) -> None:
        """Upload a file.

        Files of `multipart_threshold` bytes and more go in parts, side by side. Whatever ends the
        upload early, an error or a cancellation, aborts it at S3 as well.

        Args:
            Filename: The path of the file.
            Bucket: Where the object goes.
            Key: What it is called there.
            ExtraArgs: See `asession.s3.ALLOWED_UPLOAD_ARGS`.
            Callback: Called with the number of bytes sent since its last call.
            Config: A `TransferConfig`.

        Raises:
            ValueError: An extra argument is not known.
            OSError: The file cannot be read.
            boto3.exceptions.S3UploadFailedError: S3 refused a request; its cause says which.
        """
        path = _path(Filename)
        sending = self._sending(Bucket, Key, ExtraArgs, Callback, Config)
        try:
            await contained(sending.send_path, path)
        except ClientError as error:
            kind: Any = await in_thread(getattr, exceptions, "S3UploadFailedError")
            raise kind(f"Failed to upload {path} to {Bucket}/{Key}: {error}") from error

    async def upload_fileobj(
        self,
        Fileobj: Any,
        Bucket: str,
        Key: str,
        ExtraArgs: ExtraArgs | None = None,
        Callback: Callback | None = None,
        Config: Any = None,
    ) -> None:
        """Upload what is in a file object, from where it is to its end.

        Args:
            Fileobj: Bytes; a file object in binary mode, sync or async; an iterable of bytes, sync
                or async. It need not be seekable, and its length need not be known. It stays open.
            Bucket: See `upload_file`, as for all further arguments.
            Key: See `upload_file`.
            ExtraArgs: See `upload_file`.
            Callback: See `upload_file`.
            Config: See `upload_file`.

        Raises:
            TypeError: The source is none of these.
            ValueError: An extra argument is not known.
            ClientError: S3 refused a request.
        """
        sending = self._sending(Bucket, Key, ExtraArgs, Callback, Config)
        await contained(sending.send_object, Fileobj)

    def _sending(
        self, bucket: str, key: str, given: ExtraArgs | None, callback: Any, config: Any
    ) -> Sending:
        checked = arguments.check(given, arguments.ALLOWED_UPLOAD_ARGS, bucket)
        calculation = getattr(self.meta.config, "request_checksum_calculation", None)  # type: ignore[attr-defined]
        return Sending(
            Place(self, bucket, key),
            limits_of(self),
            config_of(config),
            arguments.for_upload(checked, calculation),
            meter_of(callback),
        )


def _path(given: str | os.PathLike[str]) -> str:
    path = os.fspath(given) if isinstance(given, os.PathLike) else given
    if not isinstance(path, str):
        raise ValueError("Filename must be a string or a path-like object")
    return path

"""What an S3 client has beyond its operations: transfers, with boto3's names and arguments."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any, TypeVarTuple

from asession import exceptions
from asession._runtime.threads import in_thread
from asession.exceptions import ClientError
from asession.s3 import arguments, progress
from asession.s3.arguments import CopySource, ExtraArgs
from asession.s3.config import config_of
from asession.s3.copy import Copying, source_of
from asession.s3.copy import check as check_copy
from asession.s3.crew import contained
from asession.s3.download import Receiving
from asession.s3.limits import Limits
from asession.s3.multipart import Place
from asession.s3.progress import Meter, meter_of
from asession.s3.upload import Sending

Ts = TypeVarTuple("Ts")


def limits_of(client: Any) -> Limits:
    """The limits that a client's transfers share with all others of its session."""
    shared: dict[Any, Any] = client._shared
    limits: Limits = shared.setdefault(Limits, Limits()) if Limits not in shared else shared[Limits]
    return limits


async def _run(
    client: Any, meter: Meter | None, function: Callable[[*Ts], Awaitable[object]], *args: *Ts
) -> None:
    with limits_of(client).around():
        if meter is None:
            await contained(function, *args)
        else:
            await contained(meter.beside, function, *args)


class TransferMethods:
    """Mixed into the class of each S3 client; lives as long as the client."""

    async def upload_file(
        self,
        Filename: str | os.PathLike[str],
        Bucket: str,
        Key: str,
        ExtraArgs: ExtraArgs | None = None,
        Callback: progress.Callback | None = None,
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
            await _run(self, sending.meter, sending.send_path, path)
        except ClientError as error:
            kind: Any = await in_thread(getattr, exceptions, "S3UploadFailedError")
            raise kind(f"Failed to upload {path} to {Bucket}/{Key}: {error}") from error

    async def upload_fileobj(
        self,
        Fileobj: Any,
        Bucket: str,
        Key: str,
        ExtraArgs: ExtraArgs | None = None,
        Callback: progress.Callback | None = None,
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
        await _run(self, sending.meter, sending.send_object, Fileobj)

    async def download_file(
        self,
        Bucket: str,
        Key: str,
        Filename: str | os.PathLike[str],
        ExtraArgs: ExtraArgs | None = None,
        Callback: progress.Callback | None = None,
        Config: Any = None,
    ) -> None:
        """Download an object into a file.

        The file is written under another name beside the final one, and renamed once it is whole
        and its checksum is right; if it fails, nothing is left. Objects of `multipart_threshold`
        bytes and more come in ranges, side by side, all of the same version of the object.

        Args:
            Bucket: Where the object is.
            Key: What it is called there.
            Filename: The path of the file; what is there is replaced.
            ExtraArgs: See `asession.s3.ALLOWED_DOWNLOAD_ARGS`.
            Callback: Called with the number of bytes kept since its last call.
            Config: A `TransferConfig`.

        Raises:
            ValueError: An extra argument is not known.
            OSError: The file cannot be written.
            ClientError: S3 refused a request.
            ObjectChangedError: The object was replaced meanwhile.
            ChecksumMismatchError: The bytes were damaged on their way.
            boto3.exceptions.RetriesExceededError: The body broke off again and again.
        """
        path = _path(Filename)
        receiving = self._receiving(Bucket, Key, ExtraArgs, Callback, Config)
        await _run(self, receiving.meter, receiving.to_path, path)

    async def download_fileobj(
        self,
        Bucket: str,
        Key: str,
        Fileobj: Any,
        ExtraArgs: ExtraArgs | None = None,
        Callback: progress.Callback | None = None,
        Config: Any = None,
    ) -> None:
        """Download an object to a file object, in order; it need not be seekable.

        What was written before an error stays written.

        Args:
            Bucket: See `download_file`, as for all arguments but `Fileobj`.
            Key: See `download_file`.
            Fileobj: A file object in binary mode with `write`, or a stream with `send`, sync or
                async. It stays open.
            ExtraArgs: See `download_file`.
            Callback: See `download_file`.
            Config: See `download_file`.

        Raises:
            TypeError: The target is no binary file object.
            ClientError: See `download_file`, as for all other errors.
        """
        receiving = self._receiving(Bucket, Key, ExtraArgs, Callback, Config)
        await _run(self, receiving.meter, receiving.to_object, Fileobj)

    async def copy(
        self,
        CopySource: CopySource,
        Bucket: str,
        Key: str,
        ExtraArgs: ExtraArgs | None = None,
        Callback: progress.Callback | None = None,
        SourceClient: Any = None,
        Config: Any = None,
    ) -> None:
        """Copy an object inside S3; objects of `multipart_threshold` bytes and more in parts.

        Args:
            CopySource: What is copied; see `asession.s3.CopySource`.
            Bucket: Where the copy goes.
            Key: What it is called there.
            ExtraArgs: See `asession.s3.ALLOWED_COPY_ARGS`.
            Callback: Called with the number of bytes copied since its last call.
            SourceClient: Asks for the source's size and tags, where this client cannot.
            Config: A `TransferConfig`.

        Raises:
            ValueError: An extra argument is not known, or the source is not named in full.
            ClientError: S3 refused a request.
            ObjectChangedError: The source was replaced meanwhile.
        """
        source = source_of(CopySource)
        copying = Copying(
            source,
            SourceClient or self,
            Place(self, Bucket, Key),
            limits_of(self).here(),
            config_of(Config),
            check_copy(ExtraArgs, source["Bucket"], Bucket),
            meter_of(Callback),
        )
        await _run(self, copying.meter, copying.run)

    def _receiving(
        self, bucket: str, key: str, given: ExtraArgs | None, callback: Any, config: Any
    ) -> Receiving:
        return Receiving(
            Place(self, bucket, key),
            limits_of(self).here(),
            config_of(config),
            arguments.check(given, arguments.ALLOWED_DOWNLOAD_ARGS, bucket),
            meter_of(callback),
        )

    def _sending(
        self, bucket: str, key: str, given: ExtraArgs | None, callback: Any, config: Any
    ) -> Sending:
        checked = arguments.check(given, arguments.ALLOWED_UPLOAD_ARGS, bucket)
        calculation = getattr(self.meta.config, "request_checksum_calculation", None)  # type: ignore[attr-defined]
        return Sending(
            Place(self, bucket, key),
            limits_of(self).here(),
            config_of(config),
            arguments.for_upload(checked, calculation),
            meter_of(callback),
        )


def _path(given: str | os.PathLike[str]) -> str:
    path = os.fspath(given) if isinstance(given, os.PathLike) else given
    if not isinstance(path, str):
        raise ValueError("Filename must be a string or a path-like object")
    return path

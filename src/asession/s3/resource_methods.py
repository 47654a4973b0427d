"""What `Bucket` and `Object` resources have beyond their models: the client's transfers."""

from __future__ import annotations

import os
from typing import Any

from asession.s3.arguments import CopySource, ExtraArgs
from asession.s3.progress import Callback


class BucketMethods:
    """Mixed into `Bucket`; see `TransferMethods` for the arguments."""

    meta: Any
    name: str

    async def upload_file(
        self,
        Filename: str | os.PathLike[str],
        Key: str,
        ExtraArgs: ExtraArgs | None = None,
        Callback: Callback | None = None,
        Config: Any = None,
    ) -> None:
        """Upload a file to an object of this bucket."""
        await self.meta.client.upload_file(Filename, self.name, Key, ExtraArgs, Callback, Config)

    async def upload_fileobj(
        self,
        Fileobj: Any,
        Key: str,
        ExtraArgs: ExtraArgs | None = None,
        Callback: Callback | None = None,
        Config: Any = None,
    ) -> None:
        """Upload what is in a file object to an object of this bucket."""
        await self.meta.client.upload_fileobj(Fileobj, self.name, Key, ExtraArgs, Callback, Config)

    async def download_file(
        self,
        Key: str,
        Filename: str | os.PathLike[str],
        ExtraArgs: ExtraArgs | None = None,
        Callback: Callback | None = None,
        Config: Any = None,
    ) -> None:
        """Download an object of this bucket into a file."""
        await self.meta.client.download_file(self.name, Key, Filename, ExtraArgs, Callback, Config)

    async def download_fileobj(
        self,
        Key: str,
        Fileobj: Any,
        ExtraArgs: ExtraArgs | None = None,
        Callback: Callback | None = None,
        Config: Any = None,
    ) -> None:
        """Download an object of this bucket to a file object."""
        await self.meta.client.download_fileobj(
            self.name, Key, Fileobj, ExtraArgs, Callback, Config
        )

    async def copy(
        self,
        CopySource: CopySource,
        Key: str,
        ExtraArgs: ExtraArgs | None = None,
        Callback: Callback | None = None,
        SourceClient: Any = None,
        Config: Any = None,
    ) -> None:
        """Copy an object of any bucket to one of this bucket."""
        await self.meta.client.copy(
            CopySource, self.name, Key, ExtraArgs, Callback, SourceClient, Config
        )


class ObjectMethods:
    """Mixed into `Object`; see `TransferMethods` for the arguments."""

    meta: Any
    bucket_name: str
    key: str

    async def upload_file(
        self,
        Filename: str | os.PathLike[str],
        ExtraArgs: ExtraArgs | None = None,
        Callback: Callback | None = None,
        Config: Any = None,
    ) -> None:
        """Upload a file to this object."""
        await self.meta.client.upload_file(
            Filename, self.bucket_name, self.key, ExtraArgs, Callback, Config
        )

    async def upload_fileobj(
        self,
        Fileobj: Any,
        ExtraArgs: ExtraArgs | None = None,
        Callback: Callback | None = None,
        Config: Any = None,
    ) -> None:
        """Upload what is in a file object to this object."""
        await self.meta.client.upload_fileobj(
            Fileobj, self.bucket_name, self.key, ExtraArgs, Callback, Config
        )

    async def download_file(
        self,
        Filename: str | os.PathLike[str],
        ExtraArgs: ExtraArgs | None = None,
        Callback: Callback | None = None,
        Config: Any = None,
    ) -> None:
        """Download this object into a file."""
        await self.meta.client.download_file(
            self.bucket_name, self.key, Filename, ExtraArgs, Callback, Config
        )

    async def download_fileobj(
        self,
        Fileobj: Any,
        ExtraArgs: ExtraArgs | None = None,
        Callback: Callback | None = None,
        Config: Any = None,
    ) -> None:
        """Download this object to a file object."""
        await self.meta.client.download_fileobj(
            self.bucket_name, self.key, Fileobj, ExtraArgs, Callback, Config
        )

    async def copy(
        self,
        CopySource: CopySource,
        ExtraArgs: ExtraArgs | None = None,
        Callback: Callback | None = None,
        SourceClient: Any = None,
        Config: Any = None,
    ) -> None:
        """Copy another object to this one."""
        await self.meta.client.copy(
            CopySource, self.bucket_name, self.key, ExtraArgs, Callback, SourceClient, Config
        )

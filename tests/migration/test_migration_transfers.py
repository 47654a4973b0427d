"""Transfers as aioboto3's users write them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiofiles
import anyio
import pytest
from boto3.s3.transfer import S3TransferConfig, TransferConfig
from botocore.exceptions import ClientError

from migration.conftest import Open

pytestmark = pytest.mark.anyio

DATA = b"Hello World\n"
MIB = 1024 * 1024


async def stored(s3: Any, bucket: str, key: str = "k") -> bytes:
    data: bytes = await (await s3.get_object(Bucket=bucket, Key=key))["Body"].read()
    return data


class Trickle:
    """Gives less than is asked for, with `await`."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    async def read(self, size: int) -> bytes:
        await anyio.sleep(0)
        given, self.data = self.data[:5], self.data[5:]
        return given


class Kept:
    """Takes what is written; cannot seek."""

    data = b""

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)


class KeptLater(Kept):
    """The same with `await`."""

    async def write(self, data: bytes) -> int:  # type: ignore[override]
        return super().write(data)


async def test_file_objects_of_all_kinds_go_up(
    open_s3: Open, tmp_path: Path, anyio_backend_name: str
) -> None:
    async with open_s3() as (s3, bucket):
        for config in (None, S3TransferConfig(multipart_threshold=4)):
            sources = [io.BytesIO(DATA), Trickle(DATA)]
            for source in sources:
                await s3.upload_fileobj(source, bucket, "k", Config=config)
                assert await stored(s3, bucket) == DATA
        path = tmp_path / "file"
        path.write_bytes(DATA)
        with path.open("rb") as file:
            await s3.upload_fileobj(file, bucket, "opened")
        assert await stored(s3, bucket, "opened") == DATA
        await s3.upload_file(str(path), bucket, "named", ExtraArgs={"ContentType": "text/plain"})
        assert (await s3.head_object(Bucket=bucket, Key="named"))["ContentType"] == "text/plain"
        if anyio_backend_name == "asyncio":
            async with aiofiles.open(path, "rb") as file:
                await s3.upload_fileobj(file, bucket, "aiofiles")
            assert await stored(s3, bucket, "aiofiles") == DATA


async def test_callbacks_of_both_kinds_are_called(open_s3: Open, tmp_path: Path) -> None:
    sent: list[int] = []

    async def later(count: int) -> None:
        sent.append(count)

    async with open_s3() as (s3, bucket):
        for callback in (sent.append, later):
            sent.clear()
            await s3.upload_fileobj(io.BytesIO(DATA), bucket, "k", Callback=callback)
            assert sent == [len(DATA)]
        sent.clear()
        await s3.download_file(bucket, "k", str(tmp_path / "file"), Callback=sent.append)
        assert sum(sent) == len(DATA)
        assert (tmp_path / "file").read_bytes() == DATA


async def test_downloads_go_to_anything_that_can_be_written_to(
    open_s3: Open, tmp_path: Path, anyio_backend_name: str
) -> None:
    data = DATA * MIB
    async with open_s3() as (s3, bucket):
        await s3.put_object(Bucket=bucket, Key="k", Body=data)
        for target in (Kept(), KeptLater()):
            await s3.download_fileobj(bucket, "k", target)
            assert target.data == data
        memory = io.BytesIO()
        config = TransferConfig(multipart_chunksize=MIB, max_concurrency=3)
        await s3.download_fileobj(bucket, "k", memory, Config=config)
        assert memory.getvalue() == data
        if anyio_backend_name == "asyncio":
            async with aiofiles.open(tmp_path / "file", "wb") as file:
                await s3.download_fileobj(bucket, "k", file)
            assert (tmp_path / "file").read_bytes() == data


@pytest.mark.parametrize("method", ["download_file", "download_fileobj"])
@pytest.mark.parametrize("missing", ["key", "bucket"])
async def test_what_is_not_there_has_the_code_404(
    open_s3: Open, tmp_path: Path, method: str, missing: str, random_name: Callable[[], str]
) -> None:
    async with open_s3() as (s3, bucket):
        target = str(tmp_path / "file") if method == "download_file" else io.BytesIO()
        place = bucket if missing == "key" else random_name()
        with pytest.raises(ClientError) as caught:
            await getattr(s3, method)(place, "none", target)
        assert caught.value.response["Error"]["Code"] == "404"
        kind = s3.exceptions.NoSuchKey if missing == "key" else s3.exceptions.NoSuchBucket
        assert type(caught.value) is kind
        assert kind.__name__ in str(caught.value)


async def test_a_source_that_breaks_leaves_no_upload(open_s3: Open) -> None:
    class Broken:
        given = 6

        def read(self, size: int) -> bytes:
            self.given -= 1
            if not self.given:
                raise OSError("some bad file")
            return bytes(MIB)

    async with open_s3() as (s3, bucket):
        config = S3TransferConfig(multipart_threshold=MIB)
        with pytest.raises(OSError, match="some bad file"):
            await s3.upload_fileobj(Broken(), bucket, "k", Config=config)
        assert (await s3.list_multipart_uploads(Bucket=bucket)).get("Uploads", []) == []


async def test_copies_on_the_client_and_on_resources(open_bucket: Open) -> None:
    async with open_bucket() as (s3, bucket):
        client = s3.meta.client
        await bucket.upload_fileobj(io.BytesIO(DATA), "k")
        source = {"Bucket": bucket.name, "Key": "k"}
        await client.copy(source, bucket.name, "k2")
        await client.copy(
            source,
            bucket.name,
            "k3",
            ExtraArgs={"RequestPayer": "requester"},
            Config=S3TransferConfig(multipart_threshold=4),
        )
        await bucket.copy(source, "k4")
        other = await s3.Object(bucket.name, "k5")
        await other.copy(source)
        last = await s3.Object(bucket.name, "k6")
        answer = await last.copy_from(CopySource=f"{bucket.name}/k")
        assert "CopyObjectResult" in answer
        for number in range(2, 7):
            assert await stored(client, bucket.name, f"k{number}") == DATA


async def test_buckets_and_objects_transfer(open_bucket: Open, tmp_path: Path) -> None:
    path = tmp_path / "up"
    path.write_bytes(DATA)
    async with open_bucket() as (_s3, bucket):
        await bucket.upload_file(str(path), "k")
        await bucket.download_file("k", str(tmp_path / "down"))
        item = await bucket.Object("k2")
        await item.upload_fileobj(io.BytesIO(DATA))
        await item.upload_file(str(path))
        memory = io.BytesIO()
        await item.download_fileobj(memory)
        await bucket.download_fileobj("k", memory)
        assert memory.getvalue() == DATA * 2
        assert (tmp_path / "down").read_bytes() == DATA

"""Every kind of body arrives whole, with signatures and checksums checked by real servers."""

import hashlib
import io
import os
import threading

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from asession import Config, Session
from body_sources import (
    KINDS,
    ONCE_ONLY,
    REWINDABLE,
    AsyncPieces,
    AsyncReader,
    Pipe,
    close,
    generate,
)

pytestmark = [pytest.mark.anyio, pytest.mark.matrix]

SIZES = [0, 1, 64 * 1024, 64 * 1024 + 1, 5 * 1024 * 1024]
DATA = os.urandom(200_000)


@pytest.fixture
async def s3(seaweed, anyio_backend):
    session = Session(seaweed.access_key, seaweed.secret_key, region_name="us-east-1", environ={})
    async with session, session.client("s3", endpoint_url=seaweed.url) as client:
        yield client


@pytest.fixture
async def unsigned_s3(seaweed, anyio_backend):
    """Signs the request but not its payload, as is done over TLS."""
    session = Session(seaweed.access_key, seaweed.secret_key, region_name="us-east-1", environ={})
    config = Config(s3={"payload_signing_enabled": False})
    async with (
        session,
        session.client("s3", endpoint_url=seaweed.url, config=config) as client,
    ):
        yield client


@pytest.fixture
async def bucket(s3, random_name):
    name = random_name()
    await s3.create_bucket(Bucket=name)
    return name


async def stored(s3, bucket):
    response = await s3.get_object(Bucket=bucket, Key="k")
    async with response["Body"] as body:
        return await body.read()


@pytest.mark.parametrize("kind", REWINDABLE, ids=str)
async def test_every_size_of_a_rewindable_body_is_stored(s3, bucket, kind, tmp_path):
    for size in SIZES:
        data = os.urandom(size)
        source = await kind.make(data, tmp_path / "source")
        await s3.put_object(Bucket=bucket, Key="k", Body=source)
        assert hashlib.md5(await stored(s3, bucket)).digest() == hashlib.md5(data).digest(), size
        await close(source)


async def test_text_is_stored_as_utf8(s3, bucket):
    await s3.put_object(Bucket=bucket, Key="k", Body="größe")
    assert await stored(s3, bucket) == "größe".encode()


@pytest.mark.parametrize("kind", ["file", "anyio file", "aiofiles file"])
async def test_a_file_is_sent_from_where_it_is(s3, bucket, kind, tmp_path):
    make = next(one.make for one in KINDS if one.name == kind)
    source = await make(b"skipped" + DATA, tmp_path / "source")
    moved = source.read(7)
    if hasattr(moved, "__await__"):
        await moved
    await s3.put_object(Bucket=bucket, Key="k", Body=source)
    assert await stored(s3, bucket) == DATA
    await close(source)


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
@pytest.mark.parametrize("body", [AsyncPieces, io.BytesIO])
async def test_a_chosen_checksum_is_of_the_body(s3, bucket, algorithm, body):
    data = os.urandom(3_000_000)
    await s3.put_object(Bucket=bucket, Key="k", Body=body(data), ChecksumAlgorithm=algorithm)
    assert await stored(s3, bucket) == data


async def test_parts_are_stored(s3, bucket, tmp_path):
    upload = await s3.create_multipart_upload(Bucket=bucket, Key="k")
    given = {"Bucket": bucket, "Key": "k", "UploadId": upload["UploadId"]}
    first = os.urandom(5 * 1024 * 1024)
    parts = []
    for number, body in enumerate([AsyncPieces(first), io.BytesIO(DATA)], 1):
        part = await s3.upload_part(**given, PartNumber=number, Body=body)
        parts.append({"ETag": part["ETag"], "PartNumber": number})
    await s3.complete_multipart_upload(**given, MultipartUpload={"Parts": parts})
    assert await stored(s3, bucket) == first + DATA


@pytest.mark.parametrize("kind", ONCE_ONLY, ids=str)
async def test_a_body_for_one_reading_over_http_is_refused_with_what_to_do(
    s3, bucket, kind, tmp_path
):
    source = await kind.make(DATA, tmp_path / "source")
    with pytest.raises(ParamValidationError, match=r"read only once.*payload_signing_enabled"):
        await s3.put_object(Bucket=bucket, Key="k", Body=source, ContentLength=len(DATA))
    with pytest.raises(ClientError, match="NoSuchKey"):
        await s3.get_object(Bucket=bucket, Key="k")
    await close(source)


@pytest.mark.parametrize("kind", ONCE_ONLY, ids=str)
async def test_a_body_for_one_reading_is_stored_where_its_payload_need_not_be_signed(
    unsigned_s3, bucket, kind, tmp_path
):
    for size in SIZES:
        data = os.urandom(size)
        source = await kind.make(data, tmp_path / "source")
        await unsigned_s3.put_object(Bucket=bucket, Key="k", Body=source, ContentLength=size)
        assert await stored(unsigned_s3, bucket) == data
        await close(source)


async def test_the_body_of_a_response_can_be_sent_on(unsigned_s3, bucket):
    await unsigned_s3.put_object(Bucket=bucket, Key="from", Body=DATA)
    response = await unsigned_s3.get_object(Bucket=bucket, Key="from")
    async with response["Body"] as body:
        await unsigned_s3.put_object(
            Bucket=bucket, Key="k", Body=body, ContentLength=response["ContentLength"]
        )
    assert await stored(unsigned_s3, bucket) == DATA


async def test_a_sync_reader_is_read_in_worker_threads(unsigned_s3, bucket):
    source = Pipe(DATA)
    await unsigned_s3.put_object(Bucket=bucket, Key="k", Body=source, ContentLength=len(DATA))
    assert source.threads
    assert threading.get_ident() not in source.threads


@pytest.mark.parametrize(
    "body",
    [DATA, io.BytesIO(DATA), Pipe, AsyncPieces],
    ids=["bytes", "bytesio", "pipe", "pieces"],
)
async def test_a_wrong_content_length_is_an_error_before_or_while_sending(
    unsigned_s3, bucket, body
):
    source = body(DATA) if isinstance(body, type) else body
    with pytest.raises((ParamValidationError, ValueError), match=r"200000|announced"):
        await unsigned_s3.put_object(
            Bucket=bucket, Key="k", Body=source, ContentLength=len(DATA) - 1
        )
    with pytest.raises(ClientError, match="NoSuchKey"):
        await unsigned_s3.get_object(Bucket=bucket, Key="k")


@pytest.mark.parametrize(
    "body", [{"a": 1}, [1, 2], 3, object()], ids=["dict", "list", "number", "object"]
)
async def test_what_is_no_body_is_refused_as_botocore_does(s3, bucket, body):
    with pytest.raises(ParamValidationError, match="Invalid type for parameter Body"):
        await s3.put_object(Bucket=bucket, Key="k", Body=body)


async def test_a_text_file_is_refused(s3, bucket, tmp_path):
    (tmp_path / "t").write_text("x")
    with (
        (tmp_path / "t").open() as file,
        pytest.raises(ParamValidationError, match="binary mode"),
    ):
        await s3.put_object(Bucket=bucket, Key="k", Body=file)


async def test_pieces_of_text_are_refused(unsigned_s3, bucket):
    with pytest.raises(TypeError, match="yields str, not bytes"):
        await unsigned_s3.put_object(Bucket=bucket, Key="k", Body=iter(["text"]), ContentLength=4)


async def test_an_error_of_the_source_is_the_error_of_the_call(s3, unsigned_s3, bucket):
    class Broken:
        async def __aiter__(self):
            yield DATA
            raise LookupError("the source broke")

    for client in (s3, unsigned_s3):
        with pytest.raises(LookupError, match="the source broke"):
            await client.put_object(Bucket=bucket, Key="k", Body=Broken())
    await s3.put_object(Bucket=bucket, Key="k", Body=b"next")
    assert await stored(s3, bucket) == b"next"


@pytest.mark.parametrize("kind", REWINDABLE, ids=str)
async def test_another_emulator_stores_every_kind(ministack_url, random_name, kind, tmp_path):
    session = Session("AKID", "secret", region_name="us-east-1", environ={})
    async with session, session.client("s3", endpoint_url=ministack_url) as s3:
        bucket = random_name()
        await s3.create_bucket(Bucket=bucket)
        source = await kind.make(DATA, tmp_path / "source")
        await s3.put_object(Bucket=bucket, Key="k", Body=source)
        assert await stored(s3, bucket) == DATA
        await close(source)


async def test_the_source_stays_open_and_its_owner_s(s3, bucket, tmp_path):
    (tmp_path / "f").write_bytes(DATA)
    with (tmp_path / "f").open("rb") as file:
        await s3.put_object(Bucket=bucket, Key="k", Body=file)
        file.seek(0)
        assert file.read(3) == DATA[:3]


async def test_a_body_for_one_reading_without_a_length_is_refused_with_what_to_do(
    unsigned_s3, bucket
):
    for source in (AsyncReader(DATA), generate(DATA)):
        with pytest.raises(ParamValidationError, match=r"length of Body .* ContentLength="):
            await unsigned_s3.put_object(Bucket=bucket, Key="k", Body=source)
        await close(source)

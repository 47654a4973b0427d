"""Whole directories: names, results, what is refused, what is left out when done before."""

import os

import anyio
import pytest

from asession import TransferConfig
from asession.exceptions import TransferFailedError
from asession.s3 import FileResult, download_directory, upload_directory
from asession.s3.names import Names, directory_prefix, file_name
from s3.conftest import session_at
from s3.stored import MIB, content, same
from servers.objects import ObjectServer, stored
from servers.seaweedfs import Seaweed

pytestmark = pytest.mark.anyio

FILES = {"a.txt": b"a", "b/c.txt": b"cc", "b/d/ü e.bin": bytes(3000), ".hidden": b"", "z": b"z" * 9}


def tree(directory):
    for name, data in FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def contents(directory):
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


async def test_a_directory_goes_up_and_comes_down(s3, bucket, tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    tree(source)
    told = []
    results = await upload_directory(s3, source, bucket, "some/where", callback=told.append)
    assert [result.name for result in results] == sorted(FILES)
    assert {result.status for result in results} == {"done"}
    assert sum(told) == sum(map(len, FILES.values()))
    assert await content(s3, bucket, "some/where/b/d/ü e.bin") == bytes(3000)
    await s3.put_object(Bucket=bucket, Key="some/where-else/x", Body=b"not mine")
    await s3.put_object(Bucket=bucket, Key="some/where/empty/", Body=b"")

    results = await download_directory(s3, bucket, "some/where/", target)
    assert contents(target) == FILES
    assert results[0] == FileResult(
        ".hidden", "some/where/.hidden", os.path.join(target, ".hidden"), 0, "done"
    )


async def test_files_are_chosen_by_name(s3, bucket, tmp_path):
    tree(tmp_path / "source")
    results = await upload_directory(
        s3, tmp_path / "source", bucket, include=lambda name: not name.startswith(".")
    )
    assert [result.name for result in results] == sorted(set(FILES) - {".hidden"})
    results = await download_directory(
        s3, bucket, "", tmp_path / "target", include=lambda name: name.startswith("b/")
    )
    assert sorted(contents(tmp_path / "target")) == ["b/c.txt", "b/d/ü e.bin"]


@pytest.mark.parametrize("s3_server", ["seaweedfs"], indirect=True)
async def test_what_is_the_same_already_is_left_out(s3, bucket, tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    tree(source)
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    (source / "big").write_bytes(os.urandom(5 * MIB + 1))

    async def up():
        results = await upload_directory(s3, source, bucket, resume=True, config=config)
        return {result.name for result in results if result.status == "done"}

    async def down():
        results = await download_directory(s3, bucket, "", target, resume=True, config=config)
        return {result.name for result in results if result.status == "done"}

    every = {*FILES, "big"}
    assert await up() == every
    assert await up() == set()
    assert await down() == every
    assert await down() == set()
    # Of the same size, but not the same.
    (source / "a.txt").write_bytes(b"b")
    (source / "big").write_bytes(os.urandom(5 * MIB + 1))
    assert await up() == {"a.txt", "big"}
    assert await down() == {"a.txt", "big"}
    assert contents(target) == contents(source)


@pytest.mark.parametrize("s3_server", ["seaweedfs"], indirect=True)
async def test_where_an_etag_says_nothing_the_checksum_of_the_whole_does(s3, bucket, tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "big").write_bytes(os.urandom(5 * MIB + 1))
    parts = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    whole = {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}
    await upload_directory(s3, tmp_path / "source", bucket, extra_args=whole, config=parts)
    # Configured with other parts: their MD5s would not be those in the ETag.
    (again,) = await upload_directory(s3, tmp_path / "source", bucket, resume=True)
    (down,) = await download_directory(s3, bucket, "", tmp_path / "source", resume=True)
    assert (again.status, down.status) == ("skipped", "skipped")
    (tmp_path / "source" / "big").write_bytes(os.urandom(5 * MIB + 1))
    (other,) = await upload_directory(s3, tmp_path / "source", bucket, resume=True)
    assert other.status == "done"


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("checksum", ["whole", "composite", "none", "refused"])
async def test_an_encrypted_object_is_known_by_its_checksum(checksum, tmp_path):
    data = os.urandom(2 * MIB + 7)
    (tmp_path / "k").write_bytes(data)
    config = TransferConfig(multipart_threshold=MIB, multipart_chunksize=MIB)
    customers_key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    with ObjectServer() as server:
        async with session_at(Seaweed(server.url)) as session, session.client("s3") as s3:
            s3.meta.events.register("before-call.s3.HeadObject", lambda params, **_: heads(params))
            asked = []

            def heads(params):
                asked.append(params["headers"])
                if checksum == "refused" and len(asked) > 1:
                    server.store.objects.clear()

            await s3.upload_fileobj(data, "bucket", "k", Config=config)
            there = server.store.objects["/bucket/k"]
            there.etag = '"not an MD5"'
            if checksum == "whole":
                there.checksum = stored(data).checksum
            elif checksum == "none":
                there.checksum = ""
            (result,) = await upload_directory(
                s3, tmp_path, "bucket", resume=True, extra_args=customers_key, config=config
            )
    assert result.status == ("skipped" if checksum in ("whole", "composite") else "done")
    assert len(asked) == 2
    # Without the key S3 would tell nothing.
    assert all("x-amz-server-side-encryption-customer-key" in headers for headers in asked)


async def test_a_file_that_fails_is_a_result_and_the_others_go_on(s3, bucket, tmp_path):
    for key in ("a", "a/b", "c"):
        await s3.put_object(Bucket=bucket, Key=f"p/{key}", Body=key.encode())
    one_at_a_time = TransferConfig(max_concurrency=1)
    results = await download_directory(s3, bucket, "p", tmp_path / "t", config=one_at_a_time)
    by_name = {result.name: result for result in results}
    assert by_name["c"].status == "done"
    # "a" cannot be a file and a directory.
    failed = [result for result in results if result.status == "failed"]
    assert len(failed) == 1
    assert isinstance(failed[0].error, OSError)


@pytest.mark.parametrize("s3_server", ["ministack"], indirect=True)
async def test_keys_that_lead_out_of_the_directory_are_refused(s3, bucket, tmp_path):
    bad = ["../out", "a/../../out", "a//b", "./a", "/abs"]
    for key in (*bad, "good"):
        await s3.put_object(Bucket=bucket, Key=f"p/{key}", Body=b"x")
    results = await download_directory(s3, bucket, "p", tmp_path / "t")
    status = {result.name: result for result in results}
    assert {name for name in status if status[name].status == "failed"} == set(bad)
    assert all(isinstance(status[name].error, TransferFailedError) for name in bad)
    assert contents(tmp_path) == {"t/good": b"x"}


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="there are no links here")
async def test_a_link_that_leads_out_of_the_directory_is_refused(s3, bucket, tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "t" / "link").symlink_to(tmp_path / "outside")
    await s3.put_object(Bucket=bucket, Key="link/x", Body=b"x")
    await s3.put_object(Bucket=bucket, Key="link/deep/x", Body=b"x")
    for result in await download_directory(s3, bucket, "", tmp_path / "t"):
        assert "leads out of it" in str(result.error)
    assert os.listdir(tmp_path / "outside") == []


@pytest.mark.parametrize("s3_server", ["ministack"], indirect=True)
async def test_keys_that_differ_in_case_alone_are_refused(s3, bucket, tmp_path):
    for key in ("A.txt", "a.txt", "e\u0301", "\u00e9"):
        await s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    results = await download_directory(s3, bucket, "", tmp_path / "t")
    assert sorted(result.status for result in results) == ["done", "done", "failed", "failed"]
    errors = [str(result.error) for result in results if result.error]
    assert all("in case alone" in error for error in errors)
    results = await download_directory(s3, bucket, "", tmp_path / "t", collisions="allow")
    assert {result.status for result in results} == {"done"}


async def test_a_directory_that_is_missing_is_the_error(s3, bucket, tmp_path):
    with pytest.raises(FileNotFoundError):
        await upload_directory(s3, tmp_path / "missing", bucket)


@pytest.mark.parametrize("s3_server", ["ministack"], indirect=True)
async def test_a_cancelled_download_leaves_whole_files_alone(s3, bucket, tmp_path):
    data = os.urandom(300_000)
    for number in range(20):
        await s3.put_object(Bucket=bucket, Key=f"k{number}", Body=data)
    tasks = len(anyio.get_running_tasks())
    with anyio.CancelScope() as scope:
        count = 0

        def callback(_):
            nonlocal count
            count += 1
            if count == 5:
                scope.cancel()

        await download_directory(s3, bucket, "", tmp_path / "t", callback=callback)
    assert len(anyio.get_running_tasks()) == tasks
    found = contents(tmp_path / "t")
    assert scope.cancelled_caught
    assert len(found) < 20
    assert all(name.startswith("k") and "." not in name for name in found)
    assert all(same(one, data) for one in found.values())


@pytest.mark.parametrize("name", ["", "a/", "/a", "a/./b", "..", "a/..", "a\0b"])
def test_names_that_are_no_file(name):
    with pytest.raises(TransferFailedError, match="cannot be a file below the directory"):
        file_name("s3://b/k", name)


@pytest.mark.parametrize("name", ["a\\b", "c:x", "a?", "nul.", "a "])
def test_names_that_are_no_file_on_windows(name):
    with pytest.raises(TransferFailedError, match="Windows has no such"):
        file_name("s3://b/k", name, windows=True)
    assert file_name("s3://b/k", name, windows=False) == name


def test_the_same_key_may_claim_its_name_again():
    names = Names()
    names.claim("s3://b/a", "a")
    names.claim("s3://b/a", "a")
    with pytest.raises(TransferFailedError, match="s3://b/a in case alone"):
        names.claim("s3://b/A", "A")


def test_a_prefix_is_a_directory():
    assert [directory_prefix(one) for one in ("", "a", "a/")] == ["", "a/", "a/"]

"""Many files: whole directories up and down, each file with a result of its own."""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal

import anyio

from asession._runtime.threads import in_thread
from asession.exceptions import ClientError, TransferFailedError
from asession.s3.arguments import ExtraArgs, for_head, only
from asession.s3.config import config_of
from asession.s3.crew import contained
from asession.s3.multipart import Place
from asession.s3.names import Names, directory_prefix, file_name
from asession.s3.progress import Callback
from asession.s3.same import is_same

Include = Callable[[str], bool]
"""Told the name of a file below the directory or prefix, with slashes; says whether it goes."""

# Files that a directory is searched for in one trip to a worker thread.
_BATCH = 256


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file; a value.

    Attributes:
        name: Its name below the directory and the prefix, with slashes.
        key: The object's key.
        path: The file's path; empty if the key can be no file.
        size: Bytes.
        status: ``"skipped"`` if both were the same already.
        error: Why it failed.
    """

    name: str
    key: str
    path: str
    size: int
    status: Literal["done", "skipped", "failed"]
    error: Exception | None = None


# Its name, key, path and size, and what transfers it, unless it is the same already.
_File = tuple[str, str, str, int, Callable[[], Awaitable[bool]]]


class _Files:
    """Transfers several files at once, as many as one transfer has parts at once."""

    def __init__(self, concurrency: int) -> None:
        self._places = anyio.Semaphore(concurrency)
        self.results: list[FileResult] = []

    async def run(self, files: AsyncGenerator[_File, None]) -> list[FileResult]:
        """Do all; an error of one file is its result, an error of `files` ends all."""
        failure: Exception | None = None
        async with anyio.create_task_group() as group:
            try:
                async with aclosing(files):
                    async for file in files:
                        await self._places.acquire()
                        group.start_soon(self._one, *file)
            except Exception as error:
                failure = error
                group.cancel_scope.cancel()
        if failure is not None:
            raise failure
        return sorted(self.results, key=lambda result: result.name)

    async def _one(
        self, name: str, key: str, path: str, size: int, transfer: Callable[[], Awaitable[bool]]
    ) -> None:
        try:
            status: Literal["done", "skipped"] = "done" if await transfer() else "skipped"
            self.results.append(FileResult(name, key, path, size, status))
        except Exception as error:
            self.results.append(FileResult(name, key, path, size, "failed", error))
        finally:
            self._places.release()


async def upload_directory(
    client: Any,
    directory: str | os.PathLike[str],
    bucket: str,
    prefix: str = "",
    *,
    include: Include | None = None,
    resume: bool = False,
    extra_args: ExtraArgs | None = None,
    callback: Callback | None = None,
    config: Any = None,
) -> list[FileResult]:
    """Upload every file below a directory; links to files are followed, those to directories not.

    Args:
        client: An S3 client of this package.
        directory: Where the files are.
        bucket: Where the objects go.
        prefix: What their keys begin with; a slash is put after it.
        include: Chooses files.
        resume: Leave out files whose object has the same size and ETag or checksum already.
        extra_args: See `asession.s3.ALLOWED_UPLOAD_ARGS`.
        callback: Called with the number of bytes sent since its last call, of all files.
        config: A `TransferConfig`; `max_concurrency` is also how many files go at once.

    Returns:
        A result for each file, by name; look at those that failed.

    Raises:
        OSError: The directory cannot be read.

    Example:
        results = await upload_directory(s3, "site", "bucket", include=lambda n: n[0] != ".")
        failed = [result for result in results if result.status == "failed"]
    """
    settings, start = config_of(config), directory_prefix(prefix)

    async def transfer(path: str, key: str) -> bool:
        if resume:
            try:
                place, asked = Place(client, bucket, key), for_head(extra_args or {})
                head = await client.head_object(**place.names, **asked)
            except ClientError as error:
                if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") != 404:
                    raise
            else:
                known = head["ContentLength"], head.get("ETag", "")
                if await is_same(place, asked, path, *known, settings.multipart_chunksize):
                    return False
        await client.upload_file(path, bucket, key, extra_args, callback, settings)
        return True

    async def files() -> AsyncGenerator[_File, None]:
        found = _walk(os.fspath(directory))
        while batch := await in_thread(lambda: list(itertools.islice(found, _BATCH))):
            for name, path, size in batch:
                if include is None or include(name):
                    key = start + name
                    yield name, key, path, size, functools.partial(transfer, path, key)

    return await contained(_Files(settings.concurrency).run, files())


async def download_directory(
    client: Any,
    bucket: str,
    prefix: str,
    directory: str | os.PathLike[str],
    *,
    include: Include | None = None,
    resume: bool = False,
    collisions: Literal["refuse", "allow"] = "refuse",
    extra_args: ExtraArgs | None = None,
    callback: Callback | None = None,
    config: Any = None,
) -> list[FileResult]:
    """Download every object whose key begins with a prefix, into files of the same names.

    Keys that are no file below the directory (``../x``, ``a//b``) are refused, so are links that
    lead out of it. Keys that end with a slash stand for directories, and are left out.

    Args:
        client: An S3 client of this package.
        bucket: Where the objects are.
        prefix: What their keys begin with; a slash is put after it. Empty for the whole bucket.
        directory: Where the files go; made if it is missing.
        include: Chooses objects.
        resume: Leave out objects whose file has the same size and ETag or checksum already.
        collisions: Whether keys that differ in case alone are refused, but for the first.
        extra_args: See `asession.s3.ALLOWED_DOWNLOAD_ARGS`; not `VersionId`.
        callback: Called with the number of bytes kept since its last call, of all files.
        config: A `TransferConfig`; `max_concurrency` is also how many files come at once.

    Returns:
        A result for each object, by name; look at those that failed.

    Raises:
        ClientError: The bucket cannot be listed.
    """
    settings, start, root = config_of(config), directory_prefix(prefix), os.fspath(directory)
    names = Names()

    async def transfer(found: dict[str, Any], name: str) -> bool:
        location = f"s3://{bucket}/{found['Key']}"
        relative = file_name(location, name)
        if collisions == "refuse":
            names.claim(location, relative)
        path = await in_thread(_place, location, root, relative)
        if resume:
            place, asked = Place(client, bucket, found["Key"]), for_head(extra_args or {})
            known = found["Size"], found.get("ETag", "")
            if await is_same(place, asked, path, *known, settings.multipart_chunksize):
                return False
        await client.download_file(bucket, found["Key"], path, extra_args, callback, settings)
        return True

    async def files() -> AsyncGenerator[_File, None]:
        asked = only(extra_args or {}, "RequestPayer", "ExpectedBucketOwner")
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=start, **asked
        )
        async with aclosing(aiter(pages)) as listing:
            async for page in listing:
                for found in page.get("Contents", []):
                    key = found["Key"]
                    name = key.removeprefix(start)
                    if key.endswith("/") or (include is not None and not include(name)):
                        continue
                    path = os.path.join(root, *name.split("/"))
                    one = functools.partial(transfer, found, name)
                    yield name, key, path, found["Size"], one

    return await contained(_Files(settings.concurrency).run, files())


def _walk(directory: str) -> Iterator[tuple[str, str, int]]:
    """The name, path and size of each regular file below a directory; for worker threads."""
    with os.scandir(directory) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            for name, path, size in _walk(entry.path):
                yield f"{entry.name}/{name}", path, size
        elif entry.is_file():
            yield entry.name, entry.path, entry.stat().st_size


def _place(location: str, root: str, relative: str) -> str:
    """Make the directories for a file, none of them outside; for worker threads."""
    path = os.path.join(root, relative)
    parent = os.path.dirname(path)
    # Before anything is made, and after: a link may stand anywhere on the way.
    os.makedirs(root, exist_ok=True)
    inside = os.path.realpath(root)
    existing = os.path.realpath(parent)
    if os.path.commonpath([inside, existing]) != inside:
        raise TransferFailedError(
            location=location,
            reason=f"a link below {root} leads out of it, to {existing}; remove the link",
        )
    os.makedirs(parent, exist_ok=True)
    return path

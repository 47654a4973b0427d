"""Downloads: one request for a small object, ranges side by side for a large one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio

from asession._aws.received import ReceivedBody
from asession._runtime.threads import in_thread
from asession.exceptions import ClientError, TransferFailedError
from asession.s3.arguments import Arguments, without
from asession.s3.config import TransferConfig
from asession.s3.crew import Crew, work
from asession.s3.fetching import Fetching
from asession.s3.limits import STREAMED, Limits, most_files
from asession.s3.multipart import GRACE, Place
from asession.s3.plan import MIB, Part, parts
from asession.s3.progress import Meter
from asession.s3.sinks import FileSink, PartSink, WriterSink
from asession.s3.tempfiles import TempFile, save
from asession.s3.verify import Verifier
from asession.s3.writers import Writer

# A file that is not longer is written with one trip to a worker thread.
_SMALL = MIB
_NOT_FOUND = 404


class Receiving:
    """One download; lives as long as it lasts, and leaves nothing behind if it fails.

    The first request asks for the whole object: it says how large that is, and is all there is to
    do for a small one. Of a large one its body is the first part.

    Attributes:
        meter: Told of the progress; the download runs `beside` it.

    Args:
        place: Where the object is.
        limits: The session's.
        config: The settings.
        given: The caller's arguments.
        meter: Told of the progress.
    """

    def __init__(
        self,
        place: Place,
        limits: Limits,
        config: TransferConfig,
        given: Arguments,
        meter: Meter | None,
    ) -> None:
        self._place = place
        self._share = limits.memory.share()
        self._files = limits.files.share()
        self._config = config
        self._given = given
        self.meter = meter
        self._fetching = Fetching(place, config, given, meter)
        self._held = 0

    async def to_path(self, path: str) -> None:
        """Download into a file, which is there once it is whole and right.

        Raises:
            OSError: It cannot be written.
        """
        async with self._files.held(1, most_files(self._config.max_memory)):
            await self._receive(lambda *found: self._into_file(path, *found))

    async def to_object(self, file: Any) -> None:
        """Download to a file object, in order; what was written stays if it fails.

        Raises:
            TypeError: It is no binary file object.
        """
        writer = Writer(file)
        await self._receive(lambda *found: self._into_writer(writer, *found))

    async def _receive(
        self, keep: Callable[[dict[str, Any], int, ReceivedBody], Awaitable[None]]
    ) -> None:
        self._held = await self._share.acquire(STREAMED, self._config.max_memory)
        try:
            answer, body = await self._first()
            try:
                size = answer.get("ContentLength")
                if size is None:
                    raise TransferFailedError(
                        location=str(self._place), reason="the server does not say how long it is"
                    )
                await keep(answer, size, body)
            finally:
                await body.aclose()
        finally:
            self._share.release(self._held)

    async def _first(self) -> tuple[dict[str, Any], ReceivedBody]:
        try:
            return await self._fetching.first()
        except ClientError as error:
            # boto3 asks by HeadObject, whose answers have no body and so no other code than the
            # status; what is written about missing objects looks for that. Class and message
            # say more.
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == _NOT_FOUND:
                error.response["Error"]["Code"] = str(_NOT_FOUND)
            raise

    async def _into_file(
        self, path: str, answer: dict[str, Any], size: int, body: ReceivedBody
    ) -> None:
        verifier = self._verifier(answer, size)
        temp = TempFile(path, fsync=self._config.fsync)
        try:
            if size <= _SMALL and not self._in_parts(size):
                await self._into_small_file(path, temp, size, body, verifier)
            elif await in_thread(temp.open):
                await self._take_all(FileSink(temp, self._fetching, verifier), size, body)
                if (whole := verifier.new_whole()) is not None:
                    verifier.check_whole(await in_thread(temp.digest, whole))
                await self._check(verifier)
                await in_thread(temp.commit)
            else:
                async with _special(path) as writer:
                    await self._into_writer(writer, answer, size, body)
        except BaseException:
            with anyio.move_on_after(GRACE, shield=True):
                await in_thread(temp.discard)
            raise

    async def _into_small_file(
        self, path: str, temp: TempFile, size: int, body: ReceivedBody, verifier: Verifier
    ) -> None:
        arrived: list[bytes] = []

        async def sink(place: int, data: memoryview) -> None:
            arrived.append(bytes(data))

        await self._fetching.fetch(Part(1, 0, size), body, sink)
        await self._told()
        outcome = await in_thread(save, temp, b"".join(arrived), size, verifier)
        if outcome == "special":
            async with _special(path) as writer:
                with self._share.outside(self._held):
                    await writer.write([b"".join(arrived)])
        elif outcome == "doubtful":
            await self._check(verifier)
            await in_thread(temp.commit)

    async def _into_writer(
        self, writer: Writer, answer: dict[str, Any], size: int, body: ReceivedBody
    ) -> None:
        verifier = self._verifier(answer, size)
        await self._take_all(WriterSink(writer, self._fetching, verifier, self._share), size, body)
        if writer.whole is not None:
            verifier.check_whole(writer.whole.digest())
        await self._check(verifier)

    async def _take_all(self, sink: PartSink, size: int, body: ReceivedBody) -> None:
        if not self._in_parts(size):
            await sink.take(Part(1, 0, size), body, self._held)
            await self._told()
            return
        chunk = self._config.multipart_chunksize

        async def feed(crew: Crew) -> None:
            for part in parts(size, chunk):
                if part.number == 1:
                    await crew.place()
                    held, self._held = self._held, 0
                    crew.start(held, sink.take, part, body, held)
                else:
                    held = await crew.reserve(sink.cost(part))
                    crew.start(held, sink.take, part, None, held)

        await work(self._share, self._config, feed)
        await self._told()

    async def _told(self) -> None:
        """What the callback raises ends the download, before the file has its final name."""
        if self.meter is not None:
            with self._share.outside(self._held):
                await self.meter.told()

    def _in_parts(self, size: int) -> bool:
        config = self._config
        return size >= config.multipart_threshold and size > config.multipart_chunksize

    def _verifier(self, answer: dict[str, Any], size: int) -> Verifier:
        return Verifier(str(self._place), answer, in_parts=self._in_parts(size))

    async def _check(self, verifier: Verifier) -> None:
        found = verifier.check()
        if found is None:
            return
        # Another composite: damage, or parts of another size. S3 knows how large the first is.
        head = await self._place.client.head_object(
            **self._place.names, **without(self._given, "ChecksumMode"), PartNumber=1
        )
        if head.get("ContentLength") == verifier.first_size:
            raise verifier.mismatch(found)


@asynccontextmanager
async def _special(path: str) -> AsyncIterator[Writer]:
    """A pipe or a device, opened for the block."""
    file = await in_thread(_open, path)
    try:
        yield Writer(file)
    finally:
        with anyio.CancelScope(shield=True):
            await in_thread(file.close)


def _open(path: str) -> Any:
    return open(path, "wb", 0)

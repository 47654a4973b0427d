"""Uploads: one request for a small object, parts side by side for a large one."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import anyio

from asession._aws.bodies import Upload, upload_of
from asession._runtime.threads import in_thread
from asession.s3 import arguments
from asession.s3.arguments import Arguments
from asession.s3.bandwidth import bandwidth_of
from asession.s3.checksums import can_combine, combined, encode
from asession.s3.config import TransferConfig
from asession.s3.crew import Crew, work
from asession.s3.limits import STREAMED, Limits, most_files
from asession.s3.multipart import GRACE, Multipart, Place
from asession.s3.plan import MIB, Part, is_multipart, parts, streamed_part_size, upload_part_size
from asession.s3.progress import Meter
from asession.s3.windows import (
    SMALL_FILE,
    FileWindow,
    MemoryWindow,
    PartBody,
    Window,
    open_small,
    window_on,
)

# What a stream is asked for at a time.
_PIECE = MIB


class Sending:
    """One upload; lives as long as it lasts, and closes what it opened.

    Attributes:
        meter: Told of the progress; the upload runs `beside` it.

    Args:
        place: Where the object goes.
        limits: The session's.
        config: The settings.
        given: The caller's arguments, with the checksum chosen.
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
        self._bandwidth = bandwidth_of(config.max_bandwidth)
        self._sizes: dict[int, int] = {}

    async def send_path(self, path: str) -> None:
        """Upload a file, regular or not.

        Raises:
            OSError: It cannot be opened or read.
        """
        ceiling, threshold = self._config.max_memory, self._config.multipart_threshold
        async with self._files.held(1, most_files(ceiling)):
            async with self._share.held(STREAMED, ceiling):
                opened: Any = await in_thread(open_small, path)
                if isinstance(opened, bytes) and not is_multipart(len(opened), threshold):
                    await self._put_bytes(opened)
                    return
            if isinstance(opened, bytes):
                # Parts reserve memory of their own: who waits for that must hold none.
                await self._send_parts(MemoryWindow(opened))
                return
            try:
                if isinstance(opened, FileWindow):
                    await self._send_window(opened)
                else:
                    await self._send_stream(await _stream_of(opened))
            finally:
                opened.close()

    async def send_object(self, source: Any) -> None:
        """Upload what is in a file object, an iterable of bytes, or memory.

        Raises:
            TypeError: It is none of these.
        """
        if isinstance(source, bytes | bytearray | memoryview):
            await self._send_window(MemoryWindow(source))
        elif type(source) is io.BytesIO:
            content = memoryview(source.getvalue())[source.tell() :]
            source.seek(0, io.SEEK_END)
            await self._send_window(MemoryWindow(content))
        elif (window := await in_thread(window_on, source)) is not None:
            try:
                await self._send_window(window)
            finally:
                window.close()
        else:
            try:
                await self._send_stream(await _stream_of(source))
            finally:
                if isinstance(source, AsyncGenerator):
                    # Left in the middle it can never be used again: it ends in the task it ran in.
                    with anyio.move_on_after(GRACE, shield=True):
                        await source.aclose()

    async def _send_window(self, window: Window) -> None:
        """What can be read anywhere and again."""
        if is_multipart(window.size, self._config.multipart_threshold):
            await self._send_parts(window)
            return
        async with self._share.held(STREAMED, self._config.max_memory):
            await self._put(self._body(window, Part(1, 0, window.size)))

    async def _send_parts(self, window: Window) -> None:
        part_size = upload_part_size(self._config.multipart_chunksize, window.size)

        async def feed(crew: Crew) -> None:
            for part in parts(window.size, part_size):
                body = self._body(window, part)
                crew.start(await crew.reserve(STREAMED), self._send_part, multipart, body)

        multipart = self._multipart()
        await self._run(multipart, feed)

    async def _send_stream(self, upload: Upload) -> None:
        """What can be read in order alone, or once: each part is held in memory."""
        threshold, ceiling = self._config.multipart_threshold, self._config.max_memory
        base = upload_part_size(self._config.multipart_chunksize, upload.length)
        # Whole parts, and enough to know whether there are parts at all.
        wanted = -(-max(threshold, base) // base) * base
        if upload.length is not None:
            wanted = min(wanted, upload.length + 1)
        held, first = await self._share.acquire(wanted, ceiling), b""

        async def feed(crew: Crew) -> None:
            nonlocal held, first
            number = 0
            for start in range(0, len(first), base):
                await crew.place()
                number += 1
                # The memory was reserved before: to ask for more here could wait for ever.
                amount = held if start + base >= len(first) else min(held, base)
                held -= amount
                body = self._held_body(number, first, start, base)
                crew.start(amount, self._send_part, multipart, body)
            ended = len(first) < wanted
            # Else they would stay in memory, which is others' by then, as long as the upload.
            first = content = b""
            del body
            while not ended:
                number += 1
                size = base if upload.length is not None else streamed_part_size(base, number)
                reserved = await crew.reserve(size)
                try:
                    with self._share.outside(reserved):
                        content = await self._read(upload, size)
                except BaseException:
                    crew.forget(reserved)
                    raise
                ended = len(content) < size
                if not content:
                    crew.forget(reserved)
                    return
                body = self._held_body(number, content, 0, size)
                crew.start(reserved, self._send_part, multipart, body)
                del body
                content = b""

        try:
            with self._share.outside(held):
                first = await self._read(upload, wanted)
            if len(first) < min(wanted, threshold):
                await self._put_bytes(first)
                return
            multipart = self._multipart()
            await self._run(multipart, feed)
        finally:
            self._share.release(held)

    async def _read(self, upload: Upload, count: int) -> bytes:
        """So many bytes, or fewer at the end alone."""
        pieces: list[bytes] = []
        while count and (piece := await upload.read(min(count, _PIECE))):
            pieces.append(piece)
            count -= len(piece)
            self._share.moved()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _held_body(self, number: int, content: bytes, start: int, size: int) -> PartBody:
        view = memoryview(content)[start : start + size]
        return self._body(MemoryWindow(view), Part(number, 0, len(view)))

    def _body(self, window: Window, part: Part) -> PartBody:
        return PartBody(window, part, self.meter, self._bandwidth)

    async def _put_bytes(self, content: bytes) -> None:
        if self._bandwidth is not None or len(content) > SMALL_FILE:
            await self._put(self._body(MemoryWindow(content), Part(1, 0, len(content))))
            return
        await self._put(content)
        if self.meter is not None and content:
            self.meter.add(len(content))

    async def _put(self, body: bytes | PartBody) -> None:
        await self._place.client.put_object(
            **self._place.names, Body=body, **arguments.for_put(self._given)
        )

    def _multipart(self) -> Multipart:
        given = self._given
        return Multipart(self._place, arguments.for_create(given), arguments.for_complete(given))

    async def _run(self, multipart: Multipart, feed: Callable[[Crew], Awaitable[None]]) -> None:
        async def send() -> None:
            await work(self._share, self._config, feed)
            if self.meter is not None:
                await self.meter.told()
            self._state_whole(multipart)

        await multipart.run(send)

    async def _send_part(self, multipart: Multipart, body: PartBody) -> None:
        number = body.part.number
        answer = await self._place.client.upload_part(
            **self._place.names,
            UploadId=multipart.upload_id,
            PartNumber=number,
            Body=body,
            **arguments.for_part(self._given),
        )
        self._sizes[number] = body.part.size
        multipart.done(number, answer, self._given.get("ChecksumAlgorithm"))

    def _state_whole(self, multipart: Multipart) -> None:
        """State the checksum of the whole, for S3 to compare, where it follows from the parts'."""
        algorithm = self._given.get("ChecksumAlgorithm", "").upper()
        name = f"Checksum{algorithm}"
        if (
            self._given.get("ChecksumType") != "FULL_OBJECT"
            or name in multipart.complete
            or not can_combine(algorithm)
            or not all(name in said for said in multipart.parts.values())
        ):
            return
        digests = (
            (base64.b64decode(multipart.parts[number][name]), size)
            for number, size in sorted(self._sizes.items())
        )
        multipart.complete[name] = encode(combined(algorithm, digests))


async def _stream_of(source: Any) -> Upload:
    upload = await upload_of(source)
    if upload is None:
        raise TypeError(
            "the source of an upload must be bytes, a file object (sync or async), or an iterable "
            f"of bytes (sync or async), not {type(source).__name__}"
        )
    return upload

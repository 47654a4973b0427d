"""Where the parts of a download go: anywhere into a file, or in order to a writer."""

from __future__ import annotations

from typing import Protocol

from asession._aws.received import ReceivedBody
from asession._runtime.threads import in_thread
from asession.s3.budget import Share
from asession.s3.fetching import Fetching
from asession.s3.limits import STREAMED
from asession.s3.plan import Part
from asession.s3.tempfiles import TempFile
from asession.s3.verify import Verifier
from asession.s3.writers import Writer


class PartSink(Protocol):
    """Takes parts, several at once."""

    def cost(self, part: Part) -> int:
        """How many bytes of memory a part takes."""

    async def take(self, part: Part, body: ReceivedBody | None, held: int) -> None:
        """Fetch a part, and keep it.

        Args:
            part: Which bytes.
            body: One that begins with it, if there is one.
            held: The memory that is reserved for it.
        """


class FileSink:
    """Writes each part where it belongs; lives as long as the download."""

    def __init__(self, file: TempFile, fetching: Fetching, verifier: Verifier) -> None:
        self._file = file
        self._fetching = fetching
        self._verifier = verifier

    def cost(self, part: Part) -> int:
        """A piece that arrives and one that is written."""
        return STREAMED

    async def take(self, part: Part, body: ReceivedBody | None, held: int) -> None:
        """Fetch a part and write it."""
        checksum = self._verifier.new()

        async def sink(place: int, data: memoryview) -> None:
            await in_thread(self._file.write, place, data, checksum)

        await self._fetching.fetch(part, body, sink)
        self._verifier.done(part.number, checksum, part.size)


class WriterSink:
    """Keeps each part until those before it are written; lives as long as the download."""

    def __init__(
        self, writer: Writer, fetching: Fetching, verifier: Verifier, share: Share
    ) -> None:
        self._writer = writer
        self._share = share
        self._fetching = fetching
        self._verifier = verifier
        writer.whole = verifier.new_whole()

    def cost(self, part: Part) -> int:
        """All of it, and a piece that arrives."""
        return part.size + STREAMED

    async def take(self, part: Part, body: ReceivedBody | None, held: int) -> None:
        """Fetch a part, and write it when it is its turn."""
        writer, checksum = self._writer, self._verifier.new()
        kept: list[bytes] = []
        turn = part.start

        async def sink(place: int, data: memoryview) -> None:
            nonlocal turn
            if checksum is not None:
                await in_thread(checksum.update, data)
            kept.append(bytes(data))  # the writer's owner may keep it
            if writer.place == turn:
                with self._share.outside(held):
                    await writer.write(kept)
                kept.clear()
                turn = writer.place

        await self._fetching.fetch(part, body, sink)
        if kept:
            with self._share.outside(held):
                await writer.turn(turn)
                await writer.write(kept)
        self._verifier.done(part.number, checksum, part.size)

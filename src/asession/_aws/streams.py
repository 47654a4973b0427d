"""Event streams (S3 Select, Kinesis, Bedrock) as async iterators that can be closed."""

from __future__ import annotations

import functools
from types import TracebackType
from typing import Any, Self

from aiobotocore.eventstream import AioEventStream
from botocore.eventstream import EventStreamBuffer, EventStreamMessage, NoInitialResponseError
from botocore.exceptions import ResponseStreamingError


class EventStream(AioEventStream):
    """The events of one response, each as a dict, as they arrive.

    Holds a connection until the last event, an error, or `aclose`, whichever is first; whoever
    called the operation closes it, best with `async with`. One that is dropped before warns and
    gives its connection back.

    Example:
        async with response["Payload"] as events:
            async for event in events:
                ...
    """

    def __init__(
        self, raw_stream: Any, output_shape: Any, parser: Any, operation_name: str | None
    ) -> None:
        # Not upstream's, which makes async generators: dropped ones would outlive this object.
        self._raw_stream = raw_stream
        self._output_shape = output_shape
        self._parser = parser
        self._operation_name = operation_name
        self._buffer = EventStreamBuffer()
        self._chunks: Any = None
        self._closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> dict[str, Any]:
        """The next event.

        Raises:
            botocore.exceptions.EventStreamError: The service reports an error; the stream is over.
            botocore.exceptions.ResponseStreamingError: The rest does not come.
            botocore.exceptions.ReadTimeoutError: Nothing came for too long.
        """
        while (message := await self._next_message()) is not None:
            event: dict[str, Any] = await self._parse(message)
            if event:
                return event
        raise StopAsyncIteration

    async def get_initial_response(self) -> EventStreamMessage:
        """The first message, which must be of the type ``initial-response``."""
        message = await self._next_message()
        if message is not None:
            if message.headers.get(":event-type") == "initial-response":
                return message
            await self._parse(message)  # an error of the service says more than ours
        await self.aclose()
        raise NoInitialResponseError

    async def _parse(self, message: EventStreamMessage) -> Any:
        try:
            return await self._parse_event(message)
        except BaseException:
            self.close()
            raise

    async def _next_message(self) -> EventStreamMessage | None:
        try:
            while not self._closed:
                message = next(self._buffer, None)
                if message is not None:
                    return message
                data = await self._receive()
                if data:
                    self._buffer.add_data(data)
                    continue
                await self.aclose()
                if self._buffer._data:
                    raise ResponseStreamingError(error="it ends in the middle of an event")
        except BaseException:
            self.close()
            raise
        return None

    async def _receive(self) -> bytes:
        raw = self._raw_stream
        if hasattr(raw, "read_some"):
            data: bytes = await raw.read_some()
            return data
        # Another backend's.
        if self._chunks is None:
            self._chunks = aiter(raw.content.iter_chunks())
        async for chunk, _ in self._chunks:
            if chunk:
                return bytes(chunk)
        return b""

    def close(self) -> None:
        """Give up the rest, from sync code; closing again does nothing."""
        if not self._closed:
            self._closed = True
            self._raw_stream.close()

    async def aclose(self) -> None:
        """Give up the rest and end its connection; closing again does nothing."""
        if not self._closed:
            self._closed = True
            aclose = getattr(self._raw_stream, "aclose", None)
            if aclose is None:
                self._raw_stream.close()
            else:
                await aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<EventStream of {self._operation_name}, {'closed' if self._closed else 'open'}>"


def use_event_streams(parser: Any) -> None:
    """Have a response parser make these streams."""
    parser._create_event_stream = functools.partial(_create, parser)


def _create(parser: Any, response: Any, shape: Any) -> EventStream:
    name = response["context"].get("operation_name")
    return EventStream(response["body"], shape, parser._event_stream_parser, name)

"""A fake of S3 and DynamoDB that answers from memory, much faster than any client asks.

`python -m benchmarks.server [CERTIFICATE KEY]` prints its ports as one line of JSON, then serves
until its standard input ends. It reads no more of a request than tells where the next one begins
and checks no signature. Its answers have the headers and the shape of the real ones.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import ssl
import sys
import time
import zlib
from typing import Any

HOST = "127.0.0.1"
SIZE = 1024
KEYS = 1000
BUCKET = "benchmark-bucket"
TABLE = "benchmark-table"

_CONTENT = bytes(range(256)) * (SIZE // 256)
_DATE = "Wed, 01 Jul 2026 10:00:00 GMT"
_IDS = (
    "x-amz-id-2: Uuag1LuByRx9e6j5Onimru9pO4ZVKnJ2Qz7/C1NPcfTWAtRPfTaOFg7xY0Z2nS5b8ZK1vQ4rT0M=\r\n"
    "x-amz-request-id: 656C76696E672734\r\n"
    f"Date: {_DATE}\r\n"
)


def _checksum(content: bytes) -> str:
    return base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()


def _answer(headers: str, content: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


def _object() -> bytes:
    return _answer(
        f"{_IDS}Last-Modified: Tue, 30 Jun 2026 09:30:15 GMT\r\n"
        'ETag: "b2ea9f7fcea831a4a63b213f41a8855b"\r\n'
        f"x-amz-checksum-crc32: {_checksum(_CONTENT)}\r\nx-amz-checksum-type: FULL_OBJECT\r\n"
        "x-amz-server-side-encryption: AES256\r\nAccept-Ranges: bytes\r\n"
        "Content-Type: binary/octet-stream\r\nServer: AmazonS3\r\n",
        _CONTENT,
    )


def _stored() -> bytes:
    return _answer(
        f'{_IDS}ETag: "b2ea9f7fcea831a4a63b213f41a8855b"\r\n'
        f"x-amz-checksum-crc32: {_checksum(_CONTENT)}\r\nx-amz-checksum-type: FULL_OBJECT\r\n"
        "x-amz-server-side-encryption: AES256\r\nServer: AmazonS3\r\n",
        b"",
    )


def _page() -> bytes:
    entries = "".join(
        f"<Contents><Key>logs/2026/07/part-{number:05}.json</Key>"
        f"<LastModified>2026-06-30T{number // 60 % 24:02}:{number % 60:02}:15.000Z</LastModified>"
        "<ETag>&quot;b2ea9f7fcea831a4a63b213f41a8855b&quot;</ETag>"
        "<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>"
        f"<Size>{SIZE + number}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for number in range(KEYS)
    )
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{BUCKET}</Name><Prefix></Prefix><KeyCount>{KEYS}</KeyCount>"
        f"<MaxKeys>{KEYS}</MaxKeys><EncodingType>url</EncodingType>"
        f"<IsTruncated>false</IsTruncated>{entries}</ListBucketResult>"
    )
    headers = (
        f"{_IDS}x-amz-bucket-region: us-east-1\r\n"
        "Content-Type: application/xml\r\nServer: AmazonS3\r\n"
    )
    return _answer(headers, document.encode())


def _item() -> bytes:
    item = {
        "id": {"S": "order-000001"},
        "customer": {"S": "customer-000042"},
        "total": {"N": "129.90"},
        "placed": {"S": "2026-06-30T09:30:15Z"},
        "paid": {"BOOL": True},
        "lines": {
            "L": [
                {"M": {"sku": {"S": f"sku-{number}"}, "count": {"N": str(number)}}}
                for number in range(1, 5)
            ]
        },
        "tags": {"SS": ["express", "gift"]},
    }
    content = json.dumps({"Item": item}, separators=(",", ":")).encode()
    return _answer(
        f"Server: Server\r\nDate: {_DATE}\r\nContent-Type: application/x-amz-json-1.0\r\n"
        "Connection: keep-alive\r\n"
        "x-amzn-RequestId: IOPRP51MHH5UH9UV3DU8JH0U4RVV4KQNSO5AEMVJF66Q9ASUAAJG\r\n"
        f"x-amz-crc32: {zlib.crc32(content)}\r\n",
        content,
    )


def _end_of_chunks(buffer: bytes, start: int) -> int | None:
    while (line := buffer.find(b"\r\n", start)) >= 0:
        size = int(buffer[start:line].partition(b";")[0], 16)
        if not size:
            end = buffer.find(b"\r\n\r\n", line)
            return end + 4 if end >= 0 else None
        start = line + 2 + size + 2
    return None


class Fake(asyncio.Protocol):
    """One connection of a client; lives until either side closes it."""

    _object = _object()
    _stored = _stored()
    _page = _page()
    _item = _item()

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: Any) -> None:
        """Called by the event loop."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is now complete."""
        buffer = self._buffer + data if self._buffer else data
        while (end := buffer.find(b"\r\n\r\n")) >= 0:
            after = self._end_of_body(buffer, buffer[:end].lower(), end + 4)
            if after is None:
                break
            self._transport.write(self._reply(buffer))
            buffer = buffer[after:]
        self._buffer = buffer

    def _end_of_body(self, buffer: bytes, head: bytes, start: int) -> int | None:
        if b"\r\nexpect: 100-continue" in head and len(buffer) == start:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if b"\r\ntransfer-encoding: chunked" in head:
            return _end_of_chunks(buffer, start)
        if b"\r\ncontent-length:" not in head:
            return start
        _, _, rest = head.partition(b"\r\ncontent-length:")
        end = start + int(rest.partition(b"\r\n")[0])
        return end if len(buffer) >= end else None

    def _reply(self, request: bytes) -> bytes:
        # By the method alone: on httpx2, aiobotocore writes the whole URL where the path belongs.
        if request.startswith(b"GET "):
            if b"list-type=2" in request[: request.find(b"\r\n")]:
                return self._page
            if request.startswith(b"GET /-/cpu "):
                return _answer("", json.dumps(time.process_time()).encode())
            return self._object
        if request.startswith(b"PUT "):
            return self._stored
        if request.startswith(b"POST "):
            return self._item
        return _answer("", b"", "400 Bad Request")


async def serve(certificate: str | None, key: str | None) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    plain = await loop.create_server(Fake, HOST, 0)
    ports = {"http": plain.sockets[0].getsockname()[1]}
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        secure = await loop.create_server(Fake, HOST, 0, ssl=context)
        ports["https"] = secure.sockets[0].getsockname()[1]
    print(json.dumps(ports), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Run on uvloop where there is one."""
    certificate, key = (*sys.argv[1:3], None, None)[:2]
    factory = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve(certificate, key))


if __name__ == "__main__":
    main()

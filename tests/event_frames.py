"""Messages of AWS's event stream encoding, made for tests: botocore only reads them."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping


def frame(headers: Mapping[str, str], payload: bytes = b"") -> bytes:
    """One message; every header is a string (type 7)."""
    lines = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(text)) + text
        for name, text in ((name, value.encode()) for name, value in headers.items())
    )
    prelude = struct.pack("!II", 16 + len(lines) + len(payload), len(lines))
    body = prelude + struct.pack("!I", zlib.crc32(prelude)) + lines + payload
    return body + struct.pack("!I", zlib.crc32(body))


def event(kind: str, payload: bytes = b"", content_type: str = "application/json") -> bytes:
    """An event."""
    headers = {":message-type": "event", ":event-type": kind, ":content-type": content_type}
    return frame(headers, payload)


def exception(kind: str, message: str) -> bytes:
    """A modelled exception."""
    headers = {":message-type": "exception", ":exception-type": kind}
    return frame(
        headers | {":content-type": "application/json"}, json.dumps({"message": message}).encode()
    )


def error(code: str, message: str) -> bytes:
    """An error without a model."""
    return frame({":message-type": "error", ":error-code": code, ":error-message": message})

"""What the recorder keeps of a request and sends as a reply, and their HTTP/1.1 form."""

from __future__ import annotations

import asyncio
import http
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

_CREDENTIAL = re.compile(r"Credential=([^,\s]+)")
# These describe one connection, not the message.
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "expect", "upgrade"})
_BODILESS = frozenset({204, 304})


@dataclass(frozen=True)
class RecordedRequest:
    """One request as it arrived; a value.

    Attributes:
        target: The request target, undecoded, with its query.
        raw_headers: The headers in order, names as sent.
        connection: The number of the connection that brought it, from 1.
    """

    method: str
    target: str
    raw_headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    connection: int = 0

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """The headers by lower-case name; the last of a repeated one."""
        return {name.lower(): value for name, value in self.raw_headers}

    @cached_property
    def path(self) -> str:
        """The path, percent-decoded."""
        return unquote(urlsplit(self.target).path)

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The query parameters; the last of a repeated one."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @cached_property
    def form(self) -> Mapping[str, str]:
        """The parameters of a form body (STS, EC2, ...), empty for other bodies."""
        if "x-www-form-urlencoded" not in self.headers.get("content-type", ""):
            return {}
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @cached_property
    def _scope(self) -> tuple[str, ...]:
        # AKID/date/region/service/aws4_request, in the header or, when presigned, in the query.
        found = _CREDENTIAL.search(self.headers.get("authorization", ""))
        scope = found.group(1) if found else self.query.get("X-Amz-Credential", "")
        parts = tuple(scope.rsplit("/", 4))
        return parts if len(parts) == 5 else ()

    @property
    def access_key(self) -> str | None:
        """The access key id that signed it, `None` if nobody did."""
        # The old presigned URLs of S3 (signature version 2) name the key alone.
        return self._scope[0] if self._scope else self.query.get("AWSAccessKeyId")

    @property
    def region(self) -> str | None:
        """The region of its signature."""
        return self._scope[2] if self._scope else None

    @property
    def service(self) -> str | None:
        """The service of its signature, for example ``"s3"``."""
        return self._scope[3] if self._scope else None

    @property
    def token(self) -> str | None:
        """The session token that it carries."""
        return self.headers.get("x-amz-security-token") or self.query.get("X-Amz-Security-Token")

    @property
    def action(self) -> str | None:
        """The operation, from X-Amz-Target or Action; `None` for REST services such as S3."""
        target = self.headers.get("x-amz-target")
        if target is not None:
            return target.rpartition(".")[2]
        return self.form.get("Action") or self.query.get("Action")

    @property
    def tag(self) -> str | None:
        """The header ``x-test-tag``, by which a test tells its requests apart."""
        return self.headers.get("x-test-tag")

    def encode(self) -> bytes:
        """The request for an upstream server, on a connection of its own.

        Host and every signed header stay as they are, so that the signature stays valid.
        """
        headers = [(n, v) for n, v in self.raw_headers if n.lower() not in _HOP_BY_HOP]
        if self.body and "content-length" not in self.headers:
            headers.append(("Content-Length", str(len(self.body))))
        headers.append(("Connection", "close"))
        return _head(f"{self.method} {self.target} HTTP/1.1", headers) + self.body


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer; a value.

    Attributes:
        delay: Seconds to wait before answering.
        drop: Close the connection without a word instead of answering.
        close: Close the connection after the answer.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0
    drop: bool = False
    close: bool = False

    @classmethod
    def json(cls, value: Any, status: int = 200, **headers: str) -> Self:
        """A JSON body; underscores in the names of `headers` become hyphens."""
        kind = {"Content-Type": "application/x-amz-json-1.0"}
        more = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(status, kind | more, json.dumps(value).encode())

    @classmethod
    def xml(cls, text: str, status: int = 200) -> Self:
        """An XML body."""
        return cls(status, {"Content-Type": "text/xml"}, text.encode())

    def encode(self, method: str) -> bytes:
        """The reply for a request with this method."""
        headers = [(n, v) for n, v in self.headers.items() if n.lower() not in _HOP_BY_HOP]
        body = b"" if method == "HEAD" or self.status in _BODILESS else self.body
        given = any(name.lower() == "content-length" for name, _ in headers)
        if self.status not in _BODILESS and not given:
            headers.append(("Content-Length", str(len(self.body))))
        if self.close:
            headers.append(("Connection", "close"))
        reasons = {item.value: item.phrase for item in http.HTTPStatus}
        return (
            _head(f"HTTP/1.1 {self.status} {reasons.get(self.status, 'Unknown')}", headers) + body
        )


def _head(first: str, headers: Iterable[tuple[str, str]]) -> bytes:
    lines = [first, *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1")


async def read_head(reader: asyncio.StreamReader) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The first line and the headers of a message; an empty line at the end of the stream."""
    first = (await reader.readline()).decode("latin-1").strip()
    headers: list[tuple[str, str]] = []
    while first:
        line = (await reader.readline()).decode("latin-1").strip()
        if not line:
            break
        name, _, value = line.partition(":")
        headers.append((name, value.strip()))
    return first, tuple(headers)


async def read_body(
    reader: asyncio.StreamReader, headers: Mapping[str, str], *, until_end: bool = False
) -> bytes:
    """The body of a message, with a transfer encoding undone.

    Args:
        headers: By lower-case name.
        until_end: Without a length the body goes on to the end of the stream (replies).
    """
    if "chunked" in headers.get("transfer-encoding", "").lower():
        chunks = []
        while size := int((await reader.readline()).split(b";")[0], 16):
            chunks.append(await reader.readexactly(size))
            await reader.readline()
        while (await reader.readline()).strip():  # trailers
            pass
        return b"".join(chunks)
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    return await reader.read() if until_end else b""


async def read_reply(reader: asyncio.StreamReader, method: str) -> Reply:
    """A whole reply to a request with this method; interim replies (1xx) are skipped."""
    status = 100
    raw: tuple[tuple[str, str], ...] = ()
    while status < 200:
        first, raw = await read_head(reader)
        if not first:
            raise ConnectionResetError("the upstream server closed the connection")
        status = int(first.split()[1])
    headers = {name.lower(): value for name, value in raw}
    body = b""
    if method != "HEAD" and status not in _BODILESS:
        body = await read_body(reader, headers, until_end=True)
        headers["content-length"] = str(len(body))
    return Reply(status, headers, body)

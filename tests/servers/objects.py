"""An S3 in memory that misbehaves as told, and knows what transfers left behind."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import socket
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from servers.faults import Fault, FaultServer, Peer

KEY = re.compile(rb"<Part>.*?</Part>", re.DOTALL)


def crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


@dataclass
class Stored:
    """An object; a value."""

    content: bytes
    etag: str
    checksum: str


def stored(content: bytes) -> Stored:
    return Stored(content, f'"{hashlib.md5(content).hexdigest()}"', crc32(content))


@dataclass
class Store:
    """What a server holds, and what was asked of it; shared by its threads."""

    objects: dict[str, Stored] = field(default_factory=dict)
    uploads: dict[str, dict[int, Stored]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    lock: threading.RLock = field(default_factory=threading.RLock)
    numbers: Iterable[int] = field(default_factory=lambda: itertools.count(1))


@dataclass(frozen=True)
class Asked:
    """One request; a value."""

    method: str
    key: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]

    @property
    def operation(self) -> str:
        copied = "x-amz-copy-source" in self.headers
        match self.method, "uploads" in self.query, "uploadId" in self.query:
            case "POST", True, _:
                return "CreateMultipartUpload"
            case "POST", _, True:
                return "CompleteMultipartUpload"
            case "DELETE", _, True:
                return "AbortMultipartUpload"
            case "PUT", _, True:
                return "UploadPartCopy" if copied else "UploadPart"
            case "PUT", _, _:
                return "CopyObject" if copied else "PutObject"
        return {"GET": "GetObject", "HEAD": "HeadObject"}.get(self.method, self.method)


def parse(head: bytes) -> Asked:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    parts = urlsplit(target)
    headers = dict(line.split(": ", 1) for line in lines)
    return Asked(
        method,
        unquote(parts.path),
        parse_qs(parts.query, keep_blank_values=True),
        {name.lower(): value for name, value in headers.items()},
    )


class RefusedError(Exception):
    """An answer that is an error."""


class ObjectPeer(Peer):
    """Answers by the store of its server."""

    server: ObjectServer

    def next_head(self) -> bool:
        self._read = False
        return super().next_head()

    def read_body(self) -> None:
        if self._read:
            return
        self._read = True
        super().read_body()
        asked = parse(self.head)
        try:
            self.good = self.server.answer(asked, self.body)
        except RefusedError as refusal:
            status, code = refusal.args
            text = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
            self.good = _answer(status, {}, b"" if asked.method == "HEAD" else text)


class ObjectServer(FaultServer):
    """Listens from entering to leaving its `with` block.

    Args:
        faults: By operation: what to do with its requests, in the order of arrival; after the last,
            all is well.
        told: Called with each operation, in a thread, before it is answered.
    """

    def __init__(
        self,
        faults: Mapping[str, Iterable[Fault]] | None = None,
        told: Callable[[str], None] = lambda operation: None,
    ) -> None:
        super().__init__()
        self.store = Store()
        self._by_operation = {name: iter(list(some)) for name, some in (faults or {}).items()}
        self._told = told

    def peer(self, connection: socket.socket, stopping: threading.Event) -> ObjectPeer:
        made = ObjectPeer(connection, stopping)
        made.server = self
        return made

    def _next(self, head: bytes) -> Fault:
        operation = parse(head).operation
        with self.store.lock:
            self.heads.append(head)
            self.store.asked[operation] += 1
            fault = next(self._by_operation.get(operation, iter(())), _well)
        self._told(operation)
        return fault

    def answer(self, asked: Asked, body: bytes) -> tuple[bytes, bytes]:
        with self.store.lock:
            return getattr(self, asked.operation)(asked, body)

    def PutObject(self, asked, body):  # noqa: N802
        _check(asked, body)
        made = self.store.objects[asked.key] = stored(body)
        return _answer("200 OK", {"ETag": made.etag, "x-amz-checksum-crc32": made.checksum}, b"")

    def CopyObject(self, asked, body):  # noqa: N802
        made = self.store.objects[asked.key] = self._source(asked)
        text = f"<CopyObjectResult><ETag>{made.etag}</ETag></CopyObjectResult>".encode()
        return _answer("200 OK", {}, text)

    def CreateMultipartUpload(self, asked, body):  # noqa: N802
        name = f"upload-{next(self.store.numbers)}"
        self.store.uploads[name] = {}
        text = f"<R><Key>k</Key><UploadId>{name}</UploadId></R>".encode()
        return _answer("200 OK", {}, text)

    def UploadPart(self, asked, body):  # noqa: N802
        _check(asked, body)
        made = self._upload(asked)[int(asked.query["partNumber"][0])] = stored(body)
        return _answer("200 OK", {"ETag": made.etag, "x-amz-checksum-crc32": made.checksum}, b"")

    def UploadPartCopy(self, asked, body):  # noqa: N802
        start, end = re.match(
            r"bytes=(\d+)-(\d+)$", asked.headers["x-amz-copy-source-range"]
        ).groups()
        source = self._source(asked)
        made = stored(source.content[int(start) : int(end) + 1])
        self._upload(asked)[int(asked.query["partNumber"][0])] = made
        return _answer("200 OK", {}, f"<R><ETag>{made.etag}</ETag></R>".encode())

    def CompleteMultipartUpload(self, asked, body):  # noqa: N802
        parts = self._upload(asked)
        named = [int(number) for number in re.findall(rb"<PartNumber>(\d+)</PartNumber>", body)]
        if named != sorted(parts) or len(KEY.findall(body)) != len(parts):
            raise RefusedError("400 Bad Request", "InvalidPart")
        content = b"".join(parts[number].content for number in named)
        digests = b"".join(base64.b64decode(parts[number].checksum) for number in named)
        tag = f'"{hashlib.md5(content).hexdigest()}-{len(named)}"'
        made = Stored(content, tag, f"{crc32(digests)}-{len(named)}")
        self.store.objects[asked.key] = made
        del self.store.uploads[asked.query["uploadId"][0]]
        return _answer("200 OK", {}, f"<R><ETag>{tag}</ETag></R>".encode())

    def AbortMultipartUpload(self, asked, body):  # noqa: N802
        self._upload(asked)
        del self.store.uploads[asked.query["uploadId"][0]]
        return _answer("204 No Content", {}, b"")

    def HeadObject(self, asked, body):  # noqa: N802
        head, _ = self.GetObject(asked, body)
        return head, b""

    def GetObject(self, asked, body):  # noqa: N802
        found = self._object(asked.key)
        if asked.headers.get("if-match", found.etag) != found.etag:
            raise RefusedError("412 Precondition Failed", "PreconditionFailed")
        headers = {"ETag": found.etag, "x-amz-checksum-crc32": found.checksum}
        ranged = re.match(r"bytes=(\d+)-(\d+)$", asked.headers.get("range", ""))
        if ranged is None:
            return _answer("200 OK", headers, found.content)
        start, end = int(ranged[1]), min(int(ranged[2]), len(found.content) - 1)
        if start > end:
            raise RefusedError("416 Range Not Satisfiable", "InvalidRange")
        del headers["x-amz-checksum-crc32"]
        headers["Content-Range"] = f"bytes {start}-{end}/{len(found.content)}"
        return _answer("206 Partial Content", headers, found.content[start : end + 1])

    def _object(self, key: str) -> Stored:
        if key not in self.store.objects:
            raise RefusedError("404 Not Found", "NoSuchKey")
        return self.store.objects[key]

    def _upload(self, asked: Asked) -> dict[int, Stored]:
        name = asked.query["uploadId"][0]
        if name not in self.store.uploads:
            raise RefusedError("404 Not Found", "NoSuchUpload")
        return self.store.uploads[name]

    def _source(self, asked: Asked) -> Stored:
        found = self._object("/" + unquote(asked.headers["x-amz-copy-source"]).lstrip("/"))
        if asked.headers.get("x-amz-copy-source-if-match", found.etag) != found.etag:
            raise RefusedError("412 Precondition Failed", "PreconditionFailed")
        return found


def _check(asked: Asked, body: bytes) -> None:
    if asked.headers.get("x-amz-checksum-crc32", crc32(body)) != crc32(body):
        raise RefusedError("400 Bad Request", "BadDigest")


def _answer(status: str, headers: Mapping[str, str], content: bytes) -> tuple[bytes, bytes]:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status}\r\n{lines}Content-Length: {len(content)}\r\n\r\n"
    return head.encode(), content


def _well(peer: Peer) -> bool:
    peer.read_body()
    peer.send(b"".join(peer.good))
    return True

"""A cassette: recorded exchanges with AWS, as a JSON file without secrets."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

VERSION = 1


class CassetteError(Exception):
    """A cassette cannot be read; the message names the file, and what to do."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is kept of a request; all of it is compared on replay; a value.

    Attributes:
        method: Of HTTP.
        url: Without secrets; ``localhost`` for every server on loopback.
        target: The operation, for protocols that have it in the header ``X-Amz-Target``.
        body: The bytes, without secrets.
    """

    method: str
    url: str
    target: str
    body: bytes

    def differences(self, other: Recorded) -> list[str]:
        """What is not the same, for people: names and what both have."""
        mine, others = urlsplit(self.url), urlsplit(other.url)
        pairs = {
            "method": (self.method, other.method),
            "host": (f"{mine.scheme}://{mine.netloc}", f"{others.scheme}://{others.netloc}"),
            "path": (mine.path, others.path),
            "query": (mine.query, others.query),
            "X-Amz-Target": (self.target, other.target),
            "body": (_shown(self.body), _shown(other.body)),
        }
        found = [f"{name} {a!r} is not {b!r}" for name, (a, b) in pairs.items() if a != b]
        if not found and self.body != other.body:
            found.append("the bodies differ beyond what is shown here")
        return found

    def __str__(self) -> str:
        return " ".join(part for part in (self.method, self.url, self.target) if part)


@dataclass(frozen=True, slots=True)
class Played:
    """What is kept of a response; a value.

    Attributes:
        status: Of HTTP.
        headers: Names in lower case, and values.
        body: The bytes, without secrets.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its response; a value."""

    request: Recorded
    response: Played


def write(path: Path, exchanges: Sequence[Exchange]) -> None:
    """Write a cassette, whole or not at all."""
    shown = {
        "version": VERSION,
        "exchanges": [
            {
                "request": {
                    "method": one.request.method,
                    "url": one.request.url,
                    "target": one.request.target,
                    "body": _packed(one.request.body),
                },
                "response": {
                    "status": one.response.status,
                    "headers": [list(pair) for pair in one.response.headers],
                    "body": _packed(one.response.body),
                },
            }
            for one in exchanges
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        temporary.write_text(json.dumps(shown, indent=1) + "\n", "utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read(path: Path) -> list[Exchange]:
    """Read a cassette.

    Raises:
        CassetteError: It is not there, or none of ours.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["version"] != VERSION:
            raise CassetteError(
                f"{path}: a cassette of version {data['version']!r}, and this asession plays "
                f"version {VERSION}: record it again with Capture"
            )
        return [_exchange(one) for one in data["exchanges"]]
    except OSError as error:
        raise CassetteError(
            f"{path}: cannot be read ({error.strerror}); record it with Capture({path.name!r})"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise CassetteError(f"{path}: is no cassette; record it again with Capture") from error


def _exchange(one: Any) -> Exchange:
    request, response = one["request"], one["response"]
    return Exchange(
        Recorded(request["method"], request["url"], request["target"], _unpacked(request["body"])),
        Played(
            int(response["status"]),
            tuple((name, value) for name, value in response["headers"]),
            _unpacked(response["body"]),
        ),
    )


def _packed(body: bytes) -> dict[str, str]:
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def _unpacked(body: dict[str, str]) -> bytes:
    return body["text"].encode() if "text" in body else base64.b64decode(body["base64"])


def _shown(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    return text if len(text) <= 200 else f"{text[:200]}… ({len(body)} bytes)"

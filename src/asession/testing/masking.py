"""Takes secrets out of recorded requests and responses, by the names that they have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

MASK = "MASKED"
_SECRET = re.compile(
    r"secret|password|passphrase|token|plaintext|privatekey|keymaterial|samlassertion|accesskeyid"
    r"|signature|credential$|codeverifier|devicecode|usercode|policy$",
)
# Where to go on with a list, and what makes a request safe to repeat: no secrets.
_HARMLESS = re.compile(
    r"(next|continuation|pagination|page|starting|marker|client|clientrequest|request|idempotency)"
    r"token$|^policy$|^(policy|secret)(arn|id|name)$|^secretlist$|lastevaluatedkey|signatureversion"
)
_LEAF = re.compile(r"<((?:\w+:)?(\w+))((?:\s[^<>]*)?)>([^<>]+)</\1>")
# What a checksum in a header was made of is no longer there when something was masked.
_CHECKSUMS = re.compile(r"x-amz-crc32|x-amz-checksum-.*|content-md5|etag")
_SECRET_HEADERS = re.compile(r"set-cookie|.*authenticat.*|authorization.*|.*token.*|.*secret.*")


class Masks:
    """Which names are masked, besides those that always are; a value.

    Args:
        names: Names of fields, elements or parameters, in any case.
        values: Texts that are masked wherever they are.
    """

    def __init__(self, names: Iterable[str] = (), values: Iterable[str] = ()) -> None:
        self._names = frozenset(_plain(name) for name in names)
        self._values = tuple(value for value in values if value)

    def url(self, url: str) -> str:
        """A URL whose query has no secrets; of servers on loopback, without the port."""
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        if parts.hostname in ("127.0.0.1", "localhost", "::1"):
            host = "localhost"
        query = "&".join(self._pair(pair) for pair in parts.query.split("&"))
        return self._text(urlunsplit((parts.scheme, host, parts.path, query, "")))

    def body(self, body: bytes) -> bytes:
        """A body without secrets: JSON, XML and forms by name, anything else by value."""
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return body
        start = text.lstrip()[:1]
        if start in ("{", "["):
            text = self._json(text)
        elif start == "<":
            text = _LEAF.sub(self._element, text)
        elif re.match(r"Action=|[\w.-]+=[^\s]*$", text):
            text = self._form(text)
        return self._text(text).encode()

    def headers(self, pairs: Iterable[tuple[str, str]], masked: int | None) -> list[list[str]]:
        """Headers of a response without secrets.

        Args:
            pairs: Names and values.
            masked: The new length of the body, if masking changed it.
        """
        kept = []
        for name, value in pairs:
            lower = name.lower()
            if _SECRET_HEADERS.fullmatch(lower) or lower == "transfer-encoding":
                continue
            if masked is not None and _CHECKSUMS.fullmatch(lower):
                continue
            changed = masked is not None and lower == "content-length"
            kept.append([lower, str(masked) if changed else self._text(value)])
        return kept

    def _is_secret(self, name: str) -> bool:
        plain = _plain(name.rpartition(".")[2])
        if plain in self._names:
            return True
        return bool(_SECRET.search(plain)) and not _HARMLESS.search(plain)

    def _pair(self, pair: str) -> str:
        name, equals, _ = pair.partition("=")
        return f"{name}={MASK}" if equals and self._is_secret(name) else pair

    def _form(self, text: str) -> str:
        pairs = parse_qsl(text, keep_blank_values=True)
        masked = [(name, MASK if self._is_secret(name) else value) for name, value in pairs]
        return text if masked == pairs else urlencode(masked)

    def _json(self, text: str) -> str:
        try:
            value = json.loads(text)
        except ValueError:
            return text
        masked = self._value(value)
        return text if masked == value else json.dumps(masked, separators=(",", ":"))

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: MASK if isinstance(item, str) and self._is_secret(key) else self._value(item)
                for key, item in value.items()
            }
        return [self._value(item) for item in value] if isinstance(value, list) else value

    def _element(self, match: re.Match[str]) -> str:
        tag, name, attributes, _ = match.groups()
        return f"<{tag}{attributes}>{MASK}</{tag}>" if self._is_secret(name) else match.group()

    def _text(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, MASK)
        return text


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())

"""Which retry handlers have nothing to say about a response; legacy mode asks six checkers."""

from __future__ import annotations

import logging
from typing import Any, ClassVar
from weakref import WeakKeyDictionary
from zlib import crc32

from aiobotocore.retryhandler import (
    AioCRC32Checker,
    AioMaxAttemptsDecorator,
    AioMultiChecker,
    AioRetryHandler,
)
from botocore.retryhandler import ExceptionRaiser, HTTPStatusCodeChecker, ServiceErrorCodeChecker

# Where botocore logs what its checkers find: whoever turned that on still sees it.
_logger = logging.getLogger("botocore.retryhandler")


class Conditions:
    """When a handler of legacy mode may want another try; made once per handler, a value.

    Attributes:
        statuses: Only with one of these status codes,
        checksums: or with one of these headers, which has the CRC-32 of the body, and a wrong one.
        most: The most attempts; noted in the context of each call.
    """

    __slots__ = ("checksums", "most", "statuses")

    known: ClassVar[WeakKeyDictionary[Any, Conditions | None]] = WeakKeyDictionary()

    def __init__(self, checkers: list[Any], most: int) -> None:
        self.most = most
        self.statuses: set[int] = set()
        self.checksums: set[str] = set()
        for checker in checkers:
            if type(checker) is AioCRC32Checker:
                self.checksums.add(checker._header_name)
            elif type(checker) is not ExceptionRaiser:
                self.statuses.add(checker._status_code)

    @classmethod
    def of(cls, handler: Any) -> Conditions | None:
        """The conditions of a handler; `None` if it is not upstream's of legacy mode."""
        if type(handler) is not AioRetryHandler:
            return None
        try:
            return cls.known[handler]
        except KeyError:
            found = cls.known[handler] = cls._read(handler)
            return found

    @classmethod
    def _read(cls, handler: AioRetryHandler) -> Conditions | None:
        decorator = handler._checker
        if type(decorator) is not AioMaxAttemptsDecorator:
            return None
        inner = decorator._checker
        checkers = inner._checkers if type(inner) is AioMultiChecker else [inner]
        if any(type(checker) not in _KNOWN for checker in checkers):
            return None
        return cls(checkers, decorator._max_attempts)


_KNOWN = frozenset(
    {AioCRC32Checker, ExceptionRaiser, HTTPStatusCodeChecker, ServiceErrorCodeChecker}
)


def needs_no_retry(handler: Any, response: Any, context: Any) -> bool:
    """Whether a handler of ``needs-retry`` need not be asked about a response.

    Does what the handler does besides: it notes the most attempts in the context of the call.

    Args:
        handler: Any handler.
        response: botocore's response object.
        context: The context of the request.
    """
    conditions = Conditions.of(handler)
    if (
        conditions is None
        or response.status_code in conditions.statuses
        or _logger.isEnabledFor(logging.DEBUG)
    ):
        return False
    for name in conditions.checksums:
        said = response.headers.get(name)
        if said is not None:
            # A handler may have answered, with a response of another class.
            content = getattr(response, "_content", None)
            if content is None or said != str(crc32(content)):
                return False
    retries = context.get("retries")
    if retries:
        retries["max"] = max(retries.get("max", 0), conditions.most)
    return True

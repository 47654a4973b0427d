"""What a credential server notes of each call, and the failures a test asks it for."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Protocol

from servers.messages import RecordedRequest, Reply


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a source of credentials; a value.

    Attributes:
        operation: Service and operation, for example ``"sts:AssumeRole"``.
        parameters: What was asked, as text; lists flattened as they travel.
        signer: The access key id that signed it, `None` if nobody did.
        token: What it carried besides: a session token, a bearer token, a metadata token or the
            Authorization header of a container.
        at: When it arrived, in seconds of `time.monotonic`.
    """

    operation: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    signer: str | None = None
    token: str | None = None
    at: float = 0.0


class Part(Protocol):
    """One of the services of a credential server; lives as long as the server."""

    def recognise(self, request: RecordedRequest) -> Call | None:
        """The call that a request is, `None` if it is for another part."""
        ...

    def answer(self, call: Call, request: RecordedRequest) -> Reply:
        """The answer to a recognised call."""
        ...

    def failure(self, code: str, status: int, message: str) -> Reply:
        """An error as this service words it."""
        ...


@dataclass(slots=True)
class _Fault:
    pattern: str
    reply: Reply | tuple[str, int, str]
    times: int | None
    after: int


class Faults:
    """The failures and delays asked for; used by a test's thread and the server's alike."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[_Fault] = []
        self._delays: dict[str, float] = {}

    def add(
        self, pattern: str, reply: Reply | tuple[str, int, str], times: int | None, after: int
    ) -> None:
        """Answer matching calls so, `times` times, once `after` of them have passed."""
        with self._lock:
            self._faults.append(_Fault(pattern, reply, times, after))

    def slow(self, pattern: str, seconds: float) -> None:
        """Answer matching calls that much later."""
        with self._lock:
            self._delays[pattern] = seconds

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._faults.clear()
            self._delays.clear()

    def delay(self, operation: str) -> float:
        """How many seconds later to answer."""
        with self._lock:
            slow = [s for pattern, s in self._delays.items() if fnmatchcase(operation, pattern)]
        return max(slow, default=0.0)

    def take(self, operation: str) -> Reply | tuple[str, int, str] | None:
        """The failure of this call, counted, or `None`."""
        with self._lock:
            for fault in self._faults:
                if fault.times == 0 or not fnmatchcase(operation, fault.pattern):
                    continue
                if fault.after:
                    fault.after -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                return fault.reply
        return None

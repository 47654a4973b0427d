"""A server of credentials, for every source that asks over HTTP, programmed by the test.

One URL serves all, told apart by path and body:

    with IdentityServer() as server:            # 127.0.0.1, a free port, a thread of its own
        Session(endpoint_url=server.url, ...)   # or AWS_ENDPOINT_URL: STS, SSO, OIDC, sign-in
        # AWS_EC2_METADATA_SERVICE_ENDPOINT=server.url                 instance metadata
        # AWS_CONTAINER_CREDENTIALS_FULL_URI=server.url + EKS_PATH     ECS and EKS

Operations are ``imds:GetToken``, ``imds:GetRole``, ``imds:GetCredentials``, ``imds:GetZone``,
``container:GetCredentials``, ``sso:GetRoleCredentials``, ``sso-oidc:CreateToken``,
``signin:CreateOAuth2Token``, ``sts:AssumeRole`` and the other operations of STS. Where an operation
is asked for, a pattern such as ``"imds:*"`` does too.

    server.calls, server.count("sts:*")     what was called, by whom, with what, when
    server.mint.expires_in = 2.0            seconds that keys live from now on
    server.mint.issued                      the keys that were handed out
    server.fail("sts:*", times=3)           answers with an error, three times or until `heal`
    server.drop("imds:*")                   closes the connection without a word
    server.reply("imds:GetRole", Reply())   answers so
    server.delay("sts:*", 0.5)              answers later
    server.heal()                           forgets failures and delays
    server.metadata.v1 = False              and what else the parts offer: `metadata`,
                                            `containers`, `portal`, `signin`, `sts`

The access key id that is handed out tells the source, ``access_key_for(role_arn)``; the token
counts. `sts` refuses keys handed out here once they have ended, so that ``sts:GetCallerIdentity``
is a request that fails with stale credentials.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from fnmatch import fnmatchcase

from servers.calls import Call, Faults, Part
from servers.containers import ECS_PATH, EKS_PATH, Containers
from servers.messages import RecordedRequest, Reply
from servers.metadata import Metadata
from servers.mint import ACCOUNT, Mint, access_key_for, secret_key_for
from servers.portal import Portal
from servers.process import HOST
from servers.recorder import Recorder
from servers.signin import SignIn
from servers.sts import Sts

__all__ = [
    "ACCOUNT",
    "ECS_PATH",
    "EKS_PATH",
    "Call",
    "IdentityServer",
    "Reply",
    "access_key_for",
    "secret_key_for",
]


class IdentityServer(Recorder):
    """Listens from entering to leaving its `with` block; one a test, a few milliseconds each.

    Args:
        expires_in: Seconds until the keys end that it hands out.
        host: The loopback address to listen on, ``"::1"`` for IPv6.
    """

    def __init__(self, *, expires_in: float = 3600.0, host: str = HOST) -> None:
        super().__init__(self._answer_call, host=host)
        self.mint = Mint(expires_in)
        self.metadata = Metadata(self.mint)
        self.containers = Containers(self.mint)
        self.portal = Portal(self.mint)
        self.signin = SignIn(self.mint)
        self.sts = Sts(self.mint)
        self._parts: tuple[Part, ...] = (
            self.metadata,
            self.containers,
            self.portal,
            self.signin,
            self.sts,
        )
        self._faults = Faults()
        self._calls: list[Call] = []
        self._calls_lock = threading.Lock()

    @property
    def calls(self) -> list[Call]:
        """A copy of the calls so far, in order of arrival; failed ones too."""
        with self._calls_lock:
            return list(self._calls)

    def count(self, pattern: str = "*") -> int:
        """How many calls there were."""
        return sum(fnmatchcase(call.operation, pattern) for call in self.calls)

    def clear(self) -> None:
        """Forget calls and requests; what was handed out stays valid."""
        super().clear()
        with self._calls_lock:
            self._calls.clear()

    def fail(
        self,
        pattern: str,
        code: str = "AccessDenied",
        *,
        status: int = 403,
        message: str = "from the server of the test",
        times: int | None = None,
        after: int = 0,
    ) -> None:
        """Answer with an error.

        Args:
            times: How often; `None` until `heal`.
            after: How many matching calls are answered rightly before.
        """
        self._faults.add(pattern, (code, status, message), times, after)

    def drop(self, pattern: str, *, times: int | None = None, after: int = 0) -> None:
        """Close the connection without a word; arguments as of `fail`."""
        self._faults.add(pattern, Reply(drop=True), times, after)

    def reply(
        self, pattern: str, reply: Reply, *, times: int | None = None, after: int = 0
    ) -> None:
        """Answer so; arguments as of `fail`."""
        self._faults.add(pattern, reply, times, after)

    def delay(self, pattern: str, seconds: float) -> None:
        """Answer later, in time if `seconds` is 0."""
        self._faults.slow(pattern, seconds)

    def heal(self) -> None:
        """Forget failures and delays."""
        self._faults.clear()

    def _answer_call(self, request: RecordedRequest) -> Reply:
        for part in self._parts:
            call = part.recognise(request)
            if call is not None:
                return self._answer_by(
                    part, dataclasses.replace(call, at=time.monotonic()), request
                )
        return Reply(404, {"Content-Type": "text/plain"}, b"the identity server has no answer")

    def _answer_by(self, part: Part, call: Call, request: RecordedRequest) -> Reply:
        with self._calls_lock:
            self._calls.append(call)
        fault = self._faults.take(call.operation)
        if fault is None:
            reply = part.answer(call, request)
        else:
            reply = fault if isinstance(fault, Reply) else part.failure(*fault)
        return dataclasses.replace(reply, delay=reply.delay + self._faults.delay(call.operation))

"""Signatures of version 4 with one walk over the headers and signing keys remembered.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hmac
import logging
from functools import partial
from hashlib import sha256
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from aiobotocore.signers import AioRequestSigner
from botocore import auth
from botocore.compat import HAS_CRT
from botocore.exceptions import NoCredentialsError

from asession._aws.rejection import SIGNED_WITH

# The logger on which the users of botocore look for what was signed.
_log = logging.getLogger("botocore.auth")

Headers = dict[str, list[str]]

# The headers that signing sets, and looks for in the requests that were signed before.
_OWN = frozenset(
    {"authorization", "date", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"}
)


class Memory:
    """What a signer remembers between requests: a few signing keys and host headers.

    Lives as long as its signer; holds secrets, so it has no fields to show and does not travel.
    """

    __slots__ = ("_hosts", "_keys")

    _LIMIT: ClassVar[int] = 16

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str, str, str], bytes] = {}
        self._hosts: dict[tuple[str, str], str] = {}

    def __repr__(self) -> str:
        return f"Memory(keys={len(self._keys)}, hosts={len(self._hosts)})"

    def __reduce__(self) -> Any:
        return Memory, ()

    def key(self, secret: str, date: str, region: str, service: str) -> bytes:
        """The signing key: one derivation per secret, day, region and service."""
        known = (secret, date, region, service)
        key = self._keys.get(known)
        if key is None:
            key = f"AWS4{secret}".encode()
            for part in (date, region, service, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._remember(self._keys, known, key)
        return key

    def host(self, url: str) -> str:
        """The host header of a URL."""
        parts = urlsplit(url)
        if "[" in parts.netloc:  # botocore looks at the whole URL before it believes in IPv6
            return auth._host_from_url(url)  # type: ignore[no-any-return]
        known = (parts.scheme, parts.netloc)
        host = self._hosts.get(known)
        if host is None:
            host = auth._host_from_url(url)
            self._remember(self._hosts, known, host)
        return host

    def _remember(self, where: dict[Any, Any], key: Any, value: Any) -> None:
        while len(where) >= self._LIMIT:
            del where[next(iter(where))]  # the oldest
        where[key] = value


class _Once(auth.SigV4Auth):
    """botocore's steps of version 4 over headers collected once; precedes its classes.

    Lives for one signature.
    """

    credentials: Any
    # Whether `_additions` says all that `_modify_request_before_signing` does.
    _sets_only_own: ClassVar[bool] = True
    _memory: Memory

    @classmethod
    def instead_of(cls, given: auth.BaseSigner, memory: Memory) -> Self:
        """An auth with another's credentials, region and service."""
        self = cls.__new__(cls)
        self.__dict__.update(vars(given))
        self._memory = memory
        return self

    def add_auth(self, request: Any) -> None:
        """Sign a request: sets its `Authorization` and the headers that are signed with it.

        Raises:
            NoCredentialsError: There are no credentials to sign with.
        """
        if self.credentials is None:
            raise NoCredentialsError()
        # Through botocore's module: there tests and users put another clock.
        now = auth.get_current_datetime()
        request.context["timestamp"] = now.strftime(auth.SIGV4_TIMESTAMP)
        if hasattr(self.credentials, "owner"):  # who may have other keys if these are refused
            request.context[SIGNED_WITH] = self.credentials
        headers = _collected(request)
        if self._sets_only_own and _OWN.isdisjoint(headers):
            for name, value in self._additions(request):
                request.headers[name] = value
                headers[name.lower()] = [value]
        else:
            self._modify_request_before_signing(request)
            headers = _collected(request)
        canonical, names = self._canonical(request, headers)
        to_sign = self.string_to_sign(request, canonical)
        signature = self.signature(to_sign, request)
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("Calculating signature using v4 auth.")
            _log.debug("CanonicalRequest:\n%s", canonical)
            _log.debug("StringToSign:\n%s", to_sign)
            _log.debug("Signature:\n%s", signature)
        request.headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.scope(request)}, "
            f"SignedHeaders={names}, Signature={signature}"
        )

    def canonical_request(self, request: Any) -> str:
        """The text whose digest is signed."""
        return self._canonical(request, _collected(request))[0]

    def payload(self, request: Any) -> str:
        """The digest of the body, or the word that stands for one."""
        data = request.data
        # Bytes are the body: no need to prepare the whole request to see it.
        if (
            type(data) is bytes
            and not self._is_streaming_checksum_payload(request)
            and self._should_sha256_sign_payload(request)
        ):
            return sha256(data).hexdigest()
        return super().payload(request)  # type: ignore[no-any-return]

    def signature(self, string_to_sign: str, request: Any) -> str:
        """The signature of a string, in hexadecimal."""
        key = self._memory.key(
            self.credentials.secret_key,
            request.context["timestamp"][:8],
            self._region_name,
            self._service_name,
        )
        return hmac.digest(key, string_to_sign.encode(), "sha256").hex()

    def _additions(self, request: Any) -> list[tuple[str, str]]:
        """What `_modify_request_before_signing` adds to a request that was never signed."""
        added = [("X-Amz-Date", request.context["timestamp"])]
        if self.credentials.token:
            added.append(("X-Amz-Security-Token", self.credentials.token))
        digest = self._digest_header(request)
        if digest is not None:
            added.append(("X-Amz-Content-SHA256", digest))
        return added

    def _digest_header(self, request: Any) -> str | None:
        enabled = request.context.get("payload_signing_enabled", True)
        return None if enabled else auth.UNSIGNED_PAYLOAD

    def _canonical(self, request: Any, headers: Headers) -> tuple[str, str]:
        """The canonical request, and the names of the headers that are signed with it."""
        # The list may have been changed by the user, who then means this request too.
        unsigned = auth.SIGNED_HEADERS_BLACKLIST
        signed = {name: values for name, values in headers.items() if name not in unsigned}
        if "host" not in signed:
            signed["host"] = [self._memory.host(request.url)]
        lines = [
            request.method.upper(),
            self._normalize_url_path(urlsplit(request.url).path),
            self.canonical_query_string(request),
        ]
        for name in sorted(signed):
            value = ",".join([" ".join(value.split()) for value in signed[name]])
            lines.append(f"{name}:{value}")
        names = ";".join(sorted([name.strip() for name in signed]))
        digest = headers.get("x-amz-content-sha256")
        body = digest[0] if digest else self.payload(request)
        return "\n".join([*lines, "", names, body]), names


def _collected(request: Any) -> Headers:
    headers: Headers = {}
    for name, value in request.headers.items():
        headers.setdefault(name.lower(), []).append(value)
    return headers


class SigV4Auth(_Once):
    """Signs a request of any service but S3. Lives for one signature."""


class S3SigV4Auth(_Once, auth.S3SigV4Auth):
    """Signs a request of S3. Lives for one signature."""

    def _digest_header(self, request: Any) -> str:
        return self.payload(request)


class S3ExpressAuth(_Once, auth.S3ExpressAuth):
    """Signs a request of a directory bucket. Lives for one signature."""

    _sets_only_own = False


# botocore's classes, and no other in their place (a user's), give way to ours.
_OURS: dict[type, type[_Once]] = {
    auth.SigV4Auth: SigV4Auth,
    auth.S3SigV4Auth: S3SigV4Auth,
    auth.S3ExpressAuth: S3ExpressAuth,
}
if HAS_CRT:
    # With `awscrt` installed botocore has it sign: in a thread of its own, for which the event
    # loop's thread would wait, and reading files there. The signatures are the same.
    from botocore.crt.auth import CrtS3SigV4Auth, CrtSigV4Auth

    _OURS |= {CrtSigV4Auth: SigV4Auth, CrtS3SigV4Auth: S3SigV4Auth}


def stand_in(signer: type) -> type:
    """The class that signs where botocore would take this one."""
    return _OURS.get(signer, signer)


def _noting(given: Any) -> Any:
    """A signer that is not ours, made to leave its keys in the context of what it signs."""
    keys = getattr(given, "credentials", None)
    if hasattr(keys, "owner") and "add_auth" not in vars(given):
        given.add_auth = partial(_note_and_sign, keys, given.add_auth)
    return given


def _note_and_sign(keys: Any, add_auth: Any, request: Any) -> None:
    request.context[SIGNED_WITH] = keys
    add_auth(request)


class RequestSigner(AioRequestSigner):
    """A client's signer. Lives as long as its client; nothing to close."""

    _memory: Memory

    @classmethod
    def replacing(cls, signer: AioRequestSigner) -> Self:
        """A signer with another signer's state, to be put in its place."""
        self = cls.__new__(cls)
        self.__dict__.update(vars(signer))
        self._memory = Memory()
        return self

    async def get_auth_instance(self, *args: Any, **kwargs: Any) -> Any:
        """What signs one request: as upstream chooses, ours in place of botocore's own."""
        given = await super().get_auth_instance(*args, **kwargs)
        ours = _OURS.get(type(given))
        return _noting(given) if ours is None else ours.instead_of(given, self._memory)

    get_auth = get_auth_instance

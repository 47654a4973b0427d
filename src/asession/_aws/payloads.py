"""Handler of a session that hashes bodies for their signature off the event loop."""

from __future__ import annotations

import functools
import hashlib
import io
from collections.abc import Awaitable
from typing import Any

from aiobotocore.httpchecksum import AioAwsChunkedWrapper
from botocore.auth import AUTH_TYPE_MAPS, UNSIGNED_PAYLOAD, S3SigV4Auth, SigV4Auth

from asession._aws.bodies import Upload, digest
from asession._aws.chunks import AwsChunks
from asession._aws.refusals import once_only
from asession._aws.signing import stand_in

# Bodies in memory that are longer than this are hashed in a worker thread.
BIG = 1024 * 1024

# In the context of a call: the body's SHA-256 with the object it is of.
PAYLOAD = "asession_payload"


def prepare(
    request: Any, signature_version: Any, request_signer: Any, **_: Any
) -> Awaitable[None] | None:
    """Handler of ``before-sign``: chunks of our own, or the payload's hash, off the loop."""
    body = request.data
    if type(body) is AioAwsChunkedWrapper:
        request.data = AwsChunks.instead_of(body)
        return None
    if not isinstance(body, Upload) and big(body) is None:
        return None
    signer = AUTH_TYPE_MAPS.get(signature_version)
    if signer is None or not _reads_payload(stand_in(signer), request):
        return None
    _tell_hashes(request_signer)
    if _known(request) is not None:
        return None
    return _hash(request, body, signature_version)


async def _hash(request: Any, body: Any, signature_version: str) -> None:
    if isinstance(body, Upload) and not body.rewindable:
        # S3 takes an unsigned payload, and TLS keeps it whole; other services take none.
        if not ("s3" in signature_version and request.url.startswith("https")):
            raise once_only()
        request.context[PAYLOAD] = (body, UNSIGNED_PAYLOAD)
        return
    sha256 = hashlib.sha256()
    await digest_body(body, sha256)
    request.context[PAYLOAD] = (body, sha256.hexdigest())


def _reads_payload(signer: Any, request: Any) -> bool:
    """Whether a signer would read the body to sign it."""
    known = issubclass(signer, SigV4Auth) or _of_the_crt(signer)
    if not known or request.context.get("is_presign_request"):
        return False
    auth = signer.__new__(signer)  # asked for its rules alone, which need no credentials
    if auth._is_streaming_checksum_payload(request):
        return False
    if issubclass(signer, S3SigV4Auth) or _of_the_crt(signer):
        return bool(auth._should_sha256_sign_payload(request))
    # Here such an operation says so in a header, over http too.
    enabled: bool = request.context.get("payload_signing_enabled", True)
    return enabled


def _of_the_crt(signer: Any) -> bool:
    """Whether it is one of botocore's signers over the AWS common runtime, as all of SigV4a are."""
    return hasattr(signer, "_get_existing_sha256")


def _tell_hashes(request_signer: Any) -> None:
    """Have a client's signer use the hashes known, instead of reading the body itself."""
    if "get_auth_instance" in vars(request_signer):
        return
    original = request_signer.get_auth_instance

    async def get_auth_instance(*args: Any, **kwargs: Any) -> Any:
        auth = await original(*args, **kwargs)
        name = "_get_existing_sha256" if _of_the_crt(auth) else "payload"
        if hasattr(auth, name) and name not in vars(auth):
            setattr(auth, name, functools.partial(_payload, auth, getattr(auth, name)))
        return auth

    request_signer.get_auth_instance = get_auth_instance


def _payload(auth: Any, original: Any, request: Any) -> Any:
    known = _known(request)
    if known is None or not _reads_payload(type(auth), request):
        return original(request)
    return known


def _known(request: Any) -> str | None:
    body, known = request.context.get(PAYLOAD, (None, None))
    # A handler may have put another body in its place.
    return known if body is request.data else None


async def digest_body(body: Any, *hashes: Any) -> None:
    """Hash a body that is an `Upload`, or in memory and big."""
    if isinstance(body, Upload):
        await body.digest(*hashes)
        return
    view = big(body)
    assert view is not None
    await digest(view, *hashes)


def big(body: Any) -> memoryview | None:
    """What is left to read of a body in memory, if it is long."""
    if isinstance(body, bytes | bytearray):
        return memoryview(body) if len(body) > BIG else None
    if type(body) is io.BytesIO and body.getbuffer().nbytes > BIG:
        # No copy either, but no `getbuffer` while a thread works, lest its owner cannot write.
        return memoryview(body.getvalue())[body.tell() :]
    return None

"""Handlers of a session that make botocore send any body: wrapped, checked, signed, retried."""

from __future__ import annotations

import functools
import hashlib
import io
from collections.abc import Awaitable
from typing import Any

from botocore import httpchecksum
from botocore.auth import AUTH_TYPE_MAPS, UNSIGNED_PAYLOAD, S3SigV4Auth, SigV4Auth
from botocore.exceptions import ParamValidationError

from asession._aws.bodies import Upload, digest, upload_of

# Bodies in memory that are longer than this are hashed in a worker thread.
BIG = 1024 * 1024

# In the context of a call: its body, and the body's SHA-256 with the object it is of.
_UPLOAD = "asession_upload"
_PAYLOAD = "asession_payload"


def register(events: Any) -> None:
    """Put the handlers on a session's emitter."""
    events.register_last("before-parameter-build", wrap)
    events.register("before-call", check)
    events.register("before-sign", hash_payload)
    # A star comes before the name of a service: the first word on a retry is ours.
    events.register("needs-retry.*", settle)


def wrap(params: Any, model: Any, context: Any, **_: Any) -> Awaitable[None] | None:
    """Handler of ``before-parameter-build``: replace a body that botocore cannot read."""
    if not model.has_streaming_input:
        return None
    name = model.input_shape.serialization["payload"]
    body = params.get(name)
    if body is None:
        return None
    if isinstance(body, bytes | bytearray | str):
        _compare(params, name, None if isinstance(body, str) else len(body))
        return None
    if type(body) is io.BytesIO and body.tell() == 0:
        _compare(params, name, body.getbuffer().nbytes)
        return None
    return _wrap(params, name, body, model, context)


async def _wrap(params: Any, name: str, body: Any, model: Any, context: Any) -> None:
    if not hasattr(body, "read"):
        try:
            params[name] = io.BytesIO(memoryview(body))
            return
        except TypeError:
            pass  # not a buffer
    try:
        upload = await upload_of(body)
    except TypeError as error:
        raise ParamValidationError(report=f"{name}: {error}") from None
    if upload is None:
        return  # botocore says what it wants instead
    if model.service_model.service_name == "glacier":
        # botocore reads the body itself there, for a tree hash.
        if isinstance(body, io.IOBase):
            return
        raise ParamValidationError(report=f"{name}: Glacier's tree hash needs bytes or a sync file")
    _compare(params, name, upload.length)
    if upload.length is None:
        upload.length = params.get("ContentLength")
    params[name] = context[_UPLOAD] = upload


def _compare(params: Any, name: str, length: int | None) -> None:
    given = params.get("ContentLength")
    if given is not None and length is not None and given != length:
        raise ParamValidationError(
            report=f"ContentLength is {given}, but {name} has {length} bytes"
        )


def check(params: Any, context: Any, **_: Any) -> Awaitable[None] | None:
    """Handler of ``before-call``: compute the checksum that goes into a header, off the loop."""
    algorithm = context.get("checksum", {}).get("request_algorithm")
    if not isinstance(algorithm, dict) or algorithm["in"] != "header":
        return None
    if algorithm["name"] in params["headers"]:
        return None
    body = params["body"]
    if not isinstance(body, Upload) and _big(body) is None:
        return None
    return _check(params["headers"], context, algorithm, body)


async def _check(headers: Any, context: Any, algorithm: Any, body: Any) -> None:
    if isinstance(body, Upload) and not body.rewindable:
        s3 = getattr(context.get("client_config"), "s3", None) or {}
        if s3.get("payload_signing_enabled") is not False:
            raise _once_only()
        # The user does without a signed payload: then the checksum can follow the body.
        algorithm["in"] = "trailer"
        return
    checksum = httpchecksum._CHECKSUM_CLS[algorithm["algorithm"]]()
    sha256 = hashlib.sha256()  # of the same bytes, which are signed next
    await _digest(body, checksum, sha256)
    headers[algorithm["name"]] = checksum.b64digest()
    context[_PAYLOAD] = (body, sha256.hexdigest())


def hash_payload(
    request: Any, signature_version: Any, request_signer: Any, **_: Any
) -> Awaitable[None] | None:
    """Handler of ``before-sign``: compute the payload's hash, off the loop."""
    body = request.data
    if not isinstance(body, Upload) and _big(body) is None:
        return None
    signer = AUTH_TYPE_MAPS.get(signature_version)
    if signer is None or not _reads_payload(signer, request):
        return None
    _tell_hashes(request_signer)
    if _known(request) is not None:
        return None
    return _hash_payload(request, body, signer)


async def _hash_payload(request: Any, body: Any, signer: Any) -> None:
    if isinstance(body, Upload) and not body.rewindable:
        # S3 takes an unsigned payload, and TLS keeps it whole; other services take none.
        if not (issubclass(signer, S3SigV4Auth) and request.url.startswith("https")):
            raise _once_only()
        request.context[_PAYLOAD] = (body, UNSIGNED_PAYLOAD)
        return
    sha256 = hashlib.sha256()
    await _digest(body, sha256)
    request.context[_PAYLOAD] = (body, sha256.hexdigest())


def settle(request_dict: Any, **_: Any) -> Awaitable[bool | None] | None:
    """Handler of ``needs-retry``: no second try of a body that can be read only once."""
    upload = request_dict["context"].get(_UPLOAD)
    return None if upload is None else _settle(upload)


async def _settle(upload: Upload) -> bool | None:
    await upload.release()
    return None if upload.can_restart else False


def _reads_payload(signer: Any, request: Any) -> bool:
    """Whether a signer would read the body to sign it."""
    if not issubclass(signer, SigV4Auth) or request.context.get("is_presign_request"):
        return False
    auth = signer.__new__(signer)  # asked for its rules alone, which need no credentials
    if auth._is_streaming_checksum_payload(request):
        return False
    if issubclass(signer, S3SigV4Auth):
        return bool(auth._should_sha256_sign_payload(request))
    # Here such an operation says so in a header, over http too.
    enabled: bool = request.context.get("payload_signing_enabled", True)
    return enabled


def _tell_hashes(request_signer: Any) -> None:
    """Have a client's signer use the hashes known, instead of reading the body itself."""
    if "get_auth_instance" in vars(request_signer):
        return
    original = request_signer.get_auth_instance

    async def get_auth_instance(*args: Any, **kwargs: Any) -> Any:
        auth = await original(*args, **kwargs)
        if isinstance(auth, SigV4Auth) and "payload" not in vars(auth):
            auth.payload = functools.partial(_payload, auth, auth.payload)
        return auth

    request_signer.get_auth_instance = get_auth_instance


def _payload(auth: Any, original: Any, request: Any) -> Any:
    known = _known(request)
    if known is None or not _reads_payload(type(auth), request):
        return original(request)
    return known


def _known(request: Any) -> str | None:
    body, known = request.context.get(_PAYLOAD, (None, None))
    # A handler may have put another body in its place.
    return known if body is request.data else None


async def _digest(body: Any, *hashes: Any) -> None:
    if isinstance(body, Upload):
        await body.digest(*hashes)
        return
    view = _big(body)
    assert view is not None
    await digest(view, *hashes)


def _big(body: Any) -> memoryview | None:
    """What is left to read of a body in memory, if it is long."""
    if isinstance(body, bytes | bytearray):
        return memoryview(body) if len(body) > BIG else None
    if type(body) is io.BytesIO and body.getbuffer().nbytes > BIG:
        # No copy either, but no `getbuffer` while a thread works, lest its owner cannot write.
        return memoryview(body.getvalue())[body.tell() :]
    return None


def _once_only() -> ParamValidationError:
    return ParamValidationError(
        report="The body can be read only once, but has to be read before it is sent, for its "
        "checksum and signature. Give bytes, a file, or an iterable that can be iterated again; "
        "for S3, use an https endpoint, or "
        "Config(s3={'payload_signing_enabled': False})."
    )

"""Handlers of a session that make botocore send any body: wrapped, checked, signed, retried."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Awaitable
from typing import Any

from botocore import httpchecksum
from botocore.exceptions import ParamValidationError

from asession._aws.bodies import Upload, upload_of
from asession._aws.downloads import put_ours
from asession._aws.payloads import PAYLOAD, big, digest_body, prepare
from asession._aws.refusals import no_length, once_only

# In the context of a call: its body.
_UPLOAD = "asession_upload"


def register(events: Any) -> None:
    """Put the handlers on a session's emitter."""
    events.register_last("before-parameter-build", wrap)
    events.register("before-call", check)
    events.register("before-sign", prepare)
    events.register("before-parse", put_ours)
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
    if isinstance(body, Upload):
        context[_UPLOAD] = body
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


def check(model: Any, params: Any, context: Any, **_: Any) -> Awaitable[None] | None:
    """Handler of ``before-call``: read a body first where its head must tell something of it.

    That is a checksum where none can follow the body, and for S3 the length: it refuses a body
    without, also one in chunks.
    """
    algorithm = context.get("checksum", {}).get("request_algorithm")
    if not isinstance(algorithm, dict) or algorithm["name"] in params["headers"]:
        algorithm = None
    body = params["body"]
    unmeasured = (
        isinstance(body, Upload)
        and body.length is None
        and model.service_model.service_name == "s3"
    )
    if not unmeasured and (algorithm is None or algorithm["in"] != "header"):
        return None
    if not isinstance(body, Upload) and big(body) is None:
        return None
    return _check(params["headers"], context, algorithm, body)


async def _check(headers: Any, context: Any, algorithm: Any, body: Any) -> None:
    if isinstance(body, Upload) and not body.rewindable:
        if algorithm is not None and algorithm["in"] == "header":
            s3 = getattr(context.get("client_config"), "s3", None) or {}
            if s3.get("payload_signing_enabled") is not False:
                raise once_only()
            # The user does without a signed payload: then the checksum can follow the body.
            algorithm["in"] = "trailer"
        if body.length is None:
            raise no_length("Body")
        return
    sha256 = hashlib.sha256()  # of the same bytes, which are signed next
    if algorithm is None:
        await digest_body(body, sha256)
    else:
        checksum = httpchecksum._CHECKSUM_CLS[algorithm["algorithm"]]()
        await digest_body(body, checksum, sha256)
        headers[algorithm["name"]] = checksum.b64digest()
        algorithm["in"] = "header"
    context[PAYLOAD] = (body, sha256.hexdigest())


def settle(request_dict: Any, **_: Any) -> Awaitable[bool | None] | None:
    """Handler of ``needs-retry``: no second try of a body that can be read only once."""
    upload = request_dict["context"].get(_UPLOAD)
    return None if upload is None else _settle(upload)


def is_spent(context: Any) -> bool:
    """Whether the body of a call cannot be sent again, so that no other try is possible."""
    upload = context.get(_UPLOAD)
    return upload is not None and not upload.can_restart


async def _settle(upload: Upload) -> bool | None:
    await upload.release()
    return None if upload.can_restart else False

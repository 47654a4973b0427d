"""What bodies that cannot be sent are refused with: what is wrong, and what to do."""

from __future__ import annotations

from botocore.exceptions import ParamValidationError


def once_only() -> ParamValidationError:
    """The body would have to be read twice and cannot."""
    return ParamValidationError(
        report="The body can be read only once, but has to be read before it is sent, for its "
        "checksum and signature. Give bytes, a file, or an iterable that can be iterated again; "
        "for S3, use an https endpoint, or "
        "Config(s3={'payload_signing_enabled': False})."
    )


def no_length(name: str) -> ParamValidationError:
    """The body's length is not known, and cannot be found out by reading it."""
    return ParamValidationError(
        report=f"The length of {name} is not known, and S3 takes no body without: it can be read "
        "only once, so that reading it would not tell. Give ContentLength=, bytes, a file, or an "
        "iterable that can be iterated again; to store a stream of unknown length, upload it in "
        "parts."
    )

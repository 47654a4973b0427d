"""Logging to a stream, with secrets masked."""

from __future__ import annotations

import logging
import re

# The names under which credentials travel: in config files, headers, JSON and XML bodies, queries
# and the parameters that botocore logs.
_NAMES = (
    "aws_secret_access_key|aws_session_token|secret_?access_?key|session_?token|secret_?key|"
    "x-amz-security-token|x-aws-ec2-metadata-token|authorization|proxy-authorization|"
    "x-amz-signature|x-amz-s3session-token|x-amz-sso_bearer_token|access_?token|refresh_?token|"
    "client_?secret|web_?identity_?token|saml_?assertion|token_?code|password|token|"
    "x-amz-server-side-encryption-customer-key|sse_?customer_?key"
)
_MASK = "***"
# name=value, "name": "value", 'name': b'value', name: value
_PAIR = re.compile(
    rf"""((?<![\w-])(?:{_NAMES})\b["']?\s*[:=]\s*)(?:b?"[^"]*"|b?'[^']*'|[^\s,&;<>}})\]]+(?:\s+Credential=[^\n]*)?)""",
    re.IGNORECASE,
)
_XML = re.compile(rf"(<(?:{_NAMES})>)[^<]*(</)", re.IGNORECASE)
_HEADER_LINE = re.compile(rf"^((?:{_NAMES}):)[^\n]*$", re.IGNORECASE | re.MULTILINE)
_SIGNATURE = re.compile(r"\b(Signature[=:]\s*)[0-9a-f]{64}", re.IGNORECASE)


def redact(text: str) -> str:
    """The text with the values of credentials masked, by the names they stand under."""
    text = _HEADER_LINE.sub(rf"\1{_MASK}", text)
    text = _XML.sub(rf"\1{_MASK}\2", text)
    text = _PAIR.sub(rf"\1{_MASK}", text)
    return _SIGNATURE.sub(rf"\1{_MASK}", text)


class RedactingFormatter(logging.Formatter):
    """Formats records as `logging.Formatter` does, tracebacks included, then masks secrets."""

    def format(self, record: logging.LogRecord) -> str:
        """The formatted record without secrets."""
        return redact(super().format(record))


def log(
    logger: logging.Logger,
    level: int,
    event: str,
    message: str,
    *,
    exc_info: bool = False,
    **fields: object,
) -> None:
    """Write a record with fields: they are in its text, and by name in the record itself.

    All records of this package are written here, so that they are alike.

    Args:
        logger: The logger.
        level: A level of `logging`.
        event: What happened, under a name that stays: the field ``event`` of the record.
        message: The text, with the fields in it as in ``%(host)s``; it stays, too.
        exc_info: Whether to add the traceback of the exception that is being handled.
        fields: At least one; none of them secret.
    """
    told = {"event": event, **fields}
    try:
        logger.log(level, message, fields, extra=told, stacklevel=2, exc_info=exc_info)
    except KeyError:
        # An application's record factory has set a field of this name: what it says goes first.
        logger.log(level, message, fields, stacklevel=2, exc_info=exc_info)


def set_stream_logger(
    name: str = "asession", level: int = logging.DEBUG, format_string: str | None = None
) -> None:
    """Log to standard error, with secrets masked.

    Args:
        name: The logger: ``"asession"``, ``"botocore"``, or ``""`` for everything.
        level: The lowest level to log.
        format_string: A format of `logging`; the default has time, name and level.

    Payloads that AWS sends and receives are logged by ``"botocore"`` as they are; the values of
    credentials in them are masked, your data is not.
    """
    logger = logging.getLogger(name)
    logger.setLevel(level)
    handler = logging.StreamHandler()
    handler.setLevel(level)
    handler.setFormatter(
        RedactingFormatter(format_string or "%(asctime)s %(name)s [%(levelname)s] %(message)s")
    )
    logger.addHandler(handler)


# A library stays silent until its user asks otherwise.
logging.getLogger("asession").addHandler(logging.NullHandler())

"""Every error that asession raises, each carrying its facts as attributes.

Where botocore has an equivalent, ours also is one, so that ``except`` clauses written for
botocore and boto3 keep working. Errors of AWS services stay botocore's `ClientError`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import botocore.exceptions as _botocore
from botocore.exceptions import ClientError

from asession._errors import AsessionError

if TYPE_CHECKING:
    from boto3.exceptions import (
        ResourceNotExistsError,
        RetriesExceededError,
        S3UploadFailedError,
        UnknownAPIVersionError,
    )

__all__ = [
    "AsessionError",
    "BatchGetError",
    "BatchWriteError",
    "ChecksumMismatchError",
    "ClientClosedError",
    "ClientError",
    "ConfigParseError",
    "CredentialRetrievalError",
    "InvalidSettingError",
    "MFARequiredError",
    "NoCredentialsError",
    "ObjectChangedError",
    "PartialCredentialsError",
    "ProfileNotFoundError",
    "ResourceNotExistsError",
    "ResourceNotLoadedError",
    "RetriesExceededError",
    "S3UploadFailedError",
    "SessionNotEnteredError",
    "SessionNotResolvedError",
    "TransferFailedError",
    "UnknownAPIVersionError",
    "WrongEventLoopError",
]


class SessionNotResolvedError(AsessionError):
    """A property was read that is known only once the session has read its files.

    Attributes:
        attribute: The name of the property.
    """

    attribute: str

    def _message(self) -> str:
        return (
            f"Session.{self.attribute} is known once the session has read its profile files: enter "
            "the session (`async with session:`) or call `await session.resolve()` first"
        )


class SessionNotEnteredError(AsessionError):
    """`await session.client(...)` was used on a session that nobody has entered on this loop.

    Attributes:
        service_name: The service that was asked for.
        kind: ``"client"`` or ``"resource"``.
    """

    service_name: str
    kind: str

    def _message(self) -> str:
        call = f"session.{self.kind}({self.service_name!r})"
        return (
            f"`await {call}` makes a {self.kind} that the session closes, so the session must be "
            "entered on this event loop first (`async with session:`); or open it for a block "
            f"with `async with {call} as ...`"
        )


class WrongEventLoopError(AsessionError):
    """A live object was used on an event loop, or in a process, that is not its own.

    Attributes:
        what: What was used, for example ``"s3 client"``.
        reason: Where it is used and where it belongs.
    """

    what: str
    reason: str

    def _message(self) -> str:
        return (
            f"this {self.what} {self.reason}; clients, connections and locks belong to one event "
            "loop. A Session may be shared: open a client from it on this loop"
        )


class ClientClosedError(AsessionError):
    """A client was used after it was closed.

    Attributes:
        what: What was used, for example ``"s3 client"``.
    """

    what: str

    def _message(self) -> str:
        return (
            f"this {self.what} is closed: use it inside its `async with` block, or while the "
            "session that made it is entered"
        )


class ResourceNotLoadedError(AsessionError, AttributeError):
    """An attribute of a resource was read before the resource was loaded.

    Attributes:
        resource: The `repr` of the resource.
        attribute: The name of the attribute or reference.
    """

    resource: str
    attribute: str

    def _message(self) -> str:
        return (
            f"{self.resource}.{self.attribute} is known once the resource is loaded: call "
            f"`await resource.load()` first"
        )


class ProfileNotFoundError(AsessionError, _botocore.ProfileNotFound):
    """A profile was asked for that no file defines.

    Attributes:
        profile: The name that was asked for.
        origin: Where the name came from, for example ``"profile_name="`` or ``"AWS_PROFILE"``.
        searched: The places searched, one sentence each.
        available: The names of the profiles that exist.
        hint: What else may be wrong, or an empty string.
    """

    profile: str
    origin: str
    searched: Sequence[str]
    available: Sequence[str]
    hint: str

    def _message(self) -> str:
        close = difflib.get_close_matches(self.profile, self.available, n=3, cutoff=0.6)
        parts = [f"the profile {self.profile!r} (from {self.origin}) does not exist"]
        if close:
            parts.append("did you mean " + " or ".join(repr(name) for name in close) + "?")
        if self.hint:
            parts.append(self.hint)
        parts.append(
            "available: " + (", ".join(self.available) if self.available else "no profiles at all")
        )
        parts.append("searched: " + "; ".join(self.searched))
        return ". ".join(part[0].upper() + part[1:] for part in parts).replace("?. ", "? ")


class ConfigParseError(AsessionError, _botocore.ConfigParseError):
    """A config or credentials file cannot be parsed.

    The message never quotes the file, which may hold secrets.

    Attributes:
        path: The file.
        line: The line number, from 1, or `None` if unknown.
        error: What is wrong there.
    """

    path: str
    line: int | None
    error: str

    def _message(self) -> str:
        where = self.path if self.line is None else f"{self.path}, line {self.line}"
        return f"cannot parse {where}: {self.error}"


class InvalidSettingError(AsessionError, ValueError):
    """A setting has a value that cannot be used.

    Attributes:
        name: The setting, for example ``"max_attempts"``.
        value: The value as found.
        origin: Where the value came from.
        expected: What would be right.
    """

    name: str
    value: object
    origin: str
    expected: str

    def _message(self) -> str:
        return (
            f"the setting {self.name!r} has the value {self.value!r} (from {self.origin}), "
            f"but {self.expected} is expected"
        )


class PartialCredentialsError(AsessionError, _botocore.PartialCredentialsError):
    """One half of a pair of keys was given.

    Attributes:
        provider: Who was given the half, ``"explicit"`` for arguments.
        cred_var: The name of the missing half.
    """

    provider: str
    cred_var: str

    def _message(self) -> str:
        return (
            f"partial credentials found in {self.provider}: {self.cred_var} is missing; give both"
        )


class CredentialRetrievalError(AsessionError, _botocore.CredentialRetrievalError):
    """A source of credentials is configured and failed.

    Attributes:
        provider: The source, for example ``"assume-role"``.
        error_msg: What went wrong there.
    """

    provider: str
    error_msg: str

    def _message(self) -> str:
        return f"the source of credentials {self.provider} failed: {self.error_msg}"


class NoCredentialsError(AsessionError, _botocore.NoCredentialsError):
    """No source has credentials.

    Attributes:
        reason: Why credentials were needed or could not be found.
        tried: The sources that were asked, in order, each with the reason why it has none.
        next_step: What to do about it; may be missing.
    """

    reason: str
    tried: Iterable[str]
    next_step: str = ""

    def _message(self) -> str:
        tried = "".join(f"\n- {source}" for source in self.tried)
        return (
            f"no credentials: {self.reason}"
            + (f". Next: {self.next_step}" if self.next_step else "")
            + (f". Tried:{tried}" if tried else "")
        )


class MFARequiredError(AsessionError):
    """A role needs a code of an MFA device, and nobody can be asked.

    Attributes:
        serial: The serial number or ARN of the device.
    """

    serial: str

    def _message(self) -> str:
        return (
            f"the role needs a code of the MFA device {self.serial}, and there is no terminal to "
            "ask: give Session(mfa=...), an async function that takes the serial and returns a code"
        )


class BatchWriteError(AsessionError, ClientError):
    """Writes of a DynamoDB batch writer that the table did not take.

    `__cause__` is what the service, or the network, said last.

    Attributes:
        table_name: The table.
        unwritten: The writes, as BatchWriteItem has them: your data, which the message leaves out.
        reason: Why they were given up.
        response: The service's last error, as in every `ClientError`; with the code
            ``"UnprocessedItems"`` if it left the writes undone and gave no error.
        operation_name: ``"BatchWriteItem"``.
    """

    table_name: str
    unwritten: Sequence[Mapping[str, Any]]
    reason: str
    response: Any
    operation_name: str

    def _message(self) -> str:
        return (
            f"{len(self.unwritten)} writes to the DynamoDB table {self.table_name!r} were not "
            f"done: {self.reason}; this exception's `unwritten` has them, to be put again or kept"
        )


class BatchGetError(AsessionError, ClientError):
    """Keys that DynamoDB left unread however often they were asked for.

    `__cause__` is what the service said last.

    Attributes:
        keys: Table name -> the keys: your data, which the message leaves out.
        reason: Why they were given up.
        response: As that of `BatchWriteError`, with the code ``"UnprocessedKeys"``.
        operation_name: ``"BatchGetItem"``.
    """

    keys: Mapping[str, Sequence[Mapping[str, Any]]]
    reason: str
    response: Any
    operation_name: str

    def _message(self) -> str:
        count = sum(len(keys) for keys in self.keys.values())
        tables = ", ".join(repr(table) for table in self.keys)
        return (
            f"{count} keys of the DynamoDB tables {tables} were not read: {self.reason}; this "
            "exception's `keys` has them, to be asked for later"
        )


class TransferFailedError(AsessionError):
    """A transfer to or from S3 cannot go on.

    Attributes:
        location: What is transferred, as ``s3://bucket/key``.
        reason: What is wrong.
    """

    location: str
    reason: str

    def _message(self) -> str:
        return f"{self.location}: {self.reason}"


class ObjectChangedError(TransferFailedError):
    """An object was replaced or removed while it was being downloaded or copied in parts."""


class ChecksumMismatchError(TransferFailedError, _botocore.FlexibleChecksumError):
    """What arrived of an object is not what its checksum is of."""


def __getattr__(name: str) -> Any:
    if name in __all__:  # boto3's own: importing them loads all of boto3, so only on demand
        import boto3.exceptions

        return getattr(boto3.exceptions, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

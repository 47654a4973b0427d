"""Which `ExtraArgs` a transfer takes, and to which of its requests each of them goes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

ExtraArgs = Mapping[str, Any]
Arguments = dict[str, Any]
CopySource = Mapping[str, str] | str
"""``{"Bucket": ..., "Key": ..., "VersionId": ...}`` without the last for the newest version, or
``"bucket/key?versionId=..."``, or the ARN of an access point and ``/object/key``."""

ALGORITHMS = (
    *("CRC32", "CRC32C", "CRC64NVME"),
    *("MD5", "SHA1", "SHA256", "SHA512"),
    *("XXHASH3", "XXHASH64", "XXHASH128"),
)
# The checksum of the whole object, given by the caller.
_WHOLE = tuple(f"Checksum{algorithm}" for algorithm in ALGORITHMS)
_CUSTOMER_KEY = ("SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5")
_ANY_REQUEST = ("RequestPayer", "ExpectedBucketOwner")
_CONDITIONS = (
    *("CopySourceIfMatch", "CopySourceIfModifiedSince"),
    *("CopySourceIfNoneMatch", "CopySourceIfUnmodifiedSince"),
)
_SOURCE_KEY = tuple(f"CopySource{name}" for name in _CUSTOMER_KEY)
_DIRECTIVES = ("MetadataDirective", "TaggingDirective", "AnnotationDirective")
# What describes an object, and a copy in parts has to take over by itself.
DESCRIPTION = (
    *("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage"),
    *("ContentType", "Expires", "Metadata"),
)
_NEW_OBJECT = (
    *DESCRIPTION,
    *("ACL", "ChecksumAlgorithm"),
    *("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWriteACP"),
    *("ObjectLockLegalHoldStatus", "ObjectLockMode", "ObjectLockRetainUntilDate"),
    *("ServerSideEncryption", "SSEKMSKeyId", "SSEKMSEncryptionContext"),
    *("StorageClass", "Tagging", "WebsiteRedirectLocation"),
    *_CUSTOMER_KEY,
    *_ANY_REQUEST,
)

ALLOWED_DOWNLOAD_ARGS = ("ChecksumMode", "VersionId", *_CUSTOMER_KEY, *_ANY_REQUEST)
ALLOWED_UPLOAD_ARGS = (*_NEW_OBJECT, "ChecksumType", "MpuObjectSize", *_WHOLE)
ALLOWED_COPY_ARGS = (*_NEW_OBJECT, *_CONDITIONS, *_SOURCE_KEY, *_DIRECTIVES)

# What a head request of a copy's source calls the same things.
_HEAD = {name: name.removeprefix("CopySource") for name in (*_CONDITIONS, *_SOURCE_KEY)} | {
    name: name for name in _ANY_REQUEST
}
_OBJECT_LAMBDA = re.compile(r"arn:aws[^:]*:s3-object-lambda:")


def check(given: ExtraArgs | None, allowed: Collection[str], *buckets: str) -> Arguments:
    """A copy of what the caller gave, if all of it is known.

    Args:
        given: `ExtraArgs`.
        allowed: The names that are.
        buckets: The buckets of the transfer.

    Raises:
        ValueError: A name is not known here, or a bucket cannot be used for transfers.
    """
    for bucket in buckets:
        if _OBJECT_LAMBDA.match(bucket):
            raise ValueError(
                "transfers do not work with S3 Object Lambda access points: call the client's own "
                "operations, such as get_object"
            )
    for name in given or ():
        if name not in allowed:
            raise ValueError(
                f"Invalid extra_args key {name!r}, must be one of: {', '.join(allowed)}"
            )
    return dict(given or {})


def only(given: ExtraArgs, *names: str) -> Arguments:
    """Those of the arguments that have these names."""
    return {name: given[name] for name in names if name in given}


def without(given: ExtraArgs, *names: str) -> Arguments:
    """The arguments that have none of these names."""
    return {name: value for name, value in given.items() if name not in names}


def for_head(given: ExtraArgs) -> Arguments:
    """Those that a request for the head of the same object takes, too."""
    return only(given, *_CUSTOMER_KEY, *_ANY_REQUEST)


def for_upload(given: Arguments, calculation: str | None) -> Arguments:
    """The arguments of an upload with its checksum chosen.

    Without a word from the caller it is a CRC32, unless the client's configuration asks for
    checksums only where S3 requires them. A checksum of the whole object says how the parts'
    checksums are made, too.

    Args:
        given: The caller's arguments.
        calculation: The client's `request_checksum_calculation`.
    """
    chosen = dict(given)
    whole = next((name for name in _WHOLE if name in given), None)
    if whole is not None:
        chosen["ChecksumType"] = "FULL_OBJECT"
        chosen["ChecksumAlgorithm"] = whole.removeprefix("Checksum")
    elif calculation == "when_supported":
        chosen.setdefault("ChecksumAlgorithm", "CRC32")
    return chosen


def for_put(given: Arguments) -> Arguments:
    """Of `for_upload`: what PutObject gets."""
    left = without(given, "ChecksumType", "MpuObjectSize")
    if any(name in given for name in _WHOLE):
        left.pop("ChecksumAlgorithm", None)  # the checksum says it
    return left


def for_create(given: Arguments) -> Arguments:
    """Of `for_upload`: what CreateMultipartUpload gets."""
    return without(given, "MpuObjectSize", *_WHOLE)


def for_part(given: Arguments) -> Arguments:
    """Of `for_upload`: what each UploadPart gets."""
    return only(given, "ChecksumAlgorithm", *_CUSTOMER_KEY, *_ANY_REQUEST)


def for_complete(given: Arguments) -> Arguments:
    """Of `for_upload`: what CompleteMultipartUpload gets."""
    return only(given, "ChecksumType", "MpuObjectSize", *_WHOLE, *_CUSTOMER_KEY, *_ANY_REQUEST)


def for_abort(given: Arguments) -> Arguments:
    """What AbortMultipartUpload gets."""
    return only(given, *_ANY_REQUEST)


def for_head_of_source(given: Arguments) -> Arguments:
    """Of a copy's arguments: what the HeadObject of its source gets."""
    return {_HEAD[name]: value for name, value in given.items() if name in _HEAD}


def for_create_of_copy(given: Arguments, source: ExtraArgs) -> Arguments:
    """Of a copy's arguments: what CreateMultipartUpload gets.

    Args:
        given: The caller's arguments.
        source: What HeadObject says of the source, whose description the copy takes over unless
            the caller replaces it.
    """
    left = without(given, *_CONDITIONS, *_SOURCE_KEY, *_DIRECTIVES, "Tagging")
    if given.get("MetadataDirective") != "REPLACE":
        left = without(left, *DESCRIPTION) | only(source, *DESCRIPTION)
    return left


def for_part_of_copy(given: Arguments) -> Arguments:
    """Of a copy's arguments: what each UploadPartCopy gets."""
    return only(given, *_CONDITIONS, *_SOURCE_KEY, *_CUSTOMER_KEY, *_ANY_REQUEST)


def for_complete_of_copy(given: Arguments) -> Arguments:
    """Of a copy's arguments: what CompleteMultipartUpload gets."""
    return only(given, *_CUSTOMER_KEY, *_ANY_REQUEST)

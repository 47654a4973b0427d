"""`ExtraArgs` and `TransferConfig`: what is allowed, what goes where, as boto3 has it."""

import boto3.s3.transfer
import pytest
from s3transfer.copies import CopySubmissionTask
from s3transfer.manager import TransferManager
from s3transfer.upload import UploadSubmissionTask

import asession
from asession.s3 import (
    ALLOWED_COPY_ARGS,
    ALLOWED_DOWNLOAD_ARGS,
    ALLOWED_UPLOAD_ARGS,
    TransferConfig,
    arguments,
)
from asession.s3.config import config_of


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (ALLOWED_UPLOAD_ARGS, TransferManager.ALLOWED_UPLOAD_ARGS),
        (ALLOWED_DOWNLOAD_ARGS, TransferManager.ALLOWED_DOWNLOAD_ARGS),
        (ALLOWED_COPY_ARGS, TransferManager.ALLOWED_COPY_ARGS),
    ],
    ids=["upload", "download", "copy"],
)
def test_the_arguments_allowed_are_those_of_boto3(ours, theirs):
    assert sorted(ours) == sorted(theirs)


def every(names):
    return {name: f"<{name}>" for name in names}


def test_each_argument_of_an_upload_goes_where_boto3_sends_it():
    task = UploadSubmissionTask(transfer_coordinator=None)
    given = every(name for name in ALLOWED_UPLOAD_ARGS if name != "ChecksumMD5")
    assert arguments.for_create(given) == task._extra_create_multipart_args(given)
    assert arguments.for_part(given) == task._extra_upload_part_args(given)
    assert arguments.for_complete(given) == task._extra_complete_multipart_args(given)
    plain = every(name for name in ALLOWED_UPLOAD_ARGS if not name.startswith("Checksum"))
    assert arguments.for_put(plain) == task._extra_put_object_args(plain)


def test_each_argument_of_a_copy_goes_where_boto3_sends_it():
    task = CopySubmissionTask(transfer_coordinator=None)
    given = every(ALLOWED_COPY_ARGS)
    assert arguments.for_part_of_copy(given) == task._extra_upload_part_args(given)
    assert arguments.for_complete_of_copy(given) == task._extra_complete_multipart_args(given)
    mapping = task.EXTRA_ARGS_TO_HEAD_ARGS_MAPPING
    assert arguments.for_head_of_source(given) == {mapping[n]: f"<{n}>" for n in mapping}
    source = {"ContentType": "text/x", "Metadata": {"a": "b"}, "ETag": "tag"}
    for directive in ("COPY", "REPLACE"):
        merged = task._apply_preserved_metadata(
            given | {"MetadataDirective": directive}, task._extract_preserved_metadata(source)
        )
        expected = {
            k: v for k, v in merged.items() if k not in task.CREATE_MULTIPART_ARGS_BLACKLIST
        }
        created = arguments.for_create_of_copy(given | {"MetadataDirective": directive}, source)
        assert created == expected


def test_the_key_of_the_customer_goes_to_every_request_that_needs_it():
    given = every(["SSECustomerKey", "SSECustomerAlgorithm", "RequestPayer", "ExpectedBucketOwner"])
    for one in (
        arguments.for_put,
        arguments.for_create,
        arguments.for_part,
        arguments.for_complete,
    ):
        assert one(given) == given
    assert arguments.for_abort(given) == every(["RequestPayer", "ExpectedBucketOwner"])


def test_an_unknown_argument_is_named_with_those_allowed():
    with pytest.raises(ValueError, match="'Nonsense', must be one of: ChecksumMode, VersionId"):
        arguments.check({"Nonsense": 1}, ALLOWED_DOWNLOAD_ARGS)


def test_an_object_lambda_bucket_is_refused():
    arn = "arn:aws:s3-object-lambda:us-west-2:123456789012:accesspoint:my-accesspoint"
    with pytest.raises(ValueError, match="Object Lambda"):
        arguments.check(None, (), arn)


def test_the_checksum_is_a_crc32_unless_somebody_chooses():
    assert arguments.for_upload({}, "when_supported") == {"ChecksumAlgorithm": "CRC32"}
    assert arguments.for_upload({}, "when_required") == {}
    given = {"ChecksumAlgorithm": "SHA256"}
    assert arguments.for_upload(given, "when_supported") == given
    assert arguments.for_upload({"ChecksumSHA1": "x"}, "when_supported") == {
        "ChecksumSHA1": "x",
        "ChecksumType": "FULL_OBJECT",
        "ChecksumAlgorithm": "SHA1",
    }


def test_the_configuration_has_the_defaults_of_boto3():
    theirs = boto3.s3.transfer.TransferConfig()
    ours = TransferConfig()
    for name in boto3.s3.transfer.TransferConfig.DEFAULTS:
        assert getattr(ours, name) == getattr(theirs, name), name
    assert asession.TransferConfig is TransferConfig


def test_the_configuration_of_boto3_is_accepted():
    given = boto3.s3.transfer.TransferConfig(5, 3, max_bandwidth=7, use_threads=False)
    ours = config_of(given)
    assert (ours.multipart_threshold, ours.max_concurrency, ours.max_bandwidth) == (5, 3, 7)
    assert ours.concurrency == 1
    assert config_of(None) == TransferConfig()


def test_the_arguments_of_the_configuration_have_the_order_of_boto3():
    assert TransferConfig(1, 2, 3, 4, 5, 6, False, 8, "classic") == TransferConfig(
        multipart_threshold=1,
        max_concurrency=2,
        multipart_chunksize=3,
        num_download_attempts=4,
        max_io_queue=5,
        io_chunksize=6,
        use_threads=False,
        max_bandwidth=8,
        preferred_transfer_client="classic",
    )


@pytest.mark.parametrize("name", ["multipart_threshold", "max_concurrency", "max_bandwidth"])
def test_a_number_that_is_not_positive_is_refused(name):
    with pytest.raises(ValueError, match=rf"{name}=0\): the value must be greater than 0"):
        TransferConfig(**{name: 0})


def test_another_configuration_is_refused():
    with pytest.raises(TypeError, match="belongs to the client"):
        config_of(asession.Config())

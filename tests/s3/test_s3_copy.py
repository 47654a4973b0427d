"""Copies: in one request and in parts, with what belongs to the object."""

import os

import pytest

from asession import TransferConfig
from asession.s3.copy import source_of
from asession.s3.methods import limits_of
from s3.stored import MIB, content, same, uploads

pytestmark = pytest.mark.anyio

PART = 5 * MIB
SMALL = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)


async def test_objects_of_every_size_are_copied(s3, bucket):
    for size in (0, 1, PART - 1, PART, PART + 1):
        data = os.urandom(size)
        args = {"ContentType": "text/x-test", "Metadata": {"who": "me"}}
        await s3.put_object(Bucket=bucket, Key="a/ü k", Body=data, **args)
        told = []
        source = {"Bucket": bucket, "Key": "a/ü k"}
        await s3.copy(source, bucket, "k", Callback=told.append, Config=SMALL)
        assert same(await content(s3, bucket), data), size
        assert sum(told) == size
        head = await s3.head_object(Bucket=bucket, Key="k")
        assert (head["ContentType"], head["Metadata"]) == ("text/x-test", {"who": "me"})
    assert await uploads(s3, bucket) == []
    assert limits_of(s3).used == 0


async def test_the_source_may_be_text_and_asked_by_another_client(s3, bucket):
    data = os.urandom(PART + 1)
    await s3.put_object(Bucket=bucket, Key="k", Body=data)
    asked = []

    class Source:
        async def head_object(self, **arguments):
            asked.append(arguments)
            return await s3.head_object(**arguments)

    await s3.copy(f"{bucket}/k", bucket, "copy", SourceClient=Source(), Config=SMALL)
    assert asked == [{"Bucket": bucket, "Key": "k"}]
    assert same(await content(s3, bucket, "copy"), data)


# ministack forgets the tags of a creation.
@pytest.mark.parametrize("s3_server", ["seaweedfs"], indirect=True)
async def test_tags_go_with_a_copy_in_parts_if_asked_for(s3, bucket):
    await s3.put_object(Bucket=bucket, Key="k", Body=bytes(PART), Tagging="a=1&b=%C3%BC+x")
    for args, expected in (
        ({}, {}),
        ({"TaggingDirective": "COPY"}, {"a": "1", "b": "ü x"}),
        ({"TaggingDirective": "REPLACE", "Tagging": "c=3"}, {"c": "3"}),
    ):
        await s3.copy({"Bucket": bucket, "Key": "k"}, bucket, "t", ExtraArgs=args, Config=SMALL)
        tags = (await s3.get_object_tagging(Bucket=bucket, Key="t"))["TagSet"]
        assert {tag["Key"]: tag["Value"] for tag in tags} == expected


@pytest.mark.parametrize("s3_server", ["seaweedfs"], indirect=True)
async def test_metadata_is_replaced_if_asked_for_and_a_warning_says_when_it_is_not(
    s3, bucket, caplog
):
    await s3.put_object(Bucket=bucket, Key="k", Body=bytes(PART), Metadata={"old": "1"})
    source = {"Bucket": bucket, "Key": "k"}
    args = {"Metadata": {"new": "2"}}
    await s3.copy(source, bucket, "c", ExtraArgs=args, Config=SMALL)
    assert (await s3.head_object(Bucket=bucket, Key="c"))["Metadata"] == {"old": "1"}
    assert "MetadataDirective='REPLACE'" in caplog.text
    args["MetadataDirective"] = "REPLACE"
    await s3.copy(source, bucket, "c", ExtraArgs=args, Config=SMALL)
    assert (await s3.head_object(Bucket=bucket, Key="c"))["Metadata"] == {"new": "2"}


@pytest.mark.parametrize("s3_server", ["seaweedfs"], indirect=True)
async def test_annotations_of_a_copy_in_parts_are_refused_before_it_begins(s3, bucket):
    await s3.put_object(Bucket=bucket, Key="k", Body=bytes(PART))
    with pytest.raises(ValueError, match="larger multipart_threshold"):
        await s3.copy(
            f"{bucket}/k", bucket, "c", ExtraArgs={"AnnotationDirective": "COPY"}, Config=SMALL
        )
    assert await uploads(s3, bucket) == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"Bucket": "b", "Key": "k", "VersionId": "v"}, ("b", "k", "v")),
        ("b/k", ("b", "k", None)),
        ("/b/a/k?versionId=v", ("b", "a/k", "v")),
        (
            "arn:aws:s3:us-west-2:123456789012:accesspoint/point/object/a/k",
            ("arn:aws:s3:us-west-2:123456789012:accesspoint/point", "a/k", None),
        ),
    ],
)
def test_every_form_of_a_source(given, expected):
    found = source_of(given)
    assert (found["Bucket"], found["Key"], found.get("VersionId")) == expected


@pytest.mark.parametrize("given", ["bucket", "/k", {"Bucket": "b"}, 7])
def test_an_incomplete_source_is_refused(given):
    with pytest.raises((ValueError, TypeError), match="CopySource"):
        source_of(given)

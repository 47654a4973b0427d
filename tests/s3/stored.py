"""What tests ask of a server: what an object holds, which uploads were left."""

import hashlib

MIB = 1024 * 1024


async def content(s3, bucket, key="k"):
    response = await s3.get_object(Bucket=bucket, Key=key)
    async with response["Body"] as body:
        return await body.read()


def same(one, other):
    """Whether two contents are equal, without a diff of megabytes when they are not."""
    return hashlib.md5(one).digest() == hashlib.md5(other).digest()


async def uploads(s3, bucket):
    return (await s3.list_multipart_uploads(Bucket=bucket)).get("Uploads", [])


def idle(s3):
    """Whether no connection is in use or lost."""
    counters = s3._endpoint.http_session._transport.counters()
    return counters.open == counters.idle and counters.waiting == 0

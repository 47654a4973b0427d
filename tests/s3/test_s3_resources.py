"""`Bucket` and `Object` hand their transfers to the client."""

import io
import os

import pytest

from s3.conftest import session_at
from s3.stored import same

pytestmark = pytest.mark.anyio


async def test_buckets_and_objects_transfer(s3_server, random_name, tmp_path):
    name = random_name()
    data = os.urandom(1000)
    path = tmp_path / "file"
    async with session_at(s3_server) as session, session.resource("s3") as s3:
        bucket = s3.Bucket(name)
        await bucket.create()
        path.write_bytes(data)
        told = []

        await bucket.upload_file(path, "a", Callback=told.append)
        await bucket.upload_fileobj(io.BytesIO(data), "b", ExtraArgs={"ContentType": "text/x"})
        await bucket.copy({"Bucket": name, "Key": "a"}, "c")
        await bucket.Object("d").upload_file(path)
        await bucket.Object("e").upload_fileobj(data)
        await bucket.Object("f").copy({"Bucket": name, "Key": "e"}, Callback=told.append)
        assert told == [1000, 1000]
        assert (await bucket.Object("b").load()).content_type == "text/x"

        for key in "abcdef":
            path.unlink(missing_ok=True)
            await bucket.download_file(key, path)
            assert same(path.read_bytes(), data), key
            await bucket.Object(key).download_file(path)
            assert same(path.read_bytes(), data), key
            for download in (
                lambda target, key=key: bucket.download_fileobj(key, target),
                lambda target, key=key: bucket.Object(key).download_fileobj(target),
            ):
                target = io.BytesIO()
                await download(target)
                assert same(target.getvalue(), data), key


async def test_resource_classes_are_still_shared_by_sessions(s3_server):
    async with session_at(s3_server) as one, session_at(s3_server) as two:
        async with one.resource("s3") as first, two.resource("s3") as second:
            assert type(first.Bucket("b")) is type(second.Bucket("b"))
            assert first.meta.client._shared is not second.meta.client._shared


async def test_the_clients_of_a_session_share_one_budget(s3_server):
    from asession.s3.methods import limits_of

    async with session_at(s3_server) as session:
        async with session.client("s3") as one, session.client("s3") as two:
            assert limits_of(one) is limits_of(two)

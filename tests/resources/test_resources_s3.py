"""S3's resources against a server: objects, listings, batches, waiters, loading."""

from __future__ import annotations

import gc
import warnings
from contextlib import aclosing, suppress
from typing import Any

import anyio
import pytest

from asession.exceptions import ClientError, ResourceNotLoadedError

pytestmark = pytest.mark.anyio


async def filled_bucket(s3: Any, name: str, keys: int) -> Any:
    bucket = await s3.create_bucket(Bucket=name)
    for number in range(keys):
        await bucket.put_object(Key=f"key-{number:02}", Body=b"x" * number)
    return bucket


async def test_object_makes_a_round_trip(open_resource: Any, name: str) -> None:
    async with open_resource("s3") as s3:
        bucket = await s3.create_bucket(Bucket=name)
        assert bucket == s3.Bucket(name)
        await bucket.wait_until_exists()
        obj = bucket.Object("greeting")
        await obj.put(Body=b"hello", ContentType="text/plain", Metadata={"tone": "warm"})
        await obj.wait_until_exists()
        response = await obj.get()
        async with response["Body"] as body:
            assert await body.read() == b"hello"
        assert await obj.load() is obj
        assert (obj.content_length, obj.content_type) == (5, "text/plain")
        assert obj.metadata == {"tone": "warm"}
        await obj.delete()
        await obj.wait_until_not_exists()
        await bucket.delete()
        await bucket.wait_until_not_exists()


async def test_collection_lists_every_item_over_several_pages(
    open_resource: Any, name: str
) -> None:
    async with open_resource("s3") as s3:
        bucket = await filled_bucket(s3, name, 7)
        keys = [f"key-{number:02}" for number in range(7)]
        listed = [item async for item in bucket.objects.all()]
        assert [item.key for item in listed] == keys
        assert [item.size for item in listed] == list(range(7))
        assert listed[0] == s3.ObjectSummary(name, "key-00")
        assert [item.key async for item in bucket.objects.page_size(3)] == keys
        assert [item.key async for item in bucket.objects.filter(Prefix="key-05")] == ["key-05"]
        assert [item.key async for item in bucket.objects.filter(Prefix="none")] == []
        pages = [len(page) async for page in bucket.objects.page_size(3).pages()]
        assert pages == [3, 3, 1]
        assert [len(page) async for page in bucket.objects.pages()] == [7]


@pytest.mark.parametrize(
    ("limit", "page_size", "sizes"),
    [(1, 3, [1]), (3, 3, [3]), (4, 3, [3, 1]), (6, 3, [3, 3]), (99, 3, [3, 3, 1]), (0, 3, [0])],
)
async def test_limit_counts_over_pages(
    open_resource: Any, name: str, limit: int, page_size: int, sizes: list[int]
) -> None:
    async with open_resource("s3") as s3:
        bucket = await filled_bucket(s3, name, 7)
        limited = bucket.objects.limit(limit).page_size(page_size)
        assert [len(page) async for page in limited.pages()] == sizes
        assert len([item async for item in limited]) == sum(sizes)


async def test_limit_counts_where_the_service_has_no_pages(open_resource: Any, name: str) -> None:
    async with open_resource("s3") as s3:
        bucket = await filled_bucket(s3, name, 0)
        await bucket.Versioning().enable()
        for _ in range(3):
            await bucket.put_object(Key="k", Body=b"x")
        assert len([version async for version in bucket.object_versions.limit(2)]) == 2
        other = await filled_bucket(s3, f"{name}-2", 0)
        names = [found.name async for found in s3.buckets.all()]
        assert {bucket.name, other.name} <= set(names)
        assert len([found async for found in s3.buckets.limit(1)]) == 1


async def test_filters_chain_without_changing_the_collection_they_start_from(
    open_resource: Any, name: str
) -> None:
    async with open_resource("s3") as s3:
        bucket = await filled_bucket(s3, name, 5)
        base = bucket.objects.filter(Prefix="key-")
        assert [item.key async for item in base.limit(2)] == ["key-00", "key-01"]
        later = base.filter(Marker="key-02")
        assert [item.key async for item in later] == ["key-03", "key-04"]
        assert len([item async for item in base]) == 5


async def test_batch_delete_calls_once_for_each_page(open_resource: Any, name: str) -> None:
    async with open_resource("s3") as s3:
        bucket = await filled_bucket(s3, name, 5)
        responses = await bucket.objects.page_size(2).delete()
        deleted = [[entry["Key"] for entry in response["Deleted"]] for response in responses]
        assert [sorted(keys) for keys in deleted] == [
            ["key-00", "key-01"],
            ["key-02", "key-03"],
            ["key-04"],
        ]
        assert await bucket.objects.delete() == []
        await bucket.delete()


async def test_leaving_a_listing_early_leaves_nothing_to_collect(
    open_resource: Any, name: str
) -> None:
    with warnings.catch_warnings():
        # On trio, a generator that the event loop has to close is a ResourceWarning.
        warnings.simplefilter("error")
        async with open_resource("s3") as s3:
            bucket = await filled_bucket(s3, name, 4)
            async for _item in bucket.objects.page_size(2):
                break
            async for _page in bucket.objects.page_size(2).pages():
                break
            with suppress(LookupError):
                async for _item in bucket.objects.page_size(2):
                    raise LookupError
            gc.collect()
            await anyio.lowlevel.checkpoint()


async def test_the_first_item_needs_no_loop_and_no_name(open_resource: Any, name: str) -> None:
    async with open_resource("s3") as s3:
        bucket = await filled_bucket(s3, name, 2)
        assert (await anext(aiter(bucket.objects.all()))).key == "key-00"
        assert len(await anext(bucket.objects.pages())) == 2
        assert await anext(aiter(bucket.objects.filter(Prefix="none")), None) is None


async def test_cancelling_a_listing_ends_it(open_resource: Any, name: str) -> None:
    async with open_resource("s3") as s3:
        bucket = await filled_bucket(s3, name, 4)
        items = aiter(bucket.objects.page_size(2))
        await anext(items)
        with anyio.CancelScope() as scope:
            scope.cancel()
            for _ in range(2):
                await anext(items)
        assert scope.cancelled_caught
        with pytest.raises(StopAsyncIteration):
            await anext(items)


async def test_a_closed_listing_is_exhausted(open_resource: Any, name: str) -> None:
    async with open_resource("s3") as s3:
        bucket = await filled_bucket(s3, name, 4)
        async with aclosing(bucket.objects.page_size(2).pages()) as pages:
            assert len(await anext(pages)) == 2
        with pytest.raises(StopAsyncIteration):
            await anext(pages)


async def test_iterating_without_async_says_what_to_do(open_resource: Any, name: str) -> None:
    async with open_resource("s3") as s3:
        bucket = s3.Bucket(name)
        with pytest.raises(TypeError, match="iterated with `async for`"):
            list(bucket.objects.all())
        with pytest.raises(TypeError, match=r"all\(\)"):
            async for _item in bucket.objects:
                pass


async def test_bucket_load_finds_the_creation_date(open_resource: Any, name: str) -> None:
    async with open_resource("s3") as s3:
        bucket = await s3.create_bucket(Bucket=name)
        with pytest.raises(ResourceNotLoadedError) as caught:
            _ = bucket.creation_date
        assert str(caught.value) == (
            f"s3.Bucket(name='{name}').creation_date is known once the resource is loaded: "
            "call `await resource.load()` first"
        )
        assert await bucket.load() is bucket
        assert bucket.creation_date is not None
        absent = await s3.Bucket(f"{name}-absent").load()
        assert absent.creation_date is None


async def test_object_summary_loads_like_an_entry_of_a_listing(
    open_resource: Any, name: str
) -> None:
    async with open_resource("s3") as s3:
        bucket = await filled_bucket(s3, name, 4)
        summary = s3.ObjectSummary(name, "key-03")
        with pytest.raises(ResourceNotLoadedError):
            _ = summary.size
        assert await summary.load() is summary
        (listed,) = [item async for item in bucket.objects.filter(Prefix="key-03")]
        assert (summary.size, summary.e_tag) == (listed.size, listed.e_tag) == (3, listed.e_tag)


async def test_errors_of_the_service_stay_client_errors(open_resource: Any, name: str) -> None:
    async with open_resource("s3") as s3:
        with pytest.raises(ClientError) as caught:
            await s3.Object(name, "key").load()
        assert caught.value.response["Error"]["Code"] == "404"
        with pytest.raises(s3.meta.client.exceptions.NoSuchBucket):
            async for _item in s3.Bucket(name).objects.all():
                pass


async def test_subresources_and_references_are_plain(open_resource: Any, name: str) -> None:
    async with open_resource("s3") as s3:
        bucket = await filled_bucket(s3, name, 1)
        assert bucket.Object("a").Acl().object_key == "a"
        assert bucket.Object("a").Bucket() == bucket
        assert s3.Bucket(name=name) == bucket
        assert len({bucket, s3.Bucket(name)}) == 1
        assert bucket.Object("a") != bucket.Object("b")

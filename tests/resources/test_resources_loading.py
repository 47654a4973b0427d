"""When resources have data: loading once for many tasks, and what is said before that."""

from __future__ import annotations

import pickle
from typing import Any

import anyio
import pytest
from boto3.exceptions import ResourceLoadException

from asession.exceptions import AsessionError, ClientError, ResourceNotLoadedError

pytestmark = pytest.mark.anyio


class Calls:
    """Counts what a client sends; the first `held` calls wait for `release`."""

    def __init__(self, client: Any, operation: str, held: int = 0) -> None:
        self.count = 0
        self.arrived = anyio.Event()
        self.release = anyio.Event()
        self._held = held
        service = client.meta.service_model.service_id.hyphenize()
        client.meta.events.register(f"before-call.{service}.{operation}", self._on_call)

    async def _on_call(self, **_kwargs: Any) -> None:
        self.count += 1
        self.arrived.set()
        if self.count <= self._held:
            await self.release.wait()


async def stored_object(s3: Any, name: str) -> Any:
    bucket = await s3.create_bucket(Bucket=name)
    obj = bucket.Object("key")
    await obj.put(Body=b"hello")
    return obj


async def test_awaiting_a_resource_returns_it(open_resource: Any, name: str) -> None:
    async with open_resource("s3") as s3:
        bucket = s3.Bucket(name)
        assert await bucket is bucket
        assert await s3 is s3
        assert bucket.meta.data is None


async def test_error_before_loading_names_the_resource_and_the_remedy(
    open_resource: Any, name: str
) -> None:
    async with open_resource("s3") as s3:
        obj = s3.Object(name, "key")
        with pytest.raises(ResourceNotLoadedError) as caught:
            _ = obj.content_length
        error = caught.value
        assert isinstance(error, AttributeError)
        assert isinstance(error, AsessionError)
        assert (error.resource, error.attribute) == (repr(obj), "content_length")
        assert "await resource.load()" in str(error)
        assert str(pickle.loads(pickle.dumps(error))) == str(error)
        assert not hasattr(obj, "content_length")
        assert obj.key == "key"


async def test_a_load_of_two_tasks_is_one_call(open_resource: Any, name: str) -> None:
    async with open_resource("s3") as s3:
        obj = await stored_object(s3, name)
        calls = Calls(s3.meta.client, "HeadObject", held=1)
        loaded: list[Any] = []

        async def load() -> None:
            loaded.append(await obj.load())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(load)
            await calls.arrived.wait()
            tasks.start_soon(load)
            await anyio.lowlevel.checkpoint()
            calls.release.set()
        assert calls.count == 1
        assert loaded == [obj, obj]
        assert obj.content_length == 5
        await obj.reload()
        assert calls.count == 2


async def test_loads_with_other_arguments_are_calls_of_their_own(
    open_resource: Any, name: str
) -> None:
    async with open_resource("s3") as s3:
        obj = await stored_object(s3, name)
        calls = Calls(s3.meta.client, "HeadObject", held=1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(obj.load)
            await calls.arrived.wait()
            await obj.load(ChecksumMode="ENABLED")
            assert calls.count == 2
            calls.release.set()
        assert obj.content_length == 5


async def test_a_cancelled_load_is_taken_over_by_the_other_task(
    open_resource: Any, name: str
) -> None:
    async with open_resource("s3") as s3:
        obj = await stored_object(s3, name)
        calls = Calls(s3.meta.client, "HeadObject", held=1)
        cancelled = anyio.CancelScope()

        async def load_until_cancelled() -> None:
            with cancelled:
                await obj.load()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(load_until_cancelled)
            await calls.arrived.wait()
            tasks.start_soon(obj.load)
            await anyio.lowlevel.checkpoint()
            cancelled.cancel()
        assert calls.count == 2
        assert obj.content_length == 5


async def test_a_load_cancelled_alone_can_be_repeated(open_resource: Any, name: str) -> None:
    async with open_resource("s3") as s3:
        obj = await stored_object(s3, name)
        calls = Calls(s3.meta.client, "HeadObject", held=1)
        with anyio.move_on_after(0.2):
            await obj.load()
        with pytest.raises(ResourceNotLoadedError):
            _ = obj.content_length
        await obj.load()
        assert (calls.count, obj.content_length) == (2, 5)


async def test_a_failed_load_is_tried_again(open_resource: Any, name: str) -> None:
    async with open_resource("s3") as s3:
        bucket = await s3.create_bucket(Bucket=name)
        obj = bucket.Object("key")
        with pytest.raises(ClientError):
            await obj.load()
        await obj.put(Body=b"hello")
        assert (await obj.load()).content_length == 5


async def test_a_load_after_an_action_does_not_join_one_from_before(
    open_resource: Any, name: str
) -> None:
    async with open_resource("s3") as s3:
        obj = await stored_object(s3, name)
        calls = Calls(s3.meta.client, "HeadObject", held=1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(obj.load)
            await calls.arrived.wait()
            await obj.put(Body=b"longer than before")
            await obj.load()
            assert (calls.count, obj.content_length) == (2, 18)
            newest = obj.meta.data
            calls.release.set()
        # The overtaken load did not bring back its own answer.
        assert obj.meta.data is newest


async def test_an_action_drops_data_that_it_may_have_changed(open_resource: Any, name: str) -> None:
    async with open_resource("s3") as s3:
        obj = await (await stored_object(s3, name)).load()
        assert obj.content_length == 5
        await obj.put(Body=b"x")
        with pytest.raises(ResourceNotLoadedError):
            _ = obj.content_length
        assert (await obj.reload()).content_length == 1


async def test_a_resource_that_cannot_load_says_so(open_resource: Any, name: str) -> None:
    async with open_resource("sqs") as sqs:
        queue = await sqs.create_queue(QueueName=name)
        with pytest.raises(ResourceLoadException, match=r"sqs.Message has no load method"):
            _ = queue.Message("receipt").body


async def test_batch_action_takes_what_it_needs_from_the_data_of_the_items(
    open_resource: Any, name: str
) -> None:
    async with open_resource("sqs") as sqs:
        queue = await sqs.create_queue(QueueName=name)
        assert (await sqs.get_queue_by_name(QueueName=name)) == queue
        await queue.send_messages(
            Entries=[{"Id": str(number), "MessageBody": f"m{number}"} for number in range(3)]
        )
        received = await queue.receive_messages(MaxNumberOfMessages=10)
        assert sorted(message.body for message in received) == ["m0", "m1", "m2"]
        await received[0].delete()
        entries = [
            {"Id": message.message_id, "ReceiptHandle": message.receipt_handle}
            for message in received[1:]
        ]
        response = await queue.delete_messages(Entries=entries)
        assert len(response["Successful"]) == 2
        await queue.load()
        assert queue.attributes["ApproximateNumberOfMessages"] == "0"


async def test_reference_needs_a_load_if_its_identifier_is_data(open_resource: Any) -> None:
    async with open_resource("ec2") as ec2:
        vpc = await ec2.create_vpc(CidrBlock="10.0.0.0/16")
        subnet = await vpc.create_subnet(CidrBlock="10.0.0.0/24")
        assert subnet.vpc == vpc
        unloaded = ec2.Subnet(subnet.id)
        with pytest.raises(ResourceNotLoadedError) as caught:
            _ = unloaded.vpc
        assert (caught.value.resource, caught.value.attribute) == (repr(unloaded), "vpc")
        assert (await unloaded.load()).vpc == vpc
        # The other resource is not loaded by that.
        with pytest.raises(ResourceNotLoadedError):
            _ = unloaded.vpc.cidr_block


async def test_action_loads_first_what_its_parameters_need(open_resource: Any) -> None:
    async with open_resource("ec2") as ec2:
        address = await ec2.meta.client.allocate_address(Domain="vpc")
        vpc_address = ec2.VpcAddress(address["AllocationId"])
        calls = Calls(ec2.meta.client, "DescribeAddresses")
        await vpc_address.release()
        assert calls.count == 1
        left = await ec2.meta.client.describe_addresses()
        assert address["AllocationId"] not in {entry["AllocationId"] for entry in left["Addresses"]}


async def test_ec2_tags_are_really_sent(open_resource: Any) -> None:
    async with open_resource("ec2") as ec2:
        vpc = await ec2.create_vpc(CidrBlock="10.0.0.0/16")
        (tag,) = await ec2.create_tags(Resources=[vpc.id], Tags=[{"Key": "k", "Value": "v"}])
        assert tag == ec2.Tag(vpc.id, "k", "v")
        assert (await vpc.load()).tags == [{"Key": "k", "Value": "v"}]

        images = await ec2.meta.client.describe_images(Owners=["amazon"])
        image = images["Images"][0]["ImageId"]
        (instance,) = await ec2.create_instances(ImageId=image, MinCount=1, MaxCount=1)
        await ec2.create_tags(Resources=[instance.id], Tags=[{"Key": "k", "Value": "v"}])
        assert (await instance.load()).tags == [{"Key": "k", "Value": "v"}]
        await instance.delete_tags(Tags=[{"Key": "k"}])
        assert not (await instance.load()).tags

"""What sessions share they cannot change, and whoever may change something has it to himself."""

from __future__ import annotations

import copy
import json

import anyio
import anyio.to_thread
import pytest
from botocore.exceptions import ClientError

import asession
from asession import Session
from asession._aws.catalogue import catalogue_for
from servers.answers import AwsAnswers
from servers.recorder import Recorder

pytestmark = pytest.mark.anyio

# Every kind of event that a client emits, or that is emitted while one is made.
FAMILIES = [
    "choose-service-name",
    "creating-client-class.dynamodb",
    "creating-serializer.dynamodb",
    "service-data-loaded.dynamodb",
    "provide-client-params.dynamodb",
    "before-parameter-build.dynamodb",
    "before-endpoint-resolution.dynamodb",
    "before-call.dynamodb",
    "request-created.dynamodb",
    "choose-signer.dynamodb",
    "before-sign.dynamodb",
    "before-send.dynamodb",
    "response-received.dynamodb",
    "before-parse.dynamodb",
    "needs-retry.dynamodb",
    "after-call.dynamodb",
]


SECTIONS = ("operations", "shapes")


def made(url, **arguments):
    return Session("AKIAX", "s", region_name="us-east-1", endpoint_url=url, **arguments)


def parts(client):
    """The objects of a client that other clients may share."""
    return client.meta.service_model, client.meta.service_model.operation_model("ListTables")


async def used(session):
    async with session.client("dynamodb") as client:
        await client.list_tables()
        return client


async def test_clients_of_two_sessions_share_what_nobody_can_change():
    with Recorder(AwsAnswers()) as aws:
        one, two = await used(made(aws.url)), await used(made(aws.url))
    assert one.meta.service_model is two.meta.service_model
    assert type(one) is type(two)
    assert one.exceptions.ResourceNotFoundException is two.exceptions.ResourceNotFoundException
    assert one.meta.events is not two.meta.events
    assert one.meta.config is not two.meta.config
    assert one._request_signer is not two._request_signer


@pytest.mark.parametrize("event", FAMILIES)
async def test_a_handler_is_called_for_its_session_alone_which_has_a_model_of_its_own(event):
    with Recorder(AwsAnswers()) as aws:
        mine, other = made(aws.url), made(aws.url)
        called = []
        mine.events.register(event, lambda **kwargs: called.append(kwargs["event_name"]))
        client = await used(mine)
        assert called
        count = len(called)
        plain = await used(other)
        assert len(called) == count
        for own, shared in zip(parts(client), parts(plain), strict=True):
            assert own is not shared
        # And for all of its clients the same.
        assert parts(await used(mine)) == parts(client)


async def test_a_model_changed_by_a_handler_is_changed_for_that_session_alone():
    def change(service_data, **kwargs):
        service_data["metadata"]["targetPrefix"] = "Mine"
        service_data["operations"]["Invented"] = service_data["operations"]["ListTables"]

    def targets(recorder):
        return [request.headers["x-amz-target"] for request in recorder.requests]

    with Recorder(AwsAnswers()) as aws:
        mine = made(aws.url)
        mine.events.register("service-data-loaded.dynamodb", change)
        client = await used(mine)
        assert hasattr(client, "invented")
        assert not hasattr(await used(made(aws.url)), "invented")
        assert targets(aws) == ["Mine.ListTables", "DynamoDB_20120810.ListTables"]


async def test_what_a_request_handler_does_to_the_model_stays_in_its_session():
    def change(model, **kwargs):
        model.metadata["mine"] = True
        model.input_shape.members["Limit"].metadata["mine"] = True
        model.http["mine"] = True

    with Recorder(AwsAnswers()) as aws:
        mine = made(aws.url)
        mine.events.register("before-call.dynamodb.ListTables", change)
        client = await used(mine)
        assert parts(client)[1].http["mine"]
        plain = parts(await used(made(aws.url)))[1]
        assert "mine" not in plain.http
        assert "mine" not in plain.metadata
        assert "mine" not in plain.input_shape.members["Limit"].metadata


async def test_a_class_changed_by_a_handler_is_changed_for_that_session_alone():
    def change(class_attributes, **kwargs):
        del class_attributes["list_tables"]
        class_attributes["_PY_TO_OP_NAME"]["tables"] = "ListTables"

    with Recorder(AwsAnswers()) as aws:
        mine = made(aws.url)
        mine.events.register("creating-client-class.dynamodb", change)
        async with mine.client("dynamodb") as client:
            assert not hasattr(client, "list_tables")
        other = await used(made(aws.url))
        assert "tables" not in other._PY_TO_OP_NAME


async def test_a_handler_of_one_client_is_not_called_for_another():
    with Recorder(AwsAnswers()) as aws:
        session, called = made(aws.url), []
        async with session, session.client("dynamodb") as one, session.client("dynamodb") as two:
            one.meta.events.register("before-call", lambda **kwargs: called.append(1))
            await two.list_tables()
            assert not called
            await one.list_tables()
            assert called == [1]


async def test_calls_leave_the_shared_model_as_it_was():
    def states():
        models = [loader.load_service_model(name, "service-2") for name in names]
        return [copy.deepcopy({part: dict(model[part]) for part in SECTIONS}) for model in models]

    loader, names = catalogue_for(None, {}).loader, ("dynamodb", "s3", "s3control")
    with Recorder(AwsAnswers()) as aws:
        session = made(aws.url)
        await session.warm_up(*names)
        before = await anyio.to_thread.run_sync(states)
        await used(session)
        async with session.client("s3") as s3, session.client("s3control") as control:
            await s3.list_buckets()
            with pytest.raises(ClientError):
                await s3.put_object(Bucket="b", Key="k", Body=b"1")
            await s3.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"})
            point = {"AccountId": "123456789012", "Name": "point"}
            await control.generate_presigned_url("get_access_point", point)
    assert await anyio.to_thread.run_sync(states) == before


async def test_tenants_share_no_credentials_retries_caches_or_configuration():
    with Recorder(AwsAnswers()) as aws:
        config = asession.Config(retries={"mode": "standard"})
        one = Session("AKIAONE", "s", region_name="us-east-1", endpoint_url=aws.url, config=config)
        two = Session("AKIATWO", "s", region_name="us-east-1", endpoint_url=aws.url, config=config)
        async with one.client("s3") as first, two.client("s3") as second:
            await first.list_buckets()
            await second.list_buckets()
            assert [request.access_key for request in aws.requests] == ["AKIAONE", "AKIATWO"]
            seen = {id(part) for part in reachable(first)}
            assert not [part for part in reachable(second) if id(part) in seen]


def reachable(client):
    """The handlers of a client that keep something, with the objects they belong to."""
    events = client.meta.events
    names = ("before-call", "needs-retry", "before-sign", "choose-signer", "request-created")
    for name in names:
        for handler in events.handlers_of(f"{name}.s3.ListBuckets"):
            owner = getattr(handler, "__self__", None)
            if owner is not None and not isinstance(owner, type):
                yield owner


async def test_error_classes_are_those_of_the_model():
    async with made("http://127.0.0.1:9").client("s3") as s3:
        names = {name for name in dir(s3.exceptions) if not name.startswith("_")}
        assert {"NoSuchKey", "NoSuchBucket", "BucketAlreadyExists", "ClientError"} <= names
        model = s3.meta.service_model
        whole = json.loads(json.dumps(copy.deepcopy(model._service_description["shapes"])))
        errors = {name for name, shape in whole.items() if shape.get("exception")}
        assert {shape.name for shape in model.error_shapes} == errors


async def test_tasks_that_ask_at_once_load_a_service_once(file_watch):
    catalogue = type(catalogue_for(None, {}))(catalogue_for(None, {}).loader.search_paths)
    found = []

    async def ask():
        found.append(await catalogue.service("ec2"))

    with file_watch:
        async with anyio.create_task_group() as group:
            for _ in range(100):
                group.start_soon(ask)
    assert len(found) == 100
    assert len({id(service) for service in found}) == 1
    opened = [e.path for e in file_watch.events if e.call == "open" and "service-2.json" in e.path]
    assert len(opened) == 1


async def test_a_cancelled_leader_hands_the_loading_over():
    catalogue = type(catalogue_for(None, {}))(catalogue_for(None, {}).loader.search_paths)
    found = []

    async def ask():
        found.append(await catalogue.service("sqs"))

    async with anyio.create_task_group() as group:
        with anyio.CancelScope() as leader:
            group.start_soon(ask)
            leader.cancel()
            await catalogue.service("sqs")
    assert leader.cancelled_caught
    assert found == [await catalogue.service("sqs")]

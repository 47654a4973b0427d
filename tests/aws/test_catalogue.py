"""Model files are read once per process, and custom ones are honoured per session."""

import json

import anyio
import botocore.exceptions
import pytest

from asession import Session
from asession._aws.catalogue import catalogue_for
from asession.exceptions import ResourceNotExistsError, UnknownAPIVersionError
from servers.recorder import Recorder, Reply

pytestmark = pytest.mark.anyio

MODEL = {
    "version": "2.0",
    "metadata": {
        "apiVersion": "2020-01-01",
        "endpointPrefix": "toy",
        "jsonVersion": "1.1",
        "protocol": "json",
        "serviceFullName": "Toy",
        "serviceId": "Toy",
        "signatureVersion": "v4",
        "targetPrefix": "Toy",
        "uid": "toy-2020-01-01",
    },
    "operations": {
        "Play": {"name": "Play", "http": {"method": "POST", "requestUri": "/"}},
    },
    "shapes": {},
}


@pytest.fixture
def toys(tmp_path):
    directory = tmp_path / "models" / "toy" / "2020-01-01"
    directory.mkdir(parents=True)
    (directory / "service-2.json").write_text(json.dumps(MODEL))
    return tmp_path / "models"


async def test_a_data_path_of_one_session_is_not_seen_by_another(toys, home):
    keys = {"aws_access_key_id": "AKIAX", "aws_secret_access_key": "s", "region": "us-east-1"}
    with_toys = Session(profiles={"default": {**keys, "data_path": str(toys)}})
    with Recorder(lambda request: Reply.json({})) as recorder:
        async with with_toys.client("toy", endpoint_url=recorder.url) as toy:
            await toy.play()
        assert recorder.requests[0].action == "Play"
    assert "toy" in await with_toys.get_available_services()
    without = Session(profiles={"default": keys})
    assert "toy" not in await without.get_available_services()
    with pytest.raises(botocore.exceptions.UnknownServiceError):
        async with without.client("toy"):
            pass


async def test_models_in_the_home_of_the_sessions_environment_are_found(toys, home, tmp_path):
    (tmp_path / "own" / ".aws").mkdir(parents=True)
    toys.rename(tmp_path / "own" / ".aws" / "models")
    environ = {"HOME": str(tmp_path / "own"), "AWS_EC2_METADATA_DISABLED": "true"}
    assert "toy" in await Session(environ=environ).get_available_services()
    assert "toy" not in await Session().get_available_services()


async def test_a_service_is_read_once_however_many_ask_at_once(toys, home, file_watch):
    session = Session(
        "AKIAX", "s", region_name="us-east-1", profiles={"default": {"data_path": str(toys)}}
    )

    async def one():
        async with session.client("toy"):
            pass

    with file_watch:
        async with session, anyio.create_task_group() as group:
            for _ in range(30):
                group.start_soon(one)
    opened = [e for e in file_watch.events if e.call == "open" and "service-2" in e.path]
    assert len(opened) == 1


async def test_an_api_version_is_honoured(home):
    session = Session(region_name="us-east-1")
    async with session.client("cloudfront", "us-east-1", "2016-11-25") as cloudfront:
        assert cloudfront.meta.service_model.api_version == "2016-11-25"


async def test_unknown_resources_and_versions_are_boto3s_errors(home):
    session = Session(region_name="us-east-1")
    with pytest.raises(ResourceNotExistsError, match="client"):
        async with session.resource("lambda"):
            pass
    with pytest.raises(UnknownAPIVersionError):
        async with session.resource("s3", api_version="1999-01-01"):
            pass


def test_one_catalogue_serves_all_sessions_without_models_of_their_own(home, toys, tmp_path):
    one = catalogue_for(None, {"HOME": str(home.path)})
    assert catalogue_for(None, {"HOME": str(tmp_path / "elsewhere")}) is one
    assert catalogue_for(str(tmp_path / "missing"), {"HOME": str(home.path)}) is one
    with_toys = catalogue_for(str(toys), {"HOME": str(home.path)})
    assert with_toys is not one
    assert catalogue_for(str(toys), {"HOME": str(tmp_path)}) is with_toys


async def test_a_new_session_sees_a_model_that_was_added_since(home, toys):
    session = Session(profiles={"default": {"data_path": str(toys)}})
    assert "game" not in await session.get_available_services()
    (toys / "toy").rename(toys / "game")
    again = Session(profiles={"default": {"data_path": str(toys)}})
    assert "game" in await again.get_available_services()


@pytest.mark.parametrize("what", ["unknown", "broken"])
async def test_everyone_who_waits_for_a_failing_load_gets_an_error_of_his_own(what, home, toys):
    model = toys / "toy" / "2020-01-01" / "service-2.json"
    right = model.read_text()
    model.write_text("{")
    catalogue = catalogue_for(str(toys), {"HOME": str(home.path)})
    errors = []

    async def ask():
        with pytest.raises((botocore.exceptions.UnknownServiceError, ValueError)) as caught:
            await catalogue.service("toy" if what == "broken" else "unknown")
        errors.append(caught.value)

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(ask)
    assert len({id(error) for error in errors}) == 5
    assert len({str(error) for error in errors}) == 1
    # And what failed once may succeed the next time.
    model.write_text(right)
    assert (await catalogue.service("toy")).name == "toy"

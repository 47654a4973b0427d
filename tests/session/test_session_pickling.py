"""Sessions and errors travel through pickle, whole or not at all."""

from __future__ import annotations

import copy
import inspect
import io
import pickle
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import cloudpickle
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.config import Config

import asession
from asession import Credentials, Session, exceptions
from asession.exceptions import AsessionError
from servers.recorder import Recorder
from session.conftest import Make

PROTOCOLS = pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))


class Subclass(Session):
    """Importable, so that it travels."""


async def importable_source() -> Credentials | None:
    return Credentials("AKIDSOURCE", "secret")


async def importable_mfa(serial: str) -> str:
    return serial


def travel(value: Any, protocol: int = pickle.HIGHEST_PROTOCOL) -> Any:
    return pickle.loads(pickle.dumps(value, protocol))


@PROTOCOLS
def test_every_argument_travels(protocol: int) -> None:
    arguments: dict[str, Any] = {
        "region_name": "eu-west-1",
        "profile_name": "dev",
        "endpoint_url": "http://127.0.0.1:1",
        "verify": False,
        "credentials": [
            importable_source,
            Credentials("AKID", "secret", expires_at=datetime.now(UTC)),
        ],
        "credential_cache": Path("/nowhere"),
        "config_file": "/nowhere/config",
        "credentials_file": Path("/nowhere/credentials"),
        "environ": {"HOME": "/nowhere"},
        "mfa": importable_mfa,
    }
    sent = Session(**arguments)._options.given()
    got = travel(Session(**arguments), protocol)._options.given()
    assert got.keys() == sent.keys() == arguments.keys()
    for name in arguments.keys() - {"credentials"}:
        assert got[name] == sent[name]
    source, credentials = got["credentials"]
    assert source is importable_source
    assert (credentials.access_key, credentials.secret_key) == ("AKID", "secret")
    assert credentials.expires_at == arguments["credentials"][1].expires_at

    keys = travel(
        Session("AKID", "secret", "token", aws_account_id="1", profiles={"a": {"b": "c"}})
    )
    assert keys._options.given() == {
        "aws_access_key_id": "AKID",
        "aws_secret_access_key": "secret",
        "aws_session_token": "token",
        "aws_account_id": "1",
        "profiles": {"a": {"b": "c"}},
    }


@pytest.mark.parametrize("kind", [Config, AioConfig])
def test_a_config_travels(kind: Any) -> None:
    config = kind(region_name="eu-west-1", connect_timeout=3, s3={"addressing_style": "path"})
    got = travel(Session(config=config))._options.config
    assert type(got) is kind
    assert (got.connect_timeout, got.s3) == (3, {"addressing_style": "path"})
    assert got._user_provided_options == config._user_provided_options


def test_a_subclass_travels_as_itself() -> None:
    assert type(travel(Subclass(region_name="eu-west-1"))) is Subclass


def test_the_copy_module_makes_equal_sessions() -> None:
    session = Session(region_name="eu-west-1", profiles={"a": {"b": "c"}})
    for other in (copy.copy(session), copy.deepcopy(session)):
        assert other._options.given() == session._options.given()


@pytest.mark.anyio
async def test_an_entered_session_travels_as_its_arguments(
    home: Any, make: Make, aws: Recorder
) -> None:
    home.write_config("[default]\nregion = eu-west-1\n")
    home.write_credentials(
        "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = RESOLVED\n"
    )
    async with Session(endpoint_url=aws.url) as session:
        await session.client("s3")
        assert (await session.get_frozen_credentials()).secret_key == "RESOLVED"
        sent = pickle.dumps(session)
    assert b"RESOLVED" not in sent
    assert b"AKIDFILE" not in sent
    got = pickle.loads(sent)
    with pytest.raises(exceptions.SessionNotResolvedError):
        _ = got.region_name
    async with got.client("s3") as client:
        assert (await client.list_buckets())["Owner"]["ID"] == "AKIDFILE"


class _Local:
    def __reduce__(self) -> str:
        raise RuntimeError("SECRET inside")

    async def load(self) -> None:
        return None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("credentials", lambda: None),
        ("credentials", [importable_source, lambda: None]),
        ("credentials", _Local()),
        ("mfa", lambda serial: serial),
        ("botocore_session", AioSession()),
        (
            "config",
            AioConfig(connector_args={"ssl_context": __import__("ssl").create_default_context()}),
        ),
    ],
)
def test_what_cannot_travel_is_named(name: str, value: Any) -> None:
    session = Session(**{name: value})
    with pytest.raises(pickle.PicklingError, match=f"{name}=") as caught:
        pickle.dumps(session)
    assert "SECRET" not in str(caught.value)


class _InPurePython(pickle._Pickler):
    """Takes functions by what they return, as dill takes them by value."""

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        super().save(obj() if inspect.isfunction(obj) and obj.__name__[0] != "_" else obj)


def test_a_pickler_that_takes_functions_by_value_takes_those_of_a_session() -> None:
    suffix = "0"

    async def source() -> Credentials:
        return Credentials(f"AKID{suffix}", "secret")

    session = Session(credentials=source, mfa=lambda serial: serial)  # type: ignore[arg-type]
    # A role's session has its parent's description among its own.
    for sent in (session, session.assume_role("arn:aws:iam::123456789012:role/audit")):
        got = pickle.loads(cloudpickle.dumps(sent))
        assert got._options.given().keys() == sent._options.given().keys()
        assert got._options.mfa("1") == "1"
        with pytest.raises(pickle.PicklingError, match="credentials="):
            pickle.dumps(sent)
    got = pickle.loads(cloudpickle.dumps(session))

    async def main() -> str:
        return (await got.get_frozen_credentials()).access_key

    assert anyio.run(main) == "AKID0"


def test_what_a_pickler_of_its_own_kind_cannot_take_is_named_too() -> None:
    class Locked:
        lock = None

        def __init__(self) -> None:
            self.lock = threading.Lock()

        async def load(self) -> None:
            return None

    with pytest.raises(pickle.PicklingError, match="credentials="):
        cloudpickle.dumps(Session(credentials=Locked()))


def test_a_pickler_in_pure_python_is_asked_as_well() -> None:
    session = Session(mfa=lambda: "text")  # type: ignore[arg-type]
    with pytest.raises(pickle.PicklingError, match="mfa="):
        pickle._dumps(session)
    buffer = io.BytesIO()
    _InPurePython(buffer).dump(session)
    assert pickle.loads(buffer.getvalue())._options.mfa == "text"


def test_handlers_cannot_travel() -> None:
    session = Session()
    session.events.register("before-call", importable_handler)
    with pytest.raises(pickle.PicklingError, match="events"):
        pickle.dumps(session)


def importable_handler(**_: Any) -> None:
    pass


def test_handlers_that_were_taken_back_do_not_hinder() -> None:
    session = Session()
    session.events.register("before-call", importable_handler)
    session.events.unregister("before-call", importable_handler)
    assert travel(session)._options.given() == {}


@pytest.mark.anyio
async def test_resolved_credentials_do_not_travel(make: Make) -> None:
    async with make() as session:
        credentials = await session.get_credentials()
        with pytest.raises(pickle.PicklingError, match="pickle the Session"):
            pickle.dumps(credentials)
        frozen = await session.get_frozen_credentials()
        assert travel(frozen) == frozen
        with pytest.raises(pickle.PicklingError, match="credentials="):
            pickle.dumps(Session(credentials=credentials))


FACTS: dict[str, dict[str, Any]] = {
    "AsessionError": {"what": "it", "why": 1},
    "BatchGetError": {
        "keys": {"orders": [{"id": "1"}]},
        "reason": "r",
        "response": {"Error": {"Code": "UnprocessedKeys", "Message": "r"}},
        "operation_name": "BatchGetItem",
    },
    "BatchWriteError": {
        "table_name": "orders",
        "unwritten": ({"PutRequest": {"Item": {"id": "1"}}},),
        "reason": "r",
        "response": {"Error": {"Code": "UnprocessedItems", "Message": "r"}},
        "operation_name": "BatchWriteItem",
    },
    "ClientClosedError": {"what": "s3 client"},
    "ConfigParseError": {"path": "/x", "line": 3, "error": "no ]"},
    "CredentialRetrievalError": {"provider": "sso", "error_msg": "no token"},
    "InvalidSettingError": {"name": "n", "value": {"a"}, "origin": "o", "expected": "e"},
    "MFARequiredError": {"serial": "arn"},
    "NoCredentialsError": {"reason": "r", "tried": ["a", "b"]},
    "PartialCredentialsError": {"provider": "explicit", "cred_var": "aws_access_key_id"},
    "ProfileNotFoundError": {
        "profile": "de",
        "origin": "profile_name=",
        "searched": ["/x"],
        "available": ["dev"],
        "hint": "",
    },
    "ResourceNotLoadedError": {"resource": "s3.Bucket('b')", "attribute": "creation_date"},
    **{
        key: {"location": "s3://b/k", "reason": "it is gone"}
        for key in ("ChecksumMismatchError", "ObjectChangedError", "TransferFailedError")
    },
    "SessionNotEnteredError": {"service_name": "s3", "kind": "client"},
    "SessionNotResolvedError": {"attribute": "region_name"},
    "WrongEventLoopError": {"what": "s3 client", "reason": "is elsewhere"},
}


def error_classes() -> list[Any]:
    exported = [getattr(exceptions, name) for name in exceptions.__all__]
    return [each for each in exported if inspect.isclass(each) and each.__module__[:5] != "boto3"]


@PROTOCOLS
@pytest.mark.parametrize("kind", error_classes(), ids=lambda kind: kind.__name__)
def test_every_error_round_trips(kind: Any, protocol: int) -> None:
    error = example(kind)
    error.add_note("first note")
    error.add_note("second note")
    got = travel(error, protocol)
    assert type(got) is kind
    assert str(got) == str(error)
    assert got.args == error.args
    if kind is not exceptions.ClientError:  # botocore's own, which forgets notes
        assert got.__notes__ == ["first note", "second note"]
        assert got.__dict__ == error.__dict__
    for name in FACTS.get(kind.__name__, {}):
        assert getattr(got, name) == getattr(error, name)
    again = copy.copy(error)
    assert (type(again), str(again)) == (kind, str(error))


def example(kind: Any) -> Any:
    if kind.__name__ in FACTS:
        return kind(**FACTS[kind.__name__])
    return kind({"Error": {"Code": "Nope", "Message": "no"}}, "ListBuckets")


def test_every_error_of_ours_has_an_example() -> None:
    ours = {kind.__name__ for kind in error_classes() if issubclass(kind, AsessionError)}
    assert ours == set(FACTS)


def test_an_error_that_the_library_raised_round_trips() -> None:
    async def main() -> None:
        await Session(profile_name="nope", profiles={"nape": {}}).resolve()

    with pytest.raises(exceptions.ProfileNotFoundError) as caught:
        anyio.run(main)
    got = travel(caught.value)
    assert (str(got), got.profile) == (str(caught.value), "nope")
    assert list(got.available) == ["nape"]
    assert isinstance(got, asession.exceptions.AsessionError)


@pytest.mark.anyio
@pytest.mark.parametrize(("service", "version"), [("sts", None), ("s3", "1999-01-01")])
async def test_boto3s_errors_round_trip_when_the_library_raises_them(
    make: Make, service: str, version: str | None
) -> None:
    kinds = (exceptions.ResourceNotExistsError, exceptions.UnknownAPIVersionError)
    with pytest.raises(kinds) as caught:
        async with make().resource(service, api_version=version):
            raise AssertionError("unreachable")
    got = travel(caught.value)
    assert isinstance(got, kinds)
    assert str(got) == str(caught.value)


@pytest.mark.anyio
async def test_live_things_do_not_travel(make: Make) -> None:
    async with make() as session:
        for live in (session.client("s3"), await session.client("s3")):
            with pytest.raises((TypeError, pickle.PicklingError, AttributeError)):
                pickle.dumps(live)

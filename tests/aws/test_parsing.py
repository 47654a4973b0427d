"""Our parsers yield what botocore's do, for made-up responses of every protocol."""

from __future__ import annotations

import base64
import functools
import gc
import json
import random
import re
import time
from xml.sax.saxutils import escape

import anyio
import pytest
from aiobotocore.parsers import AioResponseParserFactory
from botocore.awsrequest import HeadersDict
from botocore.eventstream import EventStream
from botocore.loaders import create_loader
from botocore.model import ServiceModel

from asession._aws.parsing import ParserFactory
from asession._aws.timestamps import parse_timestamp

pytestmark = pytest.mark.anyio

SERVICES = ["s3", "route53", "cloudfront", "sts", "iam", "rds", "ec2", "dynamodb", "kms", "lambda"]
SERVICES += ["apigateway", "sqs", "cloudwatch", "glacier"]
TIMES = ["2024-01-02T03:04:05.678Z", "2024-01-02T03:04:05Z", "1700000000", "1700000000.5"]
TEXTS = ["", "a", " a b ", "ü€", "<&>", "0", "true", "x" * 50]


@functools.cache
def model(name):
    return ServiceModel(create_loader().load_service_model(name, "service-2"), name)


def shapes(name, limit=25):
    service = model(name)
    found = [service.operation_model(op).output_shape for op in service.operation_names]
    found = [shape for shape in found if shape is not None and not shape.event_stream_name]
    return [*found[:: max(1, len(found) // limit)], None]


# -- made-up documents ----------------------------------------------------------------------------


def scalar(shape, chance):
    if chance.random() < 0.02:
        return chance.choice(["", "what", "-", "1e400", "{}"])  # not what was modelled
    kind = shape.type_name
    if kind in ("integer", "long"):
        return str(chance.randint(-5, 10**12))
    if kind in ("float", "double"):
        return str(chance.random())
    if kind == "boolean":
        return chance.choice(["true", "false", "TRUE"])
    if kind == "timestamp":
        return chance.choice([*TIMES, "Wed, 21 Oct 2015 07:28:00 GMT"])
    if kind == "blob":
        return base64.b64encode(chance.randbytes(chance.randrange(9))).decode()
    return chance.choice(TEXTS)


def xml(shape, tag, chance, depth=0):
    """Elements of a shape, some missing, empty, repeated, unknown, or in another namespace."""
    space = ' xmlns="http://other/"' if chance.random() < 0.02 else ""
    if chance.random() < 0.04 or depth > 5:
        return f"<{tag}{space}/>"
    if shape.type_name == "structure":
        inside = []
        for name, member in shape.members.items():
            where = member.serialization
            key = where.get("name", name)
            flat = member.type_name == "list" and where.get("flattened")
            if flat and member.member.serialization.get("name"):
                key = member.member.serialization["name"]
            if where.get("xmlAttribute"):
                space = ' xmlns:xsi="http://x/" xsi:type="CanonicalUser"'
                continue
            times = chance.choice([0, 1, 1, 1, 1, 2 if chance.random() < 0.1 else 1])
            inside += [xml(member, key, chance, depth + 1) for _ in range(times)]
        if chance.random() < 0.1:
            inside.append("<Unknown><Deep>1</Deep></Unknown>")
        if chance.random() < 0.1:
            chance.shuffle(inside)
        if getattr(shape, "is_tagged_union", False) and chance.random() < 0.8:
            inside = inside[:1]
        return f"<{tag}{space}>\n {' '.join(inside)}</{tag}>"
    if shape.type_name == "list":
        flat = shape.serialization.get("flattened")
        name = tag if flat else shape.member.serialization.get("name", "member")
        items = "".join(
            xml(shape.member, name, chance, depth + 1) for _ in range(chance.choice([0, 1, 3]))
        )
        return items if flat else f"<{tag}>{items}</{tag}>"
    if shape.type_name == "map":
        key = shape.key.serialization.get("name", "key")
        value = shape.value.serialization.get("name", "value")
        pair = xml(shape.key, key, chance, depth + 1) + xml(shape.value, value, chance, depth + 1)
        return f"<{tag}><entry>{pair}</entry></{tag}>"
    return f"<{tag}{space}>{escape(scalar(shape, chance))}</{tag}>"


def plain(shape, chance, depth=0):
    """A JSON value of a shape, some members missing, null or unknown."""
    if chance.random() < 0.04:
        return chance.choice([None, None, None, {}, [], "", 0])
    if shape.type_name == "structure":
        if depth > 5:
            return {}
        value = {
            member.serialization.get("name", name): plain(member, chance, depth + 1)
            for name, member in shape.members.items()
            if chance.random() < 0.8
        }
        if shape.is_tagged_union and value and chance.random() < 0.9:
            key = chance.choice(sorted(value))
            value = {key: value[key]}
        if chance.random() < 0.05:
            value[chance.choice(["Unknown", "__type"])] = "x"
        return value
    if shape.type_name == "list":
        return [plain(shape.member, chance, depth + 1) for _ in range(chance.choice([0, 1, 3]))]
    if shape.type_name == "map":
        return {
            chance.choice(TEXTS): plain(shape.value, chance, depth + 1)
            for _ in range(chance.choice([0, 1, 3]))
        }
    text = scalar(shape, chance)
    if shape.type_name == "timestamp":
        return chance.choice([text, 1700000000, 1700000000.25])
    if shape.type_name in ("integer", "long", "float", "double", "boolean"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def headers(shape, chance):
    made = {"Content-Type": "text/plain", "x-amz-meta-One": "1", "X-Amz-Meta-two": ""}
    made |= {"x-amzn-requestid": "R"} if chance.random() < 0.5 else {}
    made |= {"X-Amz-Request-Id": "Q", "x-amz-id-2": "I"} if chance.random() < 0.5 else {}
    for name, member in shape.members.items() if shape is not None else ():
        if member.serialization.get("location") == "header" and chance.random() < 0.6:
            text = scalar(member, chance).strip()
            made[chance.choice([str, str.lower])(member.serialization.get("name", name))] = text
    return HeadersDict(made)


def response(shape, protocol, chance):
    if "json" in protocol:
        body = json.dumps(plain(shape, chance) if shape is not None else {}).encode()
    else:
        root = shape
        if shape is not None and "payload" in shape.serialization:
            root = shape.members[shape.serialization["payload"]]
        inner = xml(root, "Root", chance) if root is not None else "<Root/>"
        if root is not None and "resultWrapper" in root.serialization:
            inner = inner.replace("Root", root.serialization["resultWrapper"])
        if protocol == "query":
            inner += "<ResponseMetadata><RequestId>R</RequestId></ResponseMetadata>"
        if protocol in ("query", "ec2") and "resultWrapper" in getattr(root, "serialization", {}):
            inner = f'<Response xmlns="http://ns/">{inner}</Response>'
        body = inner.replace("<Root>", '<Root xmlns="http://ns/">', 1).encode()
    if chance.random() < 0.04:
        body = chance.choice([b"", b"<", body[:-3], b"<html></html>", b"null", b"[]"])
    return {
        "status_code": 200,
        "headers": headers(shape, chance),
        "body": body,
        "context": {"operation_name": "X"},
    }


ERRORS = [
    b"",
    b"<html><body>busy</body></html>",
    b"<Error><Code>NoSuchKey</Code><Message>gone</Message><RequestId>1</RequestId></Error>",
    b'<ErrorResponse xmlns="http://ns/"><Error><Code>Bad</Code></Error></ErrorResponse>',
    b"<ErrorResponse><Error><Code>Bad</Code></Error><RequestId>1</RequestId></ErrorResponse>",
    b"<Response><Errors><Error><Code>Bad</Code></Error></Errors><RequestID>1</RequestID></Response>",
    b"<broken",
    b'{"__type": "com.amazon#Bad:x", "message": "m"}',
    b'{"code": "Bad", "Message": "m", "Type": "User"}',
    b"no json",
]


async def outcome(parser, given, shape):
    try:
        # A value repeated where one was modelled is to botocore a list of elements.
        return re.sub(r" at 0x[0-9a-f]+", "", repr(await parser.parse(given, shape)))
    except Exception as error:
        return type(error)


# -- tests ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
async def test_made_up_responses_are_parsed_as_by_botocore(service):
    protocol = model(service).resolved_protocol
    parser = ParserFactory().create_parser(protocol)
    oracle = AioResponseParserFactory().create_parser(protocol)
    read = 0
    for number, shape in enumerate(shapes(service)):
        for seed in range(6):
            given = response(shape, protocol, random.Random(f"{service} {number} {seed}"))
            expected = await outcome(oracle, given, shape)
            assert await outcome(parser, given, shape) == expected, given
            read += isinstance(expected, str)
    assert read > 20, read


@pytest.mark.parametrize("service", SERVICES)
async def test_errors_are_parsed_as_by_botocore(service):
    protocol = model(service).resolved_protocol
    parser = ParserFactory().create_parser(protocol)
    oracle = AioResponseParserFactory().create_parser(protocol)
    modelled = list(model(service).error_shapes)[:5]
    for shape in [None, shapes(service)[0], *modelled]:
        for status in (301, 400, 404, 500, 503):
            for body in ERRORS:
                given = {
                    "status_code": status,
                    "headers": HeadersDict({"x-amzn-errortype": "T:x", "x-amz-request-id": "Q"}),
                    "body": body,
                    "context": {},
                }
                expected = await outcome(oracle, given, shape)
                assert await outcome(parser, given, shape) == expected, (shape, status, body)


async def test_an_error_in_cbor_and_other_protocols_are_left_to_botocore():
    factory = ParserFactory()
    oracle = AioResponseParserFactory().create_parser("smithy-rpc-v2-cbor")
    assert type(factory.create_parser("smithy-rpc-v2-cbor")) is type(oracle)
    with pytest.raises(KeyError):
        factory.create_parser("no-such-protocol")


async def test_a_grantee_keeps_its_attribute():
    body = (
        b'<AccessControlPolicy xmlns="http://s3/"><AccessControlList><Grant>'
        b'<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group">'
        b"<URI>u</URI></Grantee></Grant></AccessControlList></AccessControlPolicy>"
    )
    shape = model("s3").operation_model("GetBucketAcl").output_shape
    given = {"status_code": 200, "headers": HeadersDict(), "body": body, "context": {}}
    parsed = await ParserFactory().create_parser("rest-xml").parse(given, shape)
    assert parsed["Grants"] == [{"Grantee": {"URI": "u", "Type": "Group"}}]


async def test_events_of_a_stream_are_parsed_as_by_botocore():
    shape = model("s3").operation_model("SelectObjectContent").output_shape
    events = shape.members["Payload"]
    for kind, body in [
        ("Records", b"a,b"),
        ("Stats", b"<Stats><Details><BytesScanned>5</BytesScanned></Details></Stats>"),
        ("End", b""),
        ("Unknown", b"x"),
    ]:
        given = {"status_code": 200, "headers": {":event-type": kind}, "body": body}
        seen = []
        for factory in (ParserFactory(), AioResponseParserFactory()):
            parser = factory.create_parser("rest-xml")
            parsed = await parser.parse(
                {"status_code": 200, "headers": HeadersDict(), "body": None, "context": {}}, shape
            )
            stream = parsed["Payload"]
            assert isinstance(stream, EventStream)
            seen.append(await stream._parser.parse(given, events))
        assert seen[0] == seen[1]


PAGE = (
    b'<?xml version="1.0"?><ListBucketResult xmlns="http://s3/"><Name>%d</Name>'
    b"<Contents><Key>k</Key><Size>%d</Size><LastModified>2024-01-02T03:04:05Z</LastModified>"
    b"</Contents></ListBucketResult>"
)


def page(number):
    body = PAGE % (number, number)
    return {"status_code": 200, "headers": HeadersDict({"n": str(number)}), "body": body}


async def test_one_parser_serves_tasks_and_threads_at_once():
    parser = ParserFactory().create_parser("rest-xml")
    shape = model("s3").operation_model("ListObjectsV2").output_shape
    names = []

    async def in_task(number):
        for _ in range(20):
            parsed = await parser.parse(page(number), shape)
            names.append((parsed["Name"], parsed["Contents"][0]["Size"], number))
            await anyio.lowlevel.checkpoint()

    def in_thread(number):
        for _ in range(200):
            try:
                parser.parse(page(number), shape).send(None)
            except StopIteration as done:
                parsed = done.value
            names.append((parsed["Name"], parsed["Contents"][0]["Size"], number))

    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(in_task, number)
            tasks.start_soon(anyio.to_thread.run_sync, in_thread, number + 100)
    assert len(names) == 8 * 220
    assert all(name == str(number) and size == number for name, size, number in names)


@pytest.mark.parametrize("service", ["s3", "sts", "ec2", "dynamodb", "lambda", "cloudwatch"])
async def test_a_parser_keeps_nothing_of_a_response(service):
    protocol = model(service).resolved_protocol
    parser = ParserFactory().create_parser(protocol)
    before = {name: id(value) for name, value in vars(parser).items()}
    for shape in shapes(service, limit=5):
        await outcome(parser, response(shape, protocol, random.Random(1)), shape)
    after = {name: id(value) for name, value in vars(parser).items()}
    after.pop("major_type_to_parsing_method_map", None)  # a constant, made at first use
    assert after == before


async def test_plans_go_with_their_shapes():
    parser = ParserFactory().create_parser("rest-xml")
    own = ServiceModel(create_loader().load_service_model("s3", "service-2"), "s3")
    shape = own.operation_model("ListObjectsV2").output_shape
    await parser.parse(page(1), shape)
    assert len(parser._plans) == len(parser._located) == 1
    del own, shape
    gc.collect()
    assert len(parser._plans) == len(parser._located) == 0


async def test_names_and_layouts_of_a_hostile_server_are_bounded():
    parser = ParserFactory().create_parser("rest-xml")
    shape = model("s3").operation_model("ListObjectsV2").output_shape
    for start in range(0, 8000, 40):
        tags = "".join(f"<T{start + number}/>" for number in range(40)).encode()
        body = b"<ListBucketResult>" + tags + b"<Name>n</Name></ListBucketResult>"
        given = {"status_code": 200, "headers": HeadersDict(), "body": body}
        assert (await parser.parse(given, shape))["Name"] == "n"
    assert len(parser._names) == 4096


async def test_the_factory_makes_one_parser_per_protocol_until_defaults_change():
    factory = ParserFactory()
    first = factory.create_parser("json")
    assert factory.create_parser("json") is first
    assert factory.create_parser("rest-json") is not first
    factory.set_parser_defaults(timestamp_parser=str, blob_parser=len)
    second = factory.create_parser("json")
    assert second is not first
    shape = model("kms").operation_model("Decrypt").output_shape
    body = json.dumps({"Plaintext": "abcd"}).encode()
    given = {"status_code": 200, "headers": HeadersDict(), "body": body, "context": {}}
    assert (await second.parse(given, shape))["Plaintext"] == 4
    described = model("dynamodb").operation_model("DescribeTable").output_shape
    body = json.dumps({"Table": {"CreationDateTime": 5}}).encode()
    parsed = await second.parse(given | {"body": body}, described)
    assert parsed["Table"]["CreationDateTime"] == "5"


async def test_timestamps_are_read_by_our_parser_by_default():
    for protocol in ("rest-xml", "query", "ec2", "json", "rest-json", "smithy-rpc-v2-cbor"):
        parser = ParserFactory().create_parser(protocol)
        assert parser._timestamp_parser is parse_timestamp
        events = parser._event_stream_parser
        assert events is None or events._timestamp_parser is parse_timestamp


async def test_a_page_of_a_thousand_keys_is_parsed_in_less_than_half_the_time():
    shape = model("s3").operation_model("ListObjectsV2").output_shape
    key = PAGE[PAGE.index(b"<Contents>") : PAGE.index(b"</ListBucketResult>")] % 7
    body = b'<ListBucketResult xmlns="http://s3/">' + key * 1000 + b"</ListBucketResult>"
    given = {"status_code": 200, "headers": HeadersDict(), "body": body, "context": {}}
    spent = {}
    for name, factory in (("ours", ParserFactory()), ("theirs", AioResponseParserFactory())):
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            await factory.create_parser("rest-xml").parse(given, shape)
            best = min(best, time.process_time() - start)
        spent[name] = best
    assert spent["ours"] * 2 < spent["theirs"]

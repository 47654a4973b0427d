"""How bodies look on the wire: lengths, chunks, trailers, hashes, and who reads them when."""

import base64
import hashlib
import os
import ssl
import zlib
from urllib.parse import quote

import pytest
import trustme
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ParamValidationError

from asession import Config, Session
from body_sources import KINDS, REWINDABLE, AsyncPieces, close, generate
from servers.recorder import Recorder, Reply

pytestmark = [pytest.mark.anyio, pytest.mark.matrix]

SIZES = [0, 1, 64 * 1024, 64 * 1024 + 1, 5 * 1024 * 1024]
DATA = os.urandom(100_000)
KEYS = ("AKIDBODIES", "secret-of-bodies")


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def tls(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def bundle(authority, tmp_path):
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def answer(request):
    return Reply(200, {"ETag": '"e"'}, b"")


def client(url, service="s3", *, verify=None, **config):
    session = Session(*KEYS, region_name="us-east-1", environ={}, verify=verify)
    return session.client(
        service, endpoint_url=url, config=Config(s3={"addressing_style": "path"}, **config)
    )


def undo_aws_chunks(body):
    """The content of a body in chunks of AWS's own kind, their sizes, and the trailers."""
    rest, content, sizes = body, b"", []
    while True:
        line, _, rest = rest.partition(b"\r\n")
        size = int(line, 16)
        if not size:
            break
        assert rest[size : size + 2] == b"\r\n"
        content, rest = content + rest[:size], rest[size + 2 :]
        sizes.append(size)
    lines = [line for line in rest.split(b"\r\n") if line]
    return content, sizes, dict(line.split(b":", 1) for line in lines)


def crc32(data):
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


@pytest.mark.parametrize("kind", REWINDABLE, ids=str)
async def test_over_http_length_checksum_and_hash_are_in_the_head(kind, tmp_path):
    with Recorder(answer) as server:
        async with client(server.url) as s3:
            for size in SIZES:
                data = os.urandom(size)
                source = await kind.make(data, tmp_path / "source")
                await s3.put_object(Bucket="b", Key="k", Body=source)
                await close(source)
                request = server.requests[-1]
                assert request.body == data
                assert request.headers["content-length"] == str(size)
                assert "transfer-encoding" not in request.headers
                assert request.headers["x-amz-checksum-crc32"] == crc32(data)
                assert request.headers["x-amz-content-sha256"] == hashlib.sha256(data).hexdigest()
                assert request.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.measured], ids=str)
async def test_over_tls_the_checksum_follows_the_body(kind, tmp_path, tls, bundle):
    with Recorder(answer, tls=tls) as server:
        async with client(server.url, verify=bundle) as s3:
            for size in SIZES:
                data = os.urandom(size)
                source = await kind.make(data, tmp_path / "source")
                await s3.put_object(Bucket="b", Key="k", Body=source)
                await close(source)
                request = server.requests[-1]
                content, sizes, trailers = undo_aws_chunks(request.body)
                assert content == data
                assert all(chunk >= 8 * 1024 for chunk in sizes[:-1])
                assert trailers == {b"x-amz-checksum-crc32": crc32(data).encode()}
                assert request.headers["transfer-encoding"] == "chunked"
                assert "content-length" not in request.headers
                assert request.headers["content-encoding"] == "aws-chunked"
                assert request.headers["x-amz-trailer"] == "x-amz-checksum-crc32"
                hashed = request.headers["x-amz-content-sha256"]
                assert hashed == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
                assert request.headers["x-amz-decoded-content-length"] == str(size)


UNMEASURED = [kind for kind in KINDS if not kind.measured]


@pytest.mark.parametrize("kind", UNMEASURED, ids=str)
async def test_a_given_length_is_announced(kind, tmp_path, tls, bundle):
    with Recorder(answer, tls=tls) as server:
        async with client(server.url, verify=bundle) as s3:
            source = await kind.make(DATA, tmp_path / "source")
            await s3.put_object(Bucket="b", Key="k", Body=source, ContentLength=len(DATA))
            await close(source)
    (request,) = server.requests
    assert request.headers["x-amz-decoded-content-length"] == str(len(DATA))
    assert undo_aws_chunks(request.body)[0] == DATA


@pytest.mark.parametrize("mode", ["when_supported", "when_required"])
@pytest.mark.parametrize("kind", UNMEASURED, ids=str)
async def test_without_a_length_a_body_is_read_first_or_refused_as_s3_takes_none(
    kind, mode, tmp_path, tls, bundle
):
    with Recorder(answer, tls=tls) as server:
        async with client(server.url, verify=bundle, request_checksum_calculation=mode) as s3:
            source = await kind.make(DATA, tmp_path / "source")
            if kind.rewindable:
                await s3.put_object(Bucket="b", Key="k", Body=source)
            else:
                with pytest.raises(ParamValidationError, match=r"length of Body .* ContentLength="):
                    await s3.put_object(Bucket="b", Key="k", Body=source)
            await close(source)
    assert len(server.requests) == kind.rewindable
    for request in server.requests:
        assert request.body == DATA
        assert request.headers["content-length"] == str(len(DATA))
        assert "transfer-encoding" not in request.headers
        expected = crc32(DATA) if mode == "when_supported" else None
        assert request.headers.get("x-amz-checksum-crc32") == expected


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_without_a_checksum_over_tls_the_payload_is_signed_if_it_can_be(
    kind, tmp_path, tls, bundle
):
    with Recorder(answer, tls=tls) as server:
        config = {"request_checksum_calculation": "when_required"}
        async with client(server.url, verify=bundle, **config) as s3:
            source = await kind.make(DATA, tmp_path / "source")
            await s3.put_object(Bucket="b", Key="k", Body=source, ContentLength=len(DATA))
            await close(source)
    (request,) = server.requests
    assert request.body == DATA
    assert request.headers["content-length"] == str(len(DATA))
    expected = hashlib.sha256(DATA).hexdigest() if kind.rewindable else "UNSIGNED-PAYLOAD"
    assert request.headers["x-amz-content-sha256"] == expected


@pytest.mark.parametrize("kind", ["bytes", "file", "anyio file", "async pieces"])
async def test_the_payload_of_other_services_is_signed(kind, tmp_path):
    make = next(one.make for one in KINDS if one.name == kind)
    with Recorder(lambda request: Reply.json({})) as server:
        async with client(server.url, "lambda") as functions:
            source = await make(b'{"a": 1}', tmp_path / "source")
            await functions.invoke(FunctionName="f", Payload=source)
            await close(source)
    (request,) = server.requests
    assert request.body == b'{"a": 1}'
    assert request.headers["content-length"] == "8"
    signature = request.headers["authorization"].rpartition("Signature=")[2]
    assert signature == signature_of(request, server.url)


def signature_of(request, url):
    """The signature that botocore would make of what arrived."""
    authorization = request.headers["authorization"]
    signed = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    headers = {name: request.headers[name] for name in signed}
    again = AWSRequest(request.method, url + quote(request.path), headers, request.body)
    again.context["timestamp"] = request.headers["x-amz-date"]
    auth = SigV4Auth(Credentials(*KEYS), request.service, request.region)
    return auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again)


async def test_the_peer_is_asked_before_a_file_is_sent(tls, bundle):
    with Recorder(answer) as server:
        async with client(server.url) as s3:
            await s3.put_object(Bucket="b", Key="k", Body=AsyncPieces(DATA))
            await s3.put_object(Bucket="b", Key="k", Body=DATA)
    assert [request.headers["expect"] for request in server.requests] == ["100-continue"] * 2


async def test_a_body_that_a_handler_puts_in_its_place_is_the_one_signed():
    other = os.urandom(2 * 1024 * 1024)

    def replace(request, **_):
        request.data = other
        request.headers.replace_header("x-amz-checksum-crc32", crc32(other))

    with Recorder(answer) as server:
        async with client(server.url) as s3:
            s3.meta.events.register("before-sign.s3", replace)
            await s3.put_object(Bucket="b", Key="k", Body=AsyncPieces(DATA))
    (request,) = server.requests
    assert request.body == other
    assert request.headers["x-amz-content-sha256"] == hashlib.sha256(other).hexdigest()


@pytest.mark.parametrize("version", ["s3v4", "s3v4a"])
async def test_the_common_runtimes_signers_need_not_read_a_body(version, tls, bundle):
    pytest.importorskip("awscrt")  # with it botocore signs in its own way, and SigV4a at all
    once = generate(DATA)
    for secure, source, length in [
        (False, DATA, None),
        (False, AsyncPieces(DATA), None),
        (True, AsyncPieces(DATA), None),
        (True, once, len(DATA)),
    ]:
        with Recorder(answer, tls=tls if secure else None) as server:
            async with client(
                server.url, verify=bundle if secure else None, signature_version=version
            ) as s3:
                given = {} if length is None else {"ContentLength": length}
                await s3.put_object(Bucket="b", Key="k", Body=source, **given)
        (request,) = server.requests
        hashed = request.headers["x-amz-content-sha256"]
        if not secure:
            assert hashed == hashlib.sha256(DATA).hexdigest()
            assert request.body == DATA
        elif source is once:
            assert hashed == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
            assert undo_aws_chunks(request.body)[0] == DATA
        else:
            # As botocore has it: with SigV4a a checksum alone is not enough.
            signed = hashlib.sha256(DATA).hexdigest()
            assert hashed == (signed if version == "s3v4a" else "UNSIGNED-PAYLOAD")
            assert request.body == DATA

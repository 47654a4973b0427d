"""Our signatures are those of AWS's published examples and, byte for byte, botocore's."""

from __future__ import annotations

import io
import logging
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from botocore import auth
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import NoCredentialsError
from hypothesis import given, settings
from hypothesis import strategies as st

from asession._aws import signing
from asession._aws.signing import Memory
from aws.signatures import CLASSES, PLAIN, SECRET, SESSION, ours, request, signed_by_botocore

UNPLANNED = {"Host": "example.com:8443", "X-Amz-Date": "19700101T000000Z", "Authorization": "old"}


def check(make, kind="v4", credentials=PLAIN, memory=None):
    """Sign two equal requests, one by each, and compare all that can be seen of them."""
    mine, theirs = make(), make()
    auth_of_mine = ours(kind, credentials, memory)
    auth_of_mine.add_auth(mine)
    timestamp = mine.context["timestamp"]
    canonical, to_sign = signed_by_botocore(theirs, timestamp, kind, credentials)
    assert mine.headers.items() == theirs.headers.items()
    assert mine.context == theirs.context

    again = make()
    again.context["timestamp"] = timestamp
    auth_of_mine._modify_request_before_signing(again)
    assert auth_of_mine.canonical_request(again) == canonical
    assert auth_of_mine.string_to_sign(again, canonical) == to_sign


# -- published ------------------------------------------------------------------------------------

S3_DOCS = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


@pytest.mark.parametrize(
    ("url", "headers", "service", "signature"),
    [
        (
            "https://example.amazonaws.com/",
            {"X-Amz-Date": "20150830T123600Z"},
            "service",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
            {
                "X-Amz-Date": "20150830T123600Z",
                "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            },
            "iam",
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        ),
        (
            "https://examplebucket.s3.amazonaws.com/test.txt",
            {"X-Amz-Date": "20130524T000000Z", "Range": "bytes=0-9"},
            "s3",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "https://examplebucket.s3.amazonaws.com/?lifecycle",
            {"X-Amz-Date": "20130524T000000Z"},
            "s3",
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J",
            {"X-Amz-Date": "20130524T000000Z"},
            "s3",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
def test_the_published_examples_have_the_published_signatures(url, headers, service, signature):
    made = request(url, headers=headers)
    upstream = auth.S3SigV4Auth if service == "s3" else auth.SigV4Auth
    credentials = ReadOnlyCredentials(*S3_DOCS, None) if service == "s3" else PLAIN
    given = upstream(credentials, service, "us-east-1")
    mine = signing._OURS[upstream].instead_of(given, Memory())
    made.context["timestamp"] = headers["X-Amz-Date"]
    if service == "s3":
        made.headers["X-Amz-Content-SHA256"] = mine.payload(made)
    canonical = mine.canonical_request(made)
    assert mine.signature(mine.string_to_sign(made, canonical), made) == signature


# -- botocore as the oracle -----------------------------------------------------------------------

JSON = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB.GetItem"}
VECTORS = {
    "no path": lambda: request("https://example.amazonaws.com"),
    "dot segments": lambda: request("https://h.amazonaws.com/a/./b/../c//d/"),
    "encoded path": lambda: request("https://h.amazonaws.com/a%20b/%E2%82%AC/~x:y"),
    "raw unicode path": lambda: request("https://h.amazonaws.com/ключ/日本"),
    "query unsorted": lambda: request("https://h.amazonaws.com/?b=2&a=2&a=1&c&d=&=e"),
    "query plus": lambda: request("https://h.amazonaws.com/?q=a+b%2Bc%20d&q=~"),
    "params": lambda: request(params={"b": "ü/ ~", "a": 1}),
    "params pairs": lambda: request(params=[("k", "2"), ("k", "10"), ("k", "1")]),
    "spaces": lambda: request(headers={"X-A": "  a   b\t c ", "x-b": "", "X-C": "   "}),
    "repeated": lambda: request(headers=[("X-A", "2"), ("x-a", "  1  "), ("X-a", "3")]),
    "unicode header": lambda: request(headers={"X-Amz-Meta-N": "ü€"}),
    "unsigned headers": lambda: request(
        headers={n.title(): "x" for n in auth.SIGNED_HEADERS_BLACKLIST}
    ),
    "signed before": lambda: request(headers=UNPLANNED),
    "date header": lambda: request(headers={"Date": "Mon, 09 Sep 2011 23:36:00 GMT"}),
    "digest given": lambda: request(headers={"X-Amz-Content-SHA256": "0" * 64}),
    "token given": lambda: request(headers={"x-amz-security-token": "stale"}),
    "port": lambda: request("http://127.0.0.1:9000/bucket/key"),
    "default port": lambda: request("https://h.amazonaws.com:443/"),
    "user in url": lambda: request("https://me:pw@H.Amazonaws.com:8443/"),
    "ipv6": lambda: request("http://[::1]:9000/bucket/key"),
    "json": lambda: request(method="POST", headers=JSON, data=b'{"a": 1}'),
    "form": lambda: request(method="post", data={"Action": "X", "P": "ü 1"}),
    "text": lambda: request(method="POST", data="ü"),
    "file": lambda: request(method="PUT", data=io.BytesIO(b"body" * 1000)),
    "no body": lambda: request(method="PUT", data=None),
    "unsigned payload": lambda: request(data=b"x", payload_signing_enabled=False),
    "unsigned over http": lambda: request(
        "http://h/", data=b"x", payload_signing_enabled=False, has_streaming_input=True
    ),
    "streaming": lambda: request(
        "https://b.s3.amazonaws.com/k",
        "PUT",
        {"Content-MD5": "x"},
        io.BytesIO(b"x"),
        has_streaming_input=True,
    ),
    "checksum header": lambda: request(
        "https://b.s3.amazonaws.com/k",
        "PUT",
        {"x-amz-checksum-crc32": "AAAAAA=="},
        b"x",
        has_streaming_input=True,
        checksum={"request_algorithm": {"in": "header", "name": "x-amz-checksum-crc32"}},
    ),
    "trailer": lambda: request(
        "https://b.s3.amazonaws.com/k",
        "PUT",
        {"Content-Encoding": "aws-chunked"},
        b"x",
        checksum={"request_algorithm": {"in": "trailer"}},
    ),
    "payload signing off": lambda: request(
        data=b"x", client_config=SimpleNamespace(s3={"payload_signing_enabled": False})
    ),
    "payload signing on": lambda: request(
        data=b"x",
        has_streaming_input=True,
        client_config=SimpleNamespace(s3={"payload_signing_enabled": True}),
    ),
    "virtual host": lambda: request("https://b.s3.eu-west-1.amazonaws.com/a//b/../c?versionId=3"),
    "path style": lambda: request("https://s3.eu-west-1.amazonaws.com/b/a%2Bb/?list-type=2"),
}


@pytest.mark.parametrize("credentials", [PLAIN, SESSION], ids=["keys", "token"])
@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("make", VECTORS.values(), ids=VECTORS)
def test_a_signed_request_equals_botocores(make, kind, credentials):
    check(make, kind, credentials)


tokens = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-", min_size=1, max_size=12)
values = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=20)


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(sorted(CLASSES)),
    credentials=st.sampled_from([PLAIN, SESSION]),
    host=st.sampled_from(["h.amazonaws.com", "H.example:8080", "[::1]:80", "10.0.0.1"]),
    scheme=st.sampled_from(["http", "https"]),
    path=st.lists(st.one_of(values, st.sampled_from(["", ".", "..", "a b"])), max_size=4),
    query=st.lists(st.tuples(values, values), max_size=4),
    headers=st.lists(st.tuples(tokens, values), max_size=6),
    data=st.binary(max_size=20),
    as_params=st.booleans(),
)
def test_any_request_is_signed_as_by_botocore(
    kind, credentials, host, scheme, path, query, headers, data, as_params
):
    url = f"{scheme}://{host}/{quote('/'.join(path))}"
    if query and not as_params:
        url += "?" + "&".join(f"{quote(key)}={quote(value)}" for key, value in query)
    params = query if as_params else {}
    check(lambda: request(url, "PUT", headers, data, params=params), kind, credentials)


@pytest.mark.parametrize("kind", CLASSES)
def test_a_request_signed_again_with_other_credentials_equals_botocores(kind):
    mine, theirs = request(), request()
    memory = Memory()
    for credentials in (SESSION, PLAIN, SESSION):
        ours(kind, credentials, memory).add_auth(mine)
        signed_by_botocore(theirs, mine.context["timestamp"], kind, credentials)
        assert mine.headers.items() == theirs.headers.items()


def test_headers_that_the_user_excludes_are_not_signed(monkeypatch):
    changed = [*auth.SIGNED_HEADERS_BLACKLIST, "accept-encoding", "x-amz-date"]
    monkeypatch.setattr(auth, "SIGNED_HEADERS_BLACKLIST", changed)
    check(lambda: request(headers={"Accept-Encoding": "identity", "X-A": "1"}))


def test_the_clock_of_botocores_module_is_used(monkeypatch):
    real = auth.get_current_datetime()
    monkeypatch.setattr(auth, "get_current_datetime", lambda: real.replace(year=1999, month=1))
    made = request()
    ours().add_auth(made)
    assert made.headers["X-Amz-Date"].startswith("199901")


def test_without_credentials_the_error_is_botocores():
    with pytest.raises(NoCredentialsError):
        ours(credentials=None).add_auth(request())


def test_what_is_signed_is_logged_where_botocore_logs_it(caplog):
    caplog.set_level(logging.DEBUG, "botocore.auth")
    made = request(headers={"X-A": "1"})
    ours().add_auth(made)
    mine = [(record.name, record.getMessage()) for record in caplog.records]
    caplog.clear()
    again = request(headers={"X-A": "1"})
    auth.SigV4Auth(PLAIN, "ec2", "us-east-1").add_auth(again)
    theirs = [(record.name, record.getMessage()) for record in caplog.records]
    assert [name for name, _ in mine] == [name for name, _ in theirs]
    assert mine[0] == theirs[0]
    assert [text.split("\n")[0] for _, text in mine] == [text.split("\n")[0] for _, text in theirs]
    assert SECRET not in caplog.text
